import type { Reply } from "../flow/reply.ts";
import type { Turns } from "../flow/turns.ts";
import type { Clock } from "../host/host.ts";
import type { Logger } from "../kit/log.ts";
import type { Sessions } from "../session/sessions.ts";
import type { Store } from "../store/store.ts";
import type { Delivery, Job } from "./job.ts";
import type { JobInput, JobPatch } from "./job-input.ts";
import type { CronRun } from "./run-log.ts";
import type { SystemEvents } from "./system-events.ts";

/** Scheduled jobs: kept, run when they are due, at most once for each time that they are due. */
export interface Cron {
  /** Jobs by when they run next. */
  list(): Promise<readonly Job[]>;
  /** Throws `not-found`. */
  get(id: string): Promise<Job>;
  add(input: JobInput): Promise<Job>;
  update(id: string, patch: JobPatch): Promise<Job>;
  /** Answers whether there was one. */
  remove(id: string): Promise<boolean>;
  /** Begins a run, whatever the time for `force`; resolves when that is on the disk. */
  run(id: string, mode: "force" | "due"): Promise<CronBegun>;
  /** What became of the runs of one job, or of all, newest first. */
  runs(id?: string): Promise<readonly CronRun[]>;
  /** Runs that go on. */
  running(): readonly { readonly job: Job; readonly runId: string; readonly startedAt: number }[];
  /** Whether jobs run when they are due. */
  readonly enabled: boolean;
  /** Takes up the jobs and the configuration as they are now, and what another process left. */
  refresh(): Promise<void>;
  close(): Promise<void>;
}

export type CronBegun =
  | { readonly begun: true; readonly runId: string }
  | { readonly begun: false; readonly reason: "already-running" | "not-due" };

export interface CronOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly store: Store;
  readonly turns: Pick<Turns, "accept" | "run" | "wait" | "exclusive" | "inject">;
  readonly sessions: Pick<Sessions, "get" | "reset" | "transcript">;
  readonly events: Pick<SystemEvents, "add">;
  /** Why no job is run by its time now; undefined when they are. */
  stopped(): string | undefined;
  /** Runs at the same time. */
  maxRuns(): number;
  /** The agent of a job and its main session; throws `not-found` for one that is not configured. */
  agentOf(agentId: string | undefined): { readonly agentId: string; readonly mainKey: string };
  /** Has a session told at once what waits for it. */
  wake(sessionKey: string): void;
  /** Where an answer goes; undefined when there is no such chat. */
  replyTo(delivery: Delivery, sessionKey: string): Reply | undefined;
  /** Tells clients what happens to a job. */
  tell(event: Readonly<Record<string, unknown>>): void;
}

/** Cron as the gateway has it from its start: what runs jobs is loaded when there are some, or when it is asked. */
export function createCron(options: CronOptions): Cron & { start(): Promise<void> } {
  let opening: Promise<Cron> | undefined;
  let opened: Cron | undefined;
  let closed = false;
  async function open(): Promise<Cron> {
    const { openScheduler } = await import("./scheduler.ts");
    opened = await openScheduler(options);
    if (closed) await opened.close();
    return opened;
  }
  const cron = (): Promise<Cron> =>
    (opening ??= open().catch((error: unknown) => {
      opening = undefined;
      throw error;
    }));

  return {
    async start() {
      if (opening) await (await cron()).refresh();
      else if ((await options.store.read("cron/jobs.json")) !== undefined) await cron();
    },
    list: async () => (await cron()).list(),
    get: async (id) => (await cron()).get(id),
    add: async (input) => (await cron()).add(input),
    update: async (id, patch) => (await cron()).update(id, patch),
    remove: async (id) => (await cron()).remove(id),
    run: async (id, mode) => (await cron()).run(id, mode),
    runs: async (id) => (await cron()).runs(id),
    running: () => opened?.running() ?? [],
    get enabled() {
      return options.stopped() === undefined;
    },
    refresh: async () => (await cron()).refresh(),
    async close() {
      closed = true;
      await (await opening?.catch(() => undefined))?.close();
    },
  };
}
