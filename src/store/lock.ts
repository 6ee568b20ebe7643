import * as v from "valibot";
import type { Host } from "../host/host.ts";
import { basename, dirname, join } from "../host/paths.ts";
import { Failure } from "../kit/error.ts";
import { uuid } from "../kit/ids.ts";
import { parseJson } from "../kit/json.ts";

export interface LockInfo {
  readonly port: number;
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly command: string;
}

export interface LockOwner extends LockInfo {
  readonly pid: number;
  /** Tells the process from a later one with the same number (`Processes.startTime`). */
  readonly startTime?: string | undefined;
}

export interface HeldLock {
  readonly held: true;
  /** Gives it up; nothing happens when it is not ours any more. */
  release(): Promise<void>;
  /** The port in use is another one now; nothing happens when the lock is not ours any more. */
  movedTo(port: number): Promise<void>;
  /** Calls `lost` once, within seconds, when the file is gone or somebody else's: this process must stop writing. */
  onLost(lost: () => void): void;
}

export type Lock = HeldLock | { readonly held: false; readonly owner: LockOwner };

type Machine = Pick<Host, "files" | "processes" | "clock">;

/**
 * Takes the lock at `path`, or says who holds it. It dies with its process: a file whose writer is gone counts for
 * nothing.
 *
 * Taking over is a race among all who find the dead file. Each file has an id of its own, and who would replace the file
 * with id X must first create `<path>.claim-X`, which only one can do. A claim whose maker died is itself claimed the
 * same way. The winner looks once more that the files he judged are still there, and only then replaces the lock.
 */
export async function acquireLock(host: Machine, path: string, info: LockInfo): Promise<Lock> {
  const { files, processes, clock } = host;
  const mine: Entry = {
    id: uuid(),
    pid: processes.pid,
    startTime: await processes.startTime(processes.pid),
    port: info.port,
    command: info.command,
    createdAt: new Date(info.since).toISOString(),
  };
  await files.makeFolder(dirname(path));
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (await files.create(path, textOf(mine), unflushed)) return hold(host, path, mine);
    const outcome = await contend(host, path, mine);
    if (outcome === "won") return hold(host, path, mine);
    if (typeof outcome === "object") return { held: false, owner: ownerOf(outcome) };
    if (outcome === "unclear") await clock.sleep(PAUSE_MS);
  }
  throw new Failure("unavailable", `the lock ${path} keeps changing hands: look for gateways that restart in a loop`);
}

const ATTEMPTS = 100;
const PAUSE_MS = 50;
/** A file without sense is being written right now, or was left by a crash in the middle of that. */
const UNCLEAR_MS = 2_000;
const CHECK_MS = 5_000;
/** A lock that a machine going down leaves behind is nobody's, torn or whole. */
const unflushed = { flush: false };

const entrySchema = v.object({
  id: v.pipe(v.string(), v.uuid()),
  pid: v.number(),
  startTime: v.optional(v.string()),
  port: v.number(),
  command: v.string(),
  createdAt: v.pipe(v.string(), v.isoTimestamp()),
});
type Entry = v.InferOutput<typeof entrySchema>;

function textOf(entry: Entry): string {
  return `${JSON.stringify(entry)}\n`;
}

function entryOf(text: string | undefined): Entry | undefined {
  const parsed = v.safeParse(entrySchema, parseJson(text ?? ""));
  return parsed.success ? parsed.output : undefined;
}

function ownerOf({ pid, startTime, port, command, createdAt }: Entry): LockOwner {
  return { pid, startTime, port, command, since: Date.parse(createdAt) };
}

/** One try at a lock that exists: won, held by the entry answered, or to be tried again, at once or later. */
async function contend(host: Machine, path: string, mine: Entry): Promise<"won" | "again" | "unclear" | Entry> {
  const { files } = host;
  const judged: { readonly at: string; readonly id: string }[] = [];
  let at = path;
  do {
    const found = await look(host, at);
    if (found === undefined) return "again";
    if (found.state === "live" && at === path) return found.entry;
    // A living process is about to take over, or to find that it came too late: who holds the lock is not known yet.
    if (found.state !== "dead") return "unclear";
    judged.push({ at, id: found.id });
    at = `${path}.claim-${found.id}`;
  } while (!(await files.create(at, textOf(mine), unflushed)));

  for (const { at: place, id } of judged) {
    const found = await look(host, place);
    if (found?.state === "dead" && found.id === id) continue;
    // Somebody else's take-over was finished between our look and our claim.
    await files.remove(at);
    return "again";
  }
  await files.write(path, textOf(mine), unflushed);
  // While the lock is held by a living process no claim can be right.
  const claims = (await files.list(dirname(path))).filter((name) => name.startsWith(`${basename(path)}.claim-`));
  for (const name of claims) await files.remove(join(dirname(path), name));
  return "won";
}

type Found =
  | { readonly state: "live"; readonly entry: Entry }
  | { readonly state: "dead"; readonly id: string }
  | { readonly state: "unclear" };

async function look({ files, processes, clock }: Machine, path: string): Promise<Found | undefined> {
  const text = await files.read(path);
  const stat = await files.stat(path);
  if (text === undefined || stat === undefined) return undefined;
  const entry = entryOf(text);
  if (!entry) {
    const age = Math.abs(clock.now() - stat.modifiedAt);
    return age < UNCLEAR_MS
      ? { state: "unclear" }
      : { state: "dead", id: `unreadable-${stat.inode}-${Math.trunc(stat.modifiedAt)}` };
  }
  const startTime = processes.alive(entry.pid) ? await processes.startTime(entry.pid) : undefined;
  const another = startTime !== undefined && entry.startTime !== undefined && startTime !== entry.startTime;
  return processes.alive(entry.pid) && !another ? { state: "live", entry } : { state: "dead", id: entry.id };
}

function hold({ files, clock }: Machine, path: string, mine: Entry): HeldLock {
  const listeners: (() => void)[] = [];
  let { port } = mine;
  const isOurs = async (): Promise<boolean> => entryOf(await files.read(path))?.id === mine.id;
  const check = async (): Promise<void> => {
    if (await isOurs()) return;
    stop();
    for (const lost of listeners.splice(0)) lost();
  };
  const stop = clock.every(CHECK_MS, () => {
    check().catch(() => undefined); // a disk that cannot be read now says nothing about the owner: the next look decides
  });
  return {
    held: true,
    async release() {
      stop();
      if (await isOurs()) await files.remove(path);
    },
    async movedTo(next) {
      if (next === port || !(await isOurs())) return;
      await files.write(path, textOf({ ...mine, port: next }), unflushed);
      port = next;
    },
    onLost: (lost) => void listeners.push(lost),
  };
}
