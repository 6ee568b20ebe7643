import * as v from "valibot";
import type { Clock } from "../host/host.ts";
import { isObject, parseJson } from "../kit/json.ts";
import type { Logger } from "../kit/log.ts";
import type { Store } from "../store/store.ts";
import { storedJob, type Job } from "./job.ts";

/** The scheduled jobs, in memory and written through: `all` is what is on the disk. */
export interface Jobs {
  readonly all: ReadonlyMap<string, Job>;
  /** Puts a job in its place, by what it is at that moment; undefined removes it. Resolves when it is on the disk. */
  change(id: string, edit: (job: Job | undefined) => Job | undefined): Promise<void>;
  reload(): Promise<void>;
}

export const JOBS_KEY = "cron/jobs.json";

/**
 * Opens `cron/jobs.json`, as the reference writes it too. What cannot be read of it is not run and stays in the file; a
 * file that makes no sense at all is set aside.
 */
export async function openJobs({ store, clock, log }: { store: Store; clock: Clock; log: Logger }): Promise<Jobs> {
  let all: ReadonlyMap<string, Job> = new Map();
  /** What is in the file and is no job of ours: written back as it was. */
  let others: readonly unknown[] = [];
  let rest: Readonly<Record<string, unknown>> = {};
  let last: Promise<void> = Promise.resolve();

  async function load(): Promise<void> {
    const text = await store.read(JOBS_KEY);
    const document = text === undefined ? {} : parseJson(text);
    const listed = isObject(document) ? (document["jobs"] ?? []) : undefined;
    if (!isObject(document) || !Array.isArray(listed)) {
      const copy = `${JOBS_KEY}.damaged-${new Date(clock.now()).toISOString().replaceAll(":", "-")}`;
      log.error(`${JOBS_KEY} is damaged: there are no jobs now; the file as it was is kept as ${copy}`);
      await store.change(copy, () => text);
      await store.change(JOBS_KEY, () => undefined);
      [all, others, rest] = [new Map(), [], {}];
      return;
    }
    const { version: _, jobs: __, ...more } = document;
    const read = listed.map((value: unknown) => ({ value, parsed: v.safeParse(storedJob, value) }));
    all = new Map(read.flatMap(({ parsed }) => (parsed.success ? [[parsed.output.id, parsed.output] as const] : [])));
    others = read.flatMap(({ value, parsed }) => (parsed.success ? [] : [value]));
    rest = more;
    if (others.length > 0)
      log.warn(`${JOBS_KEY}: ${others.length} jobs cannot be read; they stay there and do not run`);
  }

  async function write(id: string, edit: (job: Job | undefined) => Job | undefined): Promise<void> {
    const next = new Map(all);
    const job = edit(all.get(id));
    if (job) next.set(id, job);
    else next.delete(id);
    const document = { version: 1, ...rest, jobs: [...next.values(), ...others] };
    await store.change(JOBS_KEY, () => `${JSON.stringify(document, null, 2)}\n`);
    all = next;
  }

  // One after the other: each edit sees what the one before has put on the disk.
  function inTurn(work: () => Promise<void>): Promise<void> {
    const done = last.then(work);
    last = done.catch(() => undefined); // whoever asked for it is told
    return done;
  }

  await load();
  return {
    get all() {
      return all;
    },
    change: (id, edit) => inTurn(() => write(id, edit)),
    reload: () => inTurn(load),
  };
}
