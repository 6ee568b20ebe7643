import * as v from "valibot";
import { isObject } from "../kit/json.ts";

const count = v.pipe(v.number(), v.integer(), v.minValue(0));

/** When a job runs, as it is kept; kinds that this gateway cannot keep are kept in the file, and never due. */
const schedule = v.variant("kind", [
  v.looseObject({ kind: v.literal("at"), at: v.string() }),
  v.looseObject({ kind: v.literal("every"), everyMs: v.number(), anchorMs: v.optional(v.number()) }),
  v.looseObject({ kind: v.literal("cron"), expr: v.string(), tz: v.optional(v.string()) }),
  v.looseObject({ kind: v.picklist(["on-exit", "stream"]) }),
]);

const payload = v.variant("kind", [
  v.looseObject({ kind: v.literal("systemEvent"), text: v.string() }),
  v.looseObject({
    kind: v.literal("agentTurn"),
    message: v.string(),
    model: v.optional(v.string()),
    thinking: v.optional(v.string()),
    timeoutSeconds: v.optional(v.number()),
  }),
  v.looseObject({ kind: v.picklist(["command", "script", "heartbeat", "skillCollectionReview"]) }),
]);

const deliveryFields = {
  mode: v.picklist(["none", "announce", "webhook"]),
  channel: v.optional(v.string()),
  to: v.optional(v.string()),
  accountId: v.optional(v.string()),
  threadId: v.optional(v.union([v.string(), v.number()])),
  bestEffort: v.optional(v.boolean()),
};

const status = v.picklist(["ok", "error", "skipped"]);

const stateFields = {
  nextRunAtMs: v.optional(count),
  /** It was begun and its end is not known; what it was due for names the run. */
  runningAtMs: v.optional(count),
  runningDueAtMs: v.optional(count),
  lastRunAtMs: v.optional(count),
  lastRunStatus: v.optional(status),
  lastStatus: v.optional(status),
  lastError: v.optional(v.string()),
  lastDurationMs: v.optional(count),
  consecutiveErrors: v.optional(count),
  lastDeliveryStatus: v.optional(v.picklist(["delivered", "not-delivered", "unknown", "not-requested"])),
};

const jobFields = {
  id: v.string(),
  name: v.string(),
  description: v.optional(v.string()),
  agentId: v.optional(v.string()),
  /** The session that made it, and that is told where there is no chat to send to. */
  sessionKey: v.optional(v.string()),
  enabled: v.optional(v.boolean(), true),
  deleteAfterRun: v.optional(v.boolean()),
  createdAtMs: v.optional(count, 0),
  updatedAtMs: v.optional(count, 0),
  schedule,
  sessionTarget: v.optional(v.string(), "main"),
  wakeMode: v.optional(v.picklist(["now", "next-heartbeat"]), "now"),
  payload,
  delivery: v.optional(v.looseObject(deliveryFields)),
  state: v.optional(v.looseObject(stateFields), {}),
};

/** A scheduled job as `cron/jobs.json` has it: the reference's format, older spellings included. */
export const storedJob = v.pipe(
  v.looseObject({ id: v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/)) }),
  v.transform(modern),
  v.looseObject(jobFields),
);

/** A job as far as it is known; keys that others put into it stay. */
export type Job = Fields<typeof jobFields>;
export type JobState = Fields<typeof stateFields>;
export type Delivery = Fields<typeof deliveryFields>;
type Fields<E extends v.ObjectEntries> = v.InferOutput<v.ObjectSchema<E, undefined>>;
/** A job without what the gateway itself makes of it. */
export type NewJob = Omit<Job, "id" | "createdAtMs" | "updatedAtMs" | "state">;

/** What clients are shown of a job: the keys that the protocol has for one. */
export function publicJob(job: Job): { readonly id: string } & Record<string, unknown> {
  const { state } = job;
  const shown = Object.fromEntries(Object.entries(job).filter(([key]) => publicKeys.has(key)));
  return {
    ...shown,
    id: job.id,
    state: Object.fromEntries(Object.entries(state).filter(([key]) => publicState.has(key))),
    ...(state.nextRunAtMs === undefined ? {} : { nextRunAtMs: state.nextRunAtMs }),
    ...(state.lastRunAtMs === undefined ? {} : { lastRunAtMs: state.lastRunAtMs }),
    ...(state.lastRunStatus === undefined ? {} : { lastRunStatus: state.lastRunStatus }),
    ...(state.lastError === undefined ? {} : { lastRunError: state.lastError }),
  };
}

const publicKeys: ReadonlySet<string> = new Set(
  (
    "id declarationKey displayName owner agentId sessionKey name description enabled deleteAfterRun createdAtMs " +
    "updatedAtMs schedule sessionTarget wakeMode payload delivery"
  ).split(" "),
);

const publicState: ReadonlySet<string> = new Set(
  (
    "nextRunAtMs runningAtMs lastRunAtMs lastRunStatus lastStatus lastError lastDurationMs consecutiveErrors " +
    "lastDeliveryStatus"
  ).split(" "),
);

/** A job in today's spelling: a moment as a text, and where the answer goes beside the payload. */
function modern(job: Record<string, unknown> & { id: string }): Record<string, unknown> {
  const { schedule: when, payload: what } = job;
  const { atMs, ...time } = isObject(when) ? when : {};
  const at = typeof atMs === "number" && Math.abs(atMs) <= 8.64e15 ? { at: new Date(atMs).toISOString() } : {};
  const { deliver, channel, to, bestEffortDeliver, ...plain } = isObject(what) ? what : {};
  const isOld = plain["kind"] === "agentTurn" && [deliver, channel, to].some((value) => value !== undefined);
  const where = Object.entries({ channel, to, bestEffort: bestEffortDeliver }).filter(
    ([, value]) => value !== undefined,
  );
  const told = deliver === false ? { mode: "none" } : { mode: "announce", ...Object.fromEntries(where) };
  return {
    ...job,
    name: typeof job["name"] === "string" && job["name"].trim() !== "" ? job["name"] : job.id,
    schedule: { ...time, ...at },
    payload: isOld ? plain : what,
    ...(isOld && job["delivery"] === undefined ? { delivery: told } : {}),
  };
}
