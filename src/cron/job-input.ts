import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import { thinkingLevels } from "../providers/provider.ts";
import type { Delivery, Job, NewJob } from "./job.ts";

const name = v.pipe(v.string(), v.trim(), v.nonEmpty("a name"), v.maxLength(200));
const words = v.pipe(v.string(), v.nonEmpty(), v.maxLength(20_000));
const short = v.pipe(v.string(), v.trim(), v.nonEmpty(), v.maxLength(512));

/** When a job is to run, as clients and models write it; what the words mean is checked where the job is made. */
export const scheduleParam = v.variant("kind", [
  v.object({
    kind: v.literal("at"),
    at: v.pipe(short, v.description("A moment such as 2026-12-24T18:00:00Z; without a zone it is UTC.")),
  }),
  v.object({
    kind: v.literal("every"),
    everyMs: v.pipe(v.number(), v.integer(), v.minValue(1), v.description("Milliseconds, at least 1000.")),
    anchorMs: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
  }),
  v.object({
    kind: v.literal("cron"),
    expr: v.pipe(
      short,
      v.description("minute hour day month weekday, or six fields with seconds first, such as 0 9 * * 1-5."),
    ),
    tz: v.pipe(
      v.optional(short),
      v.description("The time zone, such as Europe/Vienna; the gateway's own when left out."),
    ),
  }),
]);

const seconds = v.pipe(v.number(), v.minValue(1), v.maxValue(86_400));

/** What a job does. */
export const payloadParam = v.variant("kind", [
  v.object({
    kind: v.literal("systemEvent"),
    text: v.pipe(words, v.description("What the main session is told.")),
  }),
  v.object({
    kind: v.literal("agentTurn"),
    message: v.pipe(words, v.description("What the agent is asked in a session of the job's own.")),
    model: v.optional(short),
    thinking: v.optional(v.picklist(thinkingLevels)),
    timeoutSeconds: v.optional(seconds),
  }),
]);

/** Where the answer of a job's own session goes. */
export const deliveryParam = v.object({
  mode: v.pipe(
    v.picklist(["none", "announce"]),
    v.description("announce sends the answer to a chat, or tells the main session where there is none."),
  ),
  channel: v.pipe(v.optional(short), v.description("The chat network; last is where the main session last spoke.")),
  to: v.pipe(v.optional(short), v.description("Whom there; with last it is left out.")),
  accountId: v.optional(short),
  threadId: v.optional(v.union([short, v.number()])),
  bestEffort: v.optional(v.boolean()),
});

const target = v.pipe(
  v.picklist(["main", "isolated"]),
  v.description("main is told a systemEvent; isolated answers an agentTurn in a session of its own."),
);
const wakeMode = v.pipe(
  v.picklist(["now", "next-heartbeat"]),
  v.description("Whether the main session is told at once, or with its next turn."),
);
const nullable = <S extends v.GenericSchema>(schema: S) => v.optional(v.nullable(schema));

/** What `cron.add` takes. */
export const jobEntries = {
  name,
  description: v.optional(v.pipe(v.string(), v.maxLength(2000))),
  agentId: nullable(short),
  sessionKey: nullable(short),
  enabled: v.optional(v.boolean()),
  deleteAfterRun: v.pipe(v.optional(v.boolean()), v.description("Gone once it has run; so are jobs of one moment.")),
  schedule: scheduleParam,
  sessionTarget: target,
  wakeMode: v.optional(wakeMode, "now"),
  payload: payloadParam,
  delivery: v.optional(deliveryParam),
} as const;
const jobInput = v.object(jobEntries);
export type JobInput = v.InferOutput<typeof jobInput>;

/** What `cron.update` may change. */
export const jobPatch = v.partial(v.object({ ...jobEntries, wakeMode }));
export type JobPatch = v.InferOutput<typeof jobPatch>;

/** The job that this input makes; throws `invalid-request` for parts that do not go together. */
export function jobOf({ agentId, sessionKey, enabled = true, ...input }: JobInput): NewJob {
  const { kind } = input.schedule;
  const job = {
    ...input,
    ...(agentId ? { agentId } : {}),
    ...(sessionKey ? { sessionKey } : {}),
    enabled,
    deleteAfterRun: input.deleteAfterRun ?? kind === "at",
  };
  checkParts(job);
  return job;
}

/** The job with these changes. Null takes away what a job need not have. */
export function patched(job: Job, { agentId, sessionKey, ...patch }: JobPatch): Job {
  const given = Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined));
  const next: Job = {
    ...job,
    ...given,
    ...(agentId === undefined ? {} : { agentId: agentId ?? undefined }),
    ...(sessionKey === undefined ? {} : { sessionKey: sessionKey ?? undefined }),
  };
  checkParts(next);
  return next;
}

function checkParts({ sessionTarget, payload, delivery }: Pick<Job, "sessionTarget" | "payload" | "delivery">): void {
  const fits = sessionTarget === "main" ? payload.kind === "systemEvent" : payload.kind === "agentTurn";
  if (!fits)
    throw new Failure(
      "invalid-request",
      `sessionTarget is ${sessionTarget} and payload.kind ${payload.kind}: main is told a systemEvent, and isolated answers an agentTurn`,
    );
  if (delivery) checkDelivery(delivery);
}

function checkDelivery({ mode, channel, to }: Delivery): void {
  if (mode !== "announce" || channel === undefined || channel === "last") {
    if (mode === "announce" && to !== undefined)
      throw new Failure("invalid-request", `delivery.to is ${to}, without a network: give delivery.channel too`);
    return;
  }
  if (to === undefined)
    throw new Failure(
      "invalid-request",
      `delivery.channel is ${channel}, and whom to send to is missing: give delivery.to`,
    );
}
