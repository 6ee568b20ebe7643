import { tildify } from "../host/paths.ts";
import { isObject } from "../kit/json.ts";
import { redact } from "../kit/redact.ts";
import { VERSION } from "../kit/version.ts";
import type { Check, CheckContext, Finding } from "./check.ts";

/** Whether the gateway answers, and what it says of itself: version, safe mode, standby, parts that failed. */
export const gateway: Check = {
  id: "gateway",
  title: "Gateway connection",
  async look(context) {
    const answer = await context.gateway();
    const { running, url, health, version, error } = answer;
    if (error !== undefined) return [noAnswer(context, { url, error, expected: running !== undefined })];
    return [
      ...otherVersion(context, version),
      ...(isObject(health) ? [...states(context, health), ...parts(health)] : []),
    ];
  },
};

function noAnswer(
  { program, paths, host, config }: CheckContext,
  { url, error, expected }: { readonly url: string | undefined; readonly error: string; readonly expected: boolean },
): Finding {
  const remote = config.snapshot.value.gateway.mode === "remote";
  if (!expected && !remote)
    return {
      code: "gateway-not-running",
      level: "info",
      message: "Gateway not running.",
      command: `${program} gateway`,
    };
  return {
    code: "gateway.probe_failed",
    level: "error",
    message: `The gateway${url === undefined ? "" : ` at ${url}`} does not answer: ${redact(error)}.`,
    command: remote ? `${program} gateway probe` : `cat ${tildify(host, paths.log)}`,
  };
}

function otherVersion({ program }: CheckContext, version: string | undefined): Finding[] {
  if (version === undefined || version === VERSION) return [];
  return [
    {
      code: "gateway-version-differs",
      level: "warning",
      message: `The gateway is version ${version}, this program ${VERSION}: what was installed since is not running yet.`,
      command: `${program} gateway restart`,
    },
  ];
}

function states({ program }: CheckContext, health: Readonly<Record<string, unknown>>): Finding[] {
  const { safeMode, standby } = health;
  const reason = isObject(safeMode) && typeof safeMode["reason"] === "string" ? redact(safeMode["reason"]) : "";
  return [
    ...(safeMode
      ? [
          {
            code: "gateway-safe-mode",
            level: "error" as const,
            message: `The gateway is in safe mode, with nothing but its control plane${reason === "" ? "" : `: ${reason}`}.`,
            command: `${program} gateway restart`,
          },
        ]
      : []),
    ...(isObject(standby)
      ? [
          {
            code: "gateway-standby",
            level: "info" as const,
            message: `The gateway stands by: process ${String(standby["pid"])} owns the state folder.`,
          },
        ]
      : []),
  ];
}

function parts({ parts: list }: Readonly<Record<string, unknown>>): Finding[] {
  return (Array.isArray(list) ? (list as readonly unknown[]) : []).flatMap((part): Finding[] => {
    // Safe mode is told above, as what it is.
    if (!isObject(part) || part["part"] === "safe-mode") return [];
    if (!["failed", "degraded", "disabled"].includes(String(part["state"]))) return [];
    const failed = part["state"] === "failed";
    const reason = typeof part["reason"] === "string" ? `: ${redact(part["reason"])}` : "";
    return [
      {
        code: failed ? "gateway-part-failed" : "gateway-part-degraded",
        level: failed ? "error" : "warning",
        message: `The gateway's ${String(part["part"])} is ${String(part["state"])}${reason}.`,
      },
    ];
  });
}
