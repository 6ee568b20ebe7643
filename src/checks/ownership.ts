import { join, tildify } from "../host/paths.ts";
import { readRuntime, removeRuntime } from "../host/runtime-file.ts";
import { isObject, parseJson } from "../kit/json.ts";
import { acquireLock } from "../store/lock.ts";
import type { Check, CheckContext, Finding } from "./check.ts";

/** What a gateway that runs says of itself in the state folder: its lock and its runtime file, and whether it lives. */
export const ownership: Check = {
  id: "ownership",
  title: "Lock and runtime file",
  look: async (context) => [
    ...(await lockFindings(context, "gateway.lock", "the gateway")),
    ...(await lockFindings(context, "config.lock", "a change of the configuration")),
    ...(await runtimeFindings(context)),
  ],
};

async function lockFindings({ host, paths }: CheckContext, name: string, what: string): Promise<Finding[]> {
  const { files, processes, clock } = host;
  const path = join(paths.state, name);
  const text = await files.read(path);
  if (text === undefined) return [];
  const lock = parseJson(text);
  const pid = isObject(lock) && typeof lock["pid"] === "number" ? lock["pid"] : undefined;
  if (pid !== undefined && processes.alive(pid)) {
    const startTime = await processes.startTime(pid);
    const written = isObject(lock) ? lock["startTime"] : undefined;
    if (startTime === undefined || typeof written !== "string" || startTime === written) return [];
  }
  return [
    {
      code: "lock-stale",
      level: "info",
      message: `${tildify(host, path)} was left by ${what} in ${pid === undefined ? "a process that is not known" : `process ${pid}, which is gone`}; the next one takes it over.`,
      path,
      fix: {
        question: `Remove ${tildify(host, path)}?`,
        async apply() {
          // Only who holds the lock may remove it: somebody may have taken it since it was looked at.
          const info = { port: 0, since: clock.now(), command: "doctor" };
          const taken = await acquireLock(host, path, info);
          if (!taken.held) return `Left ${tildify(host, path)}: process ${taken.owner.pid} holds it now.`;
          await taken.release();
          return `Removed ${tildify(host, path)}.`;
        },
      },
    },
  ];
}

async function runtimeFindings({ host, paths }: CheckContext): Promise<Finding[]> {
  const path = join(paths.state, "runtime.json");
  const runtime = await readRuntime(host.files, paths.state);
  const exists = runtime !== undefined || (await host.files.stat(path)) !== undefined;
  if (!exists || (runtime && host.processes.alive(runtime.pid))) return [];
  const why = runtime ? `names process ${runtime.pid}, which is gone` : "cannot be understood";
  return [
    {
      code: "runtime-file-stale",
      level: "info",
      message: `${tildify(host, path)} ${why}: a gateway ended without taking leave.`,
      path,
      fix: {
        question: `Remove ${tildify(host, path)}?`,
        async apply() {
          if (runtime) await removeRuntime(host.files, paths.state, runtime.pid);
          else await host.files.remove(path);
          return `Removed ${tildify(host, path)}.`;
        },
      },
    },
  ];
}
