import * as v from "valibot";
import type { Host } from "../host/host.ts";
import { dirname } from "../host/paths.ts";
import { restoreMark } from "../host/restore-mark.ts";
import { Failure } from "../kit/error.ts";
import { parseJson } from "../kit/json.ts";

/** Something whole that takes the place of another, which is kept. */
export interface Swap {
  /** What was unpacked, beside its place. */
  readonly from: string;
  /** Its place. */
  readonly to: string;
  /** Where what was there goes. */
  readonly keep: string;
}

/** What a restore has decided to do: written when everything is unpacked, removed when everything is in its place. */
export interface Pending {
  readonly archive: string;
  readonly swaps: readonly Swap[];
}

const path = v.pipe(v.string(), v.minLength(2));
const pendingSchema = v.object({
  archive: v.string(),
  swaps: v.array(v.object({ from: path, to: path, keep: path })),
});

/** A restore that was cut off between its decision and its end; undefined when there is none. */
export async function pendingRestore({ files }: Pick<Host, "files">, state: string): Promise<Pending | undefined> {
  const text = await files.read(restoreMark(state));
  if (text === undefined) return undefined;
  const parsed = v.safeParse(pendingSchema, parseJson(text));
  if (parsed.success && parsed.output.swaps.every(isBeside)) return parsed.output;
  throw new Failure(
    "failed",
    `${restoreMark(state)} makes no sense: look beside ${state} what is there, then remove it`,
  );
}

/**
 * Decides, and does it. Before the decision is on the disk everything is as it was; after it each step can be repeated,
 * so whoever comes next finishes what a crash cut off. At no time is anything removed.
 */
export async function swapAll(host: Pick<Host, "files">, state: string, pending: Pending): Promise<void> {
  await host.files.write(restoreMark(state), `${JSON.stringify(pending)}\n`);
  await finishSwaps(host, state, pending);
}

/** Does what is left to do. */
export async function finishSwaps({ files }: Pick<Host, "files">, state: string, { swaps }: Pending): Promise<void> {
  for (const { from, to, keep } of swaps) {
    if (!(await files.stat(from))) continue; // it is in its place
    if (await files.stat(to)) await files.rename(to, await freeName(files, keep));
    await files.rename(from, to);
  }
  await files.remove(restoreMark(state));
}

/** Between the two steps of a swap another program may have made the place anew: that is kept too. */
async function freeName(files: Host["files"], name: string): Promise<string> {
  for (let number = 1; ; number++) {
    const candidate = number === 1 ? name : `${name}-${number}`;
    if (!(await files.stat(candidate))) return candidate;
  }
}

/** A forged file must not move things about. */
function isBeside({ from, to, keep }: Swap): boolean {
  return dirname(from) === dirname(to) && dirname(keep) === dirname(to);
}
