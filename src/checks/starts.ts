import { join } from "../host/paths.ts";
import { isObject, parseJson } from "../kit/json.ts";
import { redact } from "../kit/redact.ts";
import type { Check } from "./check.ts";

/** Starts that failed one after the other: a gateway that comes up only to die, or in safe mode by now. */
export const starts: Check = {
  id: "starts",
  title: "Starts",
  async look({ host, paths, program }) {
    const path = join(paths.state, "starts.json");
    const text = await host.files.read(path);
    if (text === undefined) return [];
    const record = parseJson(text);
    const failures: unknown = isObject(record) ? record["failures"] : undefined;
    if (!isObject(record) || !Array.isArray(failures))
      return [
        {
          code: "starts-record-broken",
          level: "warning",
          message: `${path} cannot be understood: a crash loop may go unnoticed until the gateway writes it anew.`,
          path,
          command: `${program} gateway restart`,
        },
      ];
    if (failures.length === 0) return [];
    const last: unknown = failures.at(-1);
    const reason = isObject(last) && typeof last["reason"] === "string" ? redact(last["reason"]) : "no reason is known";
    const safe = typeof record["safeSince"] === "number";
    return [
      {
        code: safe ? "crash-loop" : "starts-failed",
        level: safe ? "error" : "warning",
        message: `The last ${failures.length === 1 ? "start" : `${failures.length} starts`} failed${safe ? ", so the next one is in safe mode" : ""}: ${reason}.`,
        path,
        command: `${program} logs --limit 50`,
      },
    ];
  },
};
