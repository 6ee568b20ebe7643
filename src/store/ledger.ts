import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import type { JsonObject } from "../kit/json.ts";
import type { Logger } from "../kit/log.ts";
import { linesOf, runsOf } from "./lines.ts";
import type { Log, Logs } from "./log.ts";
import { seal, unseal } from "./seal.ts";

/**
 * A log of what happened, of which the present state is made each time it is opened. It is made smaller now and then, by
 * writing down the state in its place.
 */
export interface Ledger<L> {
  /** Resolves when the lines are on the disk, and applied. */
  write(lines: readonly L[]): Promise<void>;
  /** Reads everything again: another process wrote it until now. */
  reload(): Promise<void>;
  close(): Promise<void>;
}

export interface LedgerOptions<L extends JsonObject> {
  readonly logs: Logs;
  readonly key: string;
  /** What it is, for people who read the log of the gateway, such as `the journal of runs`. */
  readonly name: string;
  readonly log: Logger;
  /** A line; what is not one is skipped. */
  readonly schema: v.GenericSchema<unknown, L>;
  /** Takes a line into the state. */
  apply(line: L): void;
  /** Forgets the state. */
  clear(): void;
  /** Lines from which the same state is made. */
  state(): readonly L[];
}

/** A start reads all of it: so much takes it a few milliseconds. */
const compactAbove = 256 * 1024;

export async function openLedger<L extends JsonObject>(options: LedgerOptions<L>): Promise<Ledger<L>> {
  const { logs, key, name, log } = options;
  /** Undefined where it could not be opened again: whoever writes next tries to. */
  let file: Log | undefined = await logs.open(key);
  const writing = new Set<Promise<void>>();
  /** The file is exchanged: whoever writes waits for it. It never rejects. */
  let exchanging: Promise<void> | undefined;
  let compactAt = compactAbove;
  let closed = false;

  async function write(lines: readonly L[]): Promise<void> {
    if (exchanging) {
      await exchanging;
      return write(lines);
    }
    // From here no turn passes until the lines are among those that an exchange waits for.
    if (!file) {
      // What is closed may be another gateway's already, in this process after a restart.
      if (closed) throw new Failure("unavailable", `${name} is closed`);
      let why: unknown;
      await exchange(() => reopen().catch((error: unknown) => void (why = error)));
      if (why !== undefined) throw why;
      return write(lines);
    }
    const written = record(file, lines);
    writing.add(written);
    try {
      await written;
    } finally {
      writing.delete(written);
    }
    const full = file;
    if (full && full.size > compactAt && !exchanging && !closed) void exchange(() => compact(full));
  }

  async function record(to: Log, lines: readonly L[]): Promise<void> {
    await to.append(lines.map((line) => seal(line)));
    for (const line of lines) options.apply(line);
  }

  function exchange(work: () => Promise<void>): Promise<void> {
    exchanging = work().finally(() => (exchanging = undefined));
    return exchanging;
  }

  async function reopen(): Promise<void> {
    file = await logs.open(key);
    compactAt = Math.max(compactAbove, 2 * file.size);
  }

  /** Leaves only what still counts. What is being written is waited for, what comes meanwhile waits. */
  async function compact(full: Log): Promise<void> {
    await Promise.allSettled(writing);
    const kept = options.state().map((line) => seal(line));
    file = undefined;
    try {
      await full.close();
      await logs.replace(key, kept);
    } catch (error) {
      log.warn(`${name} could not be made smaller; going on with it as it is`, { error: String(error) });
    }
    await reopen().catch((error: unknown) =>
      log.error(`${name} could not be opened again; it is tried with the next line`, { error: String(error) }),
    );
  }

  async function load(from: Log): Promise<void> {
    options.clear();
    let damaged = 0;
    for await (const run of runsOf(from)) {
      for (const line of linesOf(run)) {
        const parsed = v.safeParse(options.schema, unseal(line)?.record);
        if (parsed.success) options.apply(parsed.output);
        else damaged++;
      }
    }
    if (damaged > 0) log.warn(`${key}: ${damaged} damaged lines were skipped`);
    const needed = from.size > compactAbove ? JSON.stringify(options.state()).length : 0;
    compactAt = Math.max(compactAbove, 2 * needed);
  }

  await load(file);
  return {
    write,
    async reload() {
      await file?.close();
      file = await logs.open(key);
      await load(file);
    },
    async close() {
      closed = true;
      await exchanging;
      await file?.close();
    },
  };
}
