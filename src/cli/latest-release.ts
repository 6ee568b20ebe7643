import type { Clock } from "../host/host.ts";
import { Failure } from "../kit/error.ts";
import { send } from "../kit/http.ts";
import { isObject, parseJson } from "../kit/json.ts";
import { packageName } from "./installation.ts";

export interface Asking {
  readonly fetch: typeof fetch;
  readonly signal: AbortSignal;
  readonly clock: Pick<Clock, "after">;
  readonly timeoutMs: number;
}

/** Asks the npm registry for the newest release's version; throws a Failure that says what came instead. */
export async function latestRelease({ fetch, signal, clock, timeoutMs }: Asking): Promise<string> {
  const url = new URL(`https://registry.npmjs.org/${packageName}/latest`);
  const late = new AbortController();
  // One deadline for head and body: a registry that trickles must not hold anybody.
  const disarm = clock.after(timeoutMs, () => late.abort());
  try {
    const both = AbortSignal.any([signal, late.signal]);
    const response = await send(url, {}, { fetch, signal: both, headMs: timeoutMs, clock });
    if (response.status !== 200) throw unusable(url, `HTTP ${response.status}`);
    const answer = parseJson(await start(response));
    const version = isObject(answer) ? answer["version"] : undefined;
    if (typeof version !== "string" || !/^\d+\.\d+\.\d+[\w.+-]{0,40}$/.test(version))
      throw unusable(url, "an answer without a version");
    return version;
  } catch (error) {
    if (signal.aborted) throw new Failure("aborted", "aborted", { cause: error });
    if (late.signal.aborted) throw new Failure("timeout", `${url.host} gave no answer within ${timeoutMs} ms`);
    if (error instanceof Failure) throw error;
    throw unusable(url, error instanceof Error ? error.message : String(error));
  } finally {
    disarm();
  }
}

/** Whether a version is newer than another, by its numbers; a pre-release is older than its release. */
export function isNewer(version: string, than: string): boolean {
  const [a, b] = [parts(version), parts(than)];
  for (let index = 0; index < 3; index++) {
    const difference = (a.numbers[index] ?? 0) - (b.numbers[index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return a.isRelease && !b.isRelease;
}

function parts(version: string): { readonly numbers: readonly number[]; readonly isRelease: boolean } {
  const [core = "", before] = (version.split("+")[0] ?? "").split(/-(.*)/s);
  return { numbers: core.split(".").map(Number), isRelease: before === undefined };
}

/** An answer of a registry is a few thousand characters; what is longer is not one. */
const mostBytes = 1_000_000;

async function start(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let [text, size] = ["", 0];
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > mostBytes) throw new Failure("unavailable", `the registry's answer is longer than ${mostBytes} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function unusable(url: URL, what: string): Failure {
  return new Failure("unavailable", `${url.host} could not be asked for the newest release: ${what}`);
}
