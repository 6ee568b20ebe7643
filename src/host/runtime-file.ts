import { isObject, parseJson } from "../kit/json.ts";
import type { Files } from "./host.ts";
import { join } from "./paths.ts";

/** What a running gateway says of itself to the commands of its profile, in `<state>/runtime.json`. */
export interface RuntimeFile {
  readonly pid: number;
  readonly port: number;
  /** Where this machine reaches it, such as `ws://127.0.0.1:18789`. */
  readonly url: string;
  /** SHA-256 of the certificate that it shows, for `wss`. */
  readonly fingerprint?: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
}

/** The file of a state folder; undefined when there is none or it makes no sense. Its process may be gone. */
export async function readRuntime(files: Files, state: string): Promise<RuntimeFile | undefined> {
  const value = parseJson((await files.read(path(state))) ?? "");
  if (!isObject(value)) return undefined;
  const { pid, port, url, startedAt, fingerprint } = value;
  if (typeof pid !== "number" || typeof port !== "number" || typeof url !== "string") return undefined;
  return {
    pid,
    port,
    url,
    ...(typeof fingerprint === "string" ? { fingerprint } : {}),
    startedAt: typeof startedAt === "number" ? startedAt : 0,
  };
}

export async function writeRuntime(files: Files, state: string, runtime: RuntimeFile): Promise<void> {
  await files.write(path(state), `${JSON.stringify(runtime)}\n`, { flush: false });
}

/** Removes the file when it is this process's; another gateway may have written its own by now. */
export async function removeRuntime(files: Files, state: string, pid: number): Promise<void> {
  if ((await readRuntime(files, state))?.pid === pid) await files.remove(path(state));
}

function path(state: string): string {
  return join(state, "runtime.json");
}
