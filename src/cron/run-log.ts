import * as v from "valibot";
import { parseJson } from "../kit/json.ts";
import type { Store } from "../store/store.ts";

/** What became of a run, as `cron.runs` answers it. */
const entrySchema = v.object({
  ts: v.number(),
  jobId: v.string(),
  action: v.literal("finished"),
  status: v.picklist(["ok", "error", "skipped"]),
  error: v.optional(v.string()),
  summary: v.optional(v.string()),
  deliveryStatus: v.optional(v.picklist(["delivered", "not-delivered", "unknown", "not-requested"])),
  deliveryError: v.optional(v.string()),
  sessionId: v.optional(v.string()),
  sessionKey: v.optional(v.string()),
  runId: v.optional(v.string()),
  runAtMs: v.optional(v.number()),
  durationMs: v.optional(v.number()),
  nextRunAtMs: v.optional(v.number()),
  jobName: v.optional(v.string()),
});

export type CronRun = v.InferOutput<typeof entrySchema>;

/** The runs of each job, in `cron/runs/<jobId>.jsonl`; the newest are kept. */
export interface RunLog {
  /** Resolves when it is on the disk; the same run again changes nothing. */
  add(run: CronRun): Promise<void>;
  /** Newest first. */
  read(jobId: string): Promise<readonly CronRun[]>;
  forget(jobId: string): Promise<void>;
}

/** Runs kept of a job. */
export const MOST_RUNS = 200;

export function createRunLog(store: Store): RunLog {
  const keyOf = (jobId: string): string => `cron/runs/${jobId}.jsonl`;
  return {
    add: (run) =>
      // As a whole rather than appended to: the file stays small, and a line that was torn does not stay in it.
      store.change(keyOf(run.jobId), (old) => {
        const known = runsIn(old);
        if (run.runId !== undefined && known.some(({ runId }) => runId === run.runId)) return old;
        return [...known, run]
          .slice(-MOST_RUNS)
          .map((each) => `${JSON.stringify(each)}\n`)
          .join("");
      }),
    read: async (jobId) => runsIn(await store.read(keyOf(jobId))).toReversed(),
    forget: (jobId) => store.change(keyOf(jobId), () => undefined),
  };
}

/** The runs in a file; lines that make no sense are passed over. */
function runsIn(text: string | undefined): CronRun[] {
  return (text ?? "").split("\n").flatMap((line) => {
    const parsed = v.safeParse(entrySchema, parseJson(line));
    return parsed.success ? [parsed.output] : [];
  });
}
