// Longer than most: time, runs and what is asked for decide over one state, the jobs and those that run.
import { Failure } from "../kit/error.ts";
import { uuid } from "../kit/ids.ts";
import { carryOut, type Carried } from "./carry-out.ts";
import type { Cron, CronOptions } from "./cron.ts";
import { publicJob, type Job, type JobState } from "./job.ts";
import { jobOf, patched } from "./job-input.ts";
import { openJobs } from "./jobs.ts";
import { createRunLog, type CronRun } from "./run-log.ts";
import { checkSchedule, nextRun, type Schedule } from "./schedule.ts";

/** Jobs kept at once. */
const MOST_JOBS = 500;
/** Timers do not hear of a clock that is set, nor of a machine that sleeps: the time is looked at this often. */
const LOOK_MS = 60_000;
/** What was due longer ago, while the gateway was not there, is not done any more. */
const MOST_LATE_MS = 24 * 3600_000;
/** After the first, second, ... failure in a row; the last holds from there on. */
const BACKOFF_MS = [30_000, 60_000, 300_000, 900_000, 3600_000] as const;
/** A job of one moment is tried again so often. */
const MOST_RETRIES = 3;

/** Reads the jobs, goes on with what a crash cut off, and runs each when it is due. */
export async function openScheduler(options: CronOptions): Promise<Cron> {
  const { clock, log, store } = options;
  const jobs = await openJobs(options);
  const runLog = createRunLog(store);
  const running = new Map<
    string,
    { readonly runId: string; readonly startedAt: number; readonly done: Promise<void> }
  >();
  const ending = new AbortController();
  let cancel = (): void => undefined;
  let seen = { wall: clock.now(), monotonic: clock.monotonic() };

  // Time

  function arm(leastMs = 0): void {
    cancel();
    if (ending.signal.aborted || options.stopped() !== undefined) return;
    const next = Math.min(...[...jobs.all.values()].filter(isIdle).map(({ state }) => state.nextRunAtMs ?? Infinity));
    if (next === Infinity) return;
    // With every place taken, the end of a run looks again.
    const isFull = running.size >= options.maxRuns();
    const ms = isFull ? LOOK_MS : Math.min(LOOK_MS, Math.max(leastMs, next - clock.now()));
    cancel = clock.after(ms, () => void look());
  }

  async function look(): Promise<void> {
    try {
      if (wasSetBack()) await schedule((job) => planned(job, clock.now()));
      for (const job of dueNow()) begin(job, job.state.nextRunAtMs ?? clock.now());
    } catch (error) {
      log.error("the scheduled jobs could not be looked at", { error: Failure.from(error).message });
    }
    arm();
  }

  function isIdle({ id, enabled }: Job): boolean {
    return enabled && !running.has(id);
  }

  function dueNow(): readonly Job[] {
    const due = [...jobs.all.values()]
      .filter((job) => isIdle(job) && (job.state.nextRunAtMs ?? Infinity) <= clock.now())
      .sort(byNext);
    return due.slice(0, Math.max(0, options.maxRuns() - running.size));
  }

  /** A clock that was ahead has put jobs off that would now wait until it is there again. */
  function wasSetBack(): boolean {
    const now = { wall: clock.now(), monotonic: clock.monotonic() };
    const drift = now.wall - seen.wall - (now.monotonic - seen.monotonic);
    seen = now;
    return drift < -LOOK_MS;
  }

  async function schedule(nextOf: (job: Job) => number | undefined): Promise<void> {
    for (const job of [...jobs.all.values()].filter(isIdle)) {
      const nextRunAtMs = nextOf(job);
      if (nextRunAtMs !== job.state.nextRunAtMs)
        await jobs.change(job.id, (now) => now && withState(now, { nextRunAtMs }));
    }
  }

  // Runs

  /** Begins a run. Only one goes on of a job at a time. */
  function begin(job: Job, dueAt: number): { readonly runId: string; readonly written: Promise<void> } {
    const runId = runIdOf(job, dueAt);
    const startedAt = clock.now();
    const isLate = startedAt - dueAt > MOST_LATE_MS;
    // On the disk before anything is done: after a crash the same run goes on, and no second one begins.
    const written = jobs.change(job.id, (now) => {
      const nextRunAtMs = planned(job, startedAt);
      return now && withState(now, { nextRunAtMs, runningAtMs: startedAt, runningDueAtMs: dueAt });
    });
    const work = written.then(() => (isLate ? finish(job.id, missed(startedAt - dueAt)) : carry(job.id, runId)));
    hold(job, { runId, startedAt, work });
    return { runId, written };
  }

  /** Keeps the job's place until the work is over. */
  function hold({ id }: Job, { work, ...run }: { runId: string; startedAt: number; work: Promise<void> }): void {
    const over = (leastMs: number): void => {
      running.delete(id);
      arm(leastMs);
    };
    const done = work.then(
      () => over(0),
      (error: unknown) => {
        log.error("a job could not be run", { job: id, error: Failure.from(error).message });
        // A disk that is full is not asked again at once.
        over(LOOK_MS / 2);
      },
    );
    running.set(id, { ...run, done });
  }

  async function carry(id: string, runId: string): Promise<void> {
    const job = jobs.all.get(id);
    if (!job) return;
    tell(job, "started", { runAtMs: job.state.runningAtMs, runId });
    const carried = await carryOut(job, { ...options, runId, signal: ending.signal });
    // The gateway ends: the run goes on at the next start.
    if (carried) await finish(id, carried);
  }

  async function finish(id: string, carried: Carried): Promise<void> {
    const job = jobs.all.get(id);
    if (!job) return;
    const runAtMs = job.state.runningAtMs ?? clock.now();
    const durationMs = Math.max(0, clock.now() - runAtMs);
    const after = jobAfter(job, carried, { now: clock.now(), runAtMs, durationMs });
    const { retryable: _, ...outcome } = carried;
    const run: CronRun = {
      ts: clock.now(),
      jobId: id,
      action: "finished",
      ...outcome,
      runId: runIdOf(job, job.state.runningDueAtMs ?? runAtMs),
      runAtMs,
      durationMs,
      ...(after?.state.nextRunAtMs === undefined ? {} : { nextRunAtMs: after.state.nextRunAtMs }),
      jobName: job.name,
    };
    await runLog.add(run);
    await jobs.change(id, (now) => now && jobAfter(now, carried, { now: clock.now(), runAtMs, durationMs }));
    const { action, ts: __, jobId: ___, ...facts } = run;
    tell(after ?? job, action, facts);
  }

  /** What a crash cut off goes on, under the same id; whatever was not begun is due as it was. */
  async function recover(): Promise<void> {
    // Another process may run them.
    if (options.stopped() !== undefined) return;
    for (const job of jobs.all.values()) {
      const { runningAtMs, runningDueAtMs } = job.state;
      if (runningAtMs === undefined || running.has(job.id)) continue;
      const runId = runIdOf(job, runningDueAtMs ?? runningAtMs);
      hold(job, { runId, startedAt: runningAtMs, work: carry(job.id, runId) });
    }
    // Who set the clock back while nobody looked has put off jobs for longer than any failure does.
    const mostAhead = BACKOFF_MS.at(-1) ?? 0;
    await schedule((job) => {
      const { nextRunAtMs = Infinity } = job.state;
      const next = planned(job, clock.now()) ?? Infinity;
      const kept = nextRunAtMs > next + mostAhead ? next : nextRunAtMs;
      return kept === Infinity ? undefined : kept;
    });
  }

  /** A moment that has passed stays planned until it was run; `look` decides whether that is too late. */
  function planned(job: Job, now: number): number | undefined {
    try {
      const { schedule: when } = job;
      if (!isKnown(when)) return undefined;
      checkSchedule(when);
      return nextRun(when, now);
    } catch (error) {
      log.warn("a job has no time that it could run at", { job: job.id, why: Failure.from(error).message });
      return undefined;
    }
  }

  function tell(job: Job, action: string, facts: object = {}): void {
    const { nextRunAtMs } = job.state;
    options.tell({ jobId: job.id, action, job: publicJob(job), ...(nextRunAtMs ? { nextRunAtMs } : {}), ...facts });
  }

  // Asked for

  function known(id: string): Job {
    const job = jobs.all.get(id);
    if (job) return job;
    throw new Failure("not-found", `there is no job ${JSON.stringify(id.slice(0, 100))}: cron list has their ids`, {
      details: { code: "CRON_JOB_NOT_FOUND", jobId: id },
    });
  }

  /** The job as it is to be kept, with the time of its next run. Throws for a schedule that cannot be kept. */
  function timed(job: Job): Job {
    const { schedule: when } = job;
    if (!isKnown(when)) throw new Failure("invalid-request", `schedule.kind is ${when.kind}: write at, every or cron`);
    checkSchedule(when);
    const now = clock.now();
    const next = nextRun(when, now);
    if (when.kind === "at" && next === undefined && job.enabled)
      throw new Failure(
        "invalid-request",
        `schedule.at is ${when.at}, which has passed: it is ${new Date(now).toISOString()}`,
      );
    return withState(job, { nextRunAtMs: job.enabled ? next : undefined });
  }

  await recover();
  arm();
  return {
    list: async () => [...jobs.all.values()].sort(byNext),
    get: async (id) => known(id),
    async add(input) {
      if (jobs.all.size >= MOST_JOBS)
        throw new Failure("rate-limited", `there are ${MOST_JOBS} jobs already: remove some first`);
      options.agentOf(input.agentId ?? undefined);
      const now = clock.now();
      const fresh = jobOf(input);
      const { schedule: when } = fresh;
      // Counted from now on, as whoever makes it expects.
      const anchored = when.kind === "every" ? { ...when, anchorMs: when.anchorMs ?? now } : when;
      const job = timed({ ...fresh, schedule: anchored, id: uuid(), createdAtMs: now, updatedAtMs: now, state: {} });
      await jobs.change(job.id, () => job);
      tell(job, "added");
      arm();
      return job;
    },
    async update(id, patch) {
      if (patch.agentId) options.agentOf(patch.agentId);
      let next = known(id);
      await jobs.change(id, (now) => {
        if (!now) throw new Failure("conflict", `the job ${id} was removed meanwhile`);
        next = { ...patched(now, patch), updatedAtMs: clock.now() };
        const isTimed = patch.schedule !== undefined || patch.enabled !== undefined;
        next = isTimed ? timed(withState(next, { consecutiveErrors: undefined })) : next;
        return next;
      });
      tell(next, "updated");
      arm();
      return next;
    },
    async remove(id) {
      const job = jobs.all.get(id);
      if (!job) return false;
      await jobs.change(id, () => undefined);
      await runLog.forget(id);
      tell(job, "removed");
      arm();
      return true;
    },
    async run(id, mode) {
      const job = known(id);
      if (running.has(id)) return { begun: false, reason: "already-running" };
      const isDue = job.enabled && (job.state.nextRunAtMs ?? Infinity) <= clock.now();
      if (mode === "due" && !isDue) return { begun: false, reason: "not-due" };
      const { runId, written } = begin(job, isDue ? (job.state.nextRunAtMs ?? clock.now()) : clock.now());
      await written;
      return { begun: true, runId };
    },
    async runs(id) {
      if (id !== undefined) return runLog.read(known(id).id);
      const all = await Promise.all([...jobs.all.keys()].map((each) => runLog.read(each)));
      return all.flat().sort((a, b) => b.ts - a.ts);
    },
    running: () =>
      [...running].flatMap(([id, { runId, startedAt }]) => {
        const job = jobs.all.get(id);
        return job ? [{ job, runId, startedAt }] : [];
      }),
    get enabled() {
      return options.stopped() === undefined;
    },
    async refresh() {
      await jobs.reload();
      await recover();
      arm();
    },
    async close() {
      ending.abort();
      cancel();
      await Promise.all([...running.values()].map(({ done }) => done));
    },
  };
}

/** Names a run by what it was due for: the same one is never accepted twice (the journal of turns knows it). */
function runIdOf({ id }: Job, dueAt: number): string {
  return `cron:${id}:${dueAt}`;
}

function missed(lateMs: number): Carried {
  const hours = Math.round(lateMs / 3600_000);
  return { status: "skipped", error: `it was due ${hours} h ago, while the gateway did not run` };
}

/** The job when a run of it has ended; undefined when it is done with. */
function jobAfter(
  job: Job,
  { status, error, retryable = false, deliveryStatus }: Carried,
  { now, runAtMs, durationMs }: { now: number; runAtMs: number; durationMs: number },
): Job | undefined {
  const isOnce = job.schedule.kind === "at";
  if (isOnce && status === "ok" && job.deleteAfterRun) return undefined;
  const consecutiveErrors = status === "error" ? (job.state.consecutiveErrors ?? 0) + 1 : 0;
  const retryAt = now + (BACKOFF_MS[Math.min(consecutiveErrors, BACKOFF_MS.length) - 1] ?? 0);
  const isTriedAgain = status === "error" && (!isOnce || (retryable && consecutiveErrors <= MOST_RETRIES));
  const { nextRunAtMs } = job.state;
  const natural = isOnce ? undefined : nextRunAtMs;
  return withState(isOnce && !isTriedAgain ? { ...job, enabled: false } : job, {
    runningAtMs: undefined,
    runningDueAtMs: undefined,
    nextRunAtMs: isTriedAgain ? Math.max(natural ?? 0, retryAt) : natural,
    lastRunAtMs: runAtMs,
    lastRunStatus: status,
    lastStatus: status,
    lastError: error,
    lastDurationMs: durationMs,
    consecutiveErrors,
    lastDeliveryStatus: deliveryStatus,
  });
}

function withState(job: Job, changes: Partial<JobState>): Job {
  const state = Object.entries({ ...job.state, ...changes }).filter(([, value]) => value !== undefined);
  return { ...job, state: Object.fromEntries(state) };
}

function isKnown(schedule: Job["schedule"]): schedule is Job["schedule"] & Schedule {
  return schedule.kind === "at" || schedule.kind === "every" || schedule.kind === "cron";
}

function byNext(a: Job, b: Job): number {
  return (a.state.nextRunAtMs ?? Infinity) - (b.state.nextRunAtMs ?? Infinity) || a.name.localeCompare(b.name);
}
