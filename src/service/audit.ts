import { isSecretKey } from "../kit/redact.ts";
import type { InstalledService, Scope, ServiceManager } from "./service.ts";

/** Something about an installed service that works less well than it could. */
export interface AuditFinding {
  /** As other tools of this family know it (cli.md 3.7). */
  readonly code: AuditCode;
  /** `aggressive`: putting it right overwrites what somebody may have changed on purpose. */
  readonly level: "recommended" | "aggressive";
  readonly message: string;
  /** Which values are meant; never a secret. */
  readonly detail?: string;
}

export type AuditCode =
  | "gateway-command-missing"
  | "gateway-program-missing"
  | "gateway-path-missing"
  | "gateway-path-missing-dirs"
  | "gateway-path-nonminimal"
  | "gateway-runtime-node-version-manager"
  | "gateway-token-embedded"
  | "gateway-password-embedded"
  | "gateway-secret-embedded"
  | "systemd-after-network-online"
  | "systemd-wants-network-online"
  | "systemd-restart-sec"
  | "launchd-run-at-load"
  | "launchd-keep-alive";

export interface AuditFacts {
  readonly kind: ServiceManager["kind"];
  readonly scope: Scope;
  /** Files of the service's command line that are not on the disk. */
  readonly missing?: readonly string[];
}

/**
 * What is odd about an installed service, whoever installed it. Pure: looks at what its files say. There is no
 * `gateway-runtime-bun` here, as in other gateways of this family: on Bun everything works.
 */
export function auditService(installed: InstalledService, facts: AuditFacts): readonly AuditFinding[] {
  return [
    ...auditCommand(installed.program, facts.missing ?? []),
    ...auditRuntime(installed.program[0] ?? ""),
    ...auditSecrets(installed),
    ...auditPath(installed, facts.kind),
    ...auditUnit(installed, facts),
  ];
}

function auditCommand(program: readonly string[], missing: readonly string[]): readonly AuditFinding[] {
  const command: AuditFinding = {
    code: "gateway-command-missing",
    level: "aggressive",
    message: "The service's command line has no `gateway`: it starts something else.",
  };
  const gone: AuditFinding = {
    code: "gateway-program-missing",
    level: "recommended",
    message: "The service starts a program that is not there any more.",
    detail: missing.join(", "),
  };
  return [...(program.includes("gateway") ? [] : [command]), ...(missing.length > 0 ? [gone] : [])];
}

function auditRuntime(executable: string): readonly AuditFinding[] {
  if (!isVersioned(executable)) return [];
  return [
    {
      code: "gateway-runtime-node-version-manager",
      level: "recommended",
      message: "The service runs on a version manager's runtime, which goes away with its next upgrade.",
      detail: executable,
    },
  ];
}

/** A unit is readable for everybody, and `ps` shows command lines. */
function auditSecrets({ program, environment }: InstalledService): readonly AuditFinding[] {
  const names = Object.keys(environment).filter((name) => isSecretKey(name));
  const flags = program.map((arg) => arg.replace(/=.*/s, "")).filter((arg) => /^--(token|password)$/.test(arg));
  const embedded = [...names, ...flags];
  const found = (code: AuditCode, what: string, fits: (name: string) => boolean): readonly AuditFinding[] => {
    const which = embedded.filter(fits);
    const message = `The service's own definition holds ${what}, for everybody on this machine to read; install again, then change it.`;
    return which.length === 0 ? [] : [{ code, level: "recommended", message, detail: which.join(", ") }];
  };
  const isToken = (name: string): boolean => /(^--|_GATEWAY_)token$/i.test(name);
  const isPassword = (name: string): boolean => /(^--|_GATEWAY_)password$/i.test(name);
  return [
    ...found("gateway-token-embedded", "the gateway's token", isToken),
    ...found("gateway-password-embedded", "the gateway's password", isPassword),
    ...found("gateway-secret-embedded", "a secret", (name) => !isToken(name) && !isPassword(name)),
  ];
}

/** Folders without which tools are not found. */
const requiredFolders = ["/usr/local/bin", "/usr/bin", "/bin"];

function auditPath({ environment }: InstalledService, kind: ServiceManager["kind"]): readonly AuditFinding[] {
  // A task of Windows has its person's own PATH.
  if (kind === "schtasks") return [];
  const path = environment["PATH"];
  if (!path)
    return [
      {
        code: "gateway-path-missing",
        level: "recommended",
        message: "The service has no PATH: tools find few programs, or others than in a shell.",
      },
    ];
  const folders = path.split(":").map((folder) => folder.replace(/(.)\/+$/, "$1"));
  const missing = requiredFolders.filter((folder) => !folders.includes(folder));
  const versioned = folders.filter(isVersioned);
  const findings: AuditFinding[] = [];
  if (missing.length > 0)
    findings.push({
      code: "gateway-path-missing-dirs",
      level: "recommended",
      message: "The service's PATH lacks folders of the system.",
      detail: missing.join(", "),
    });
  if (versioned.length > 0)
    findings.push({
      code: "gateway-path-nonminimal",
      level: "recommended",
      message: "The service's PATH has folders of one version of a version manager, which go away with an upgrade.",
      detail: versioned.join(", "),
    });
  return findings;
}

function auditUnit({ path, files }: InstalledService, { kind, scope }: AuditFacts): readonly AuditFinding[] {
  const text = files.find((file) => file.path === path)?.text;
  if (text === undefined || kind === "schtasks") return [];
  return kind === "systemd" ? auditSystemd(text, scope) : auditLaunchd(text);
}

function auditSystemd(text: string, scope: Scope): readonly AuditFinding[] {
  const values = (key: string): string =>
    [...text.matchAll(new RegExp(`^${key}=(.*)$`, "gm"))].map(([, value = ""]) => value).join(" ");
  const findings: AuditFinding[] = [];
  // Only the system's own manager knows this target; in a unit of a person the lines mean nothing (systemd.special(7)).
  for (const key of scope === "system" ? (["After", "Wants"] as const) : [])
    if (!values(key).split(/\s+/).includes("network-online.target"))
      findings.push({
        code: key === "After" ? "systemd-after-network-online" : "systemd-wants-network-online",
        level: "recommended",
        message: `The unit has no ${key}=network-online.target: addresses other than loopback may not be there yet.`,
      });
  if (values("RestartSec").trim() === "")
    findings.push({
      code: "systemd-restart-sec",
      level: "recommended",
      message: "The unit has no RestartSec: with systemd's 100 ms a few failures in a row end the restarts for good.",
    });
  return findings;
}

function auditLaunchd(text: string): readonly AuditFinding[] {
  const findings: AuditFinding[] = [];
  if (!/<key>RunAtLoad<\/key>\s*<true\s*\/>/.test(text))
    findings.push({
      code: "launchd-run-at-load",
      level: "recommended",
      message: "The LaunchAgent has no RunAtLoad: it does not start at login.",
    });
  // A dictionary of conditions keeps it alive too (launchd.plist(5)).
  if (!/<key>KeepAlive<\/key>\s*<(true\s*\/|dict)>/.test(text))
    findings.push({
      code: "launchd-keep-alive",
      level: "recommended",
      message: "The LaunchAgent has no KeepAlive: it does not come back after a crash.",
    });
  return findings;
}

/** Whether a path holds one version of a version manager, not a link of theirs that stays (`current`, `shims`). */
function isVersioned(path: string): boolean {
  const managed = /\/(\.?(nvm|fnm|asdf|volta|nodenv|nvs|mise|n)|Cellar)\//.test(path);
  return path.includes("/fnm_multishells/") || (managed && /\/v?\d+(\.\d+)+(\/|$)/.test(path));
}
