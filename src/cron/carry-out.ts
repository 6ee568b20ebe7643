import type { RunState } from "../flow/turns.ts";
import { Failure } from "../kit/error.ts";
import { keyPart } from "../session/key.ts";
import { textOf } from "../session/message.ts";
import { thinkingLevels, type ThinkingLevel } from "../providers/provider.ts";
import type { CronOptions } from "./cron.ts";
import type { Job } from "./job.ts";
import type { CronRun } from "./run-log.ts";

/** How a run of a job ended. */
export type Carried = Pick<
  CronRun,
  "status" | "error" | "summary" | "deliveryStatus" | "deliveryError" | "sessionId" | "sessionKey"
> & {
  /** It may go well another time. */
  readonly retryable?: boolean;
};

export interface CarryOptions extends CronOptions {
  readonly runId: string;
  /** The gateway ends. */
  readonly signal: AbortSignal;
}

/**
 * Does what a job is for, once: another call for the same run goes on where a crash ended the first. Undefined when the
 * gateway ends before the job does. Never rejects.
 */
export async function carryOut(job: Job, options: CarryOptions): Promise<Carried | undefined> {
  try {
    const { payload } = job;
    if (payload.kind === "systemEvent") return await tellMain(job, payload.text, options);
    if (payload.kind === "agentTurn") return await ask(job, payload, options);
    throw new Failure("invalid-request", `this gateway runs no jobs of the kind ${payload.kind}`);
  } catch (error) {
    if (options.signal.aborted) return undefined;
    const { message, retryable } = Failure.from(error).shown();
    return { status: "error", error: message, retryable };
  }
}

async function tellMain(job: Job, text: string, options: CarryOptions): Promise<Carried> {
  const { runId, events } = options;
  const { mainKey } = options.agentOf(job.agentId);
  const now = job.wakeMode === "now";
  await events.add({ id: runId, sessionKey: mainKey, text, now });
  if (now) options.wake(mainKey);
  return { status: "ok", summary: text.slice(0, SUMMARY), sessionKey: mainKey, deliveryStatus: "not-requested" };
}

async function ask(
  job: Job,
  payload: Extract<Job["payload"], { kind: "agentTurn" }>,
  options: CarryOptions,
): Promise<Carried | undefined> {
  const { runId, turns, sessions, signal } = options;
  const { agentId, mainKey } = options.agentOf(job.agentId);
  const sessionKey = `agent:${agentId.toLowerCase()}:cron:${keyPart(job.id)}`;
  const { mode } = job.delivery ?? { mode: "announce" };
  const reply = mode === "announce" ? options.replyTo(job.delivery ?? { mode }, job.sessionKey ?? mainKey) : undefined;
  // Each run begins with nothing said; one that a crash cut off keeps what it has.
  if (!turns.run(runId) && sessions.get(sessionKey))
    await turns.exclusive(sessionKey, () => sessions.reset(sessionKey, "cron"));
  await turns.accept({
    runId,
    sessionKey,
    agentId,
    content: [{ type: "text", text: `[cron:${job.id} ${job.name}] ${payload.message}` }],
    commands: false,
    // What a person may do who chats, and no more: a job is no way to more than whoever made it had (threat F).
    origin: { channel: "cron", sender: job.id, scopes: ["operator.read", "operator.write"] },
    queueMode: "followup",
    ...(reply ? { reply } : {}),
    ...(payload.model === undefined ? {} : { model: payload.model }),
    ...(payload.thinking === undefined ? {} : { thinking: levelOf(payload.thinking) }),
    ...(payload.timeoutSeconds === undefined ? {} : { timeoutMs: Math.round(payload.timeoutSeconds * 1000) }),
  });
  const state = await turns.wait(runId, undefined, signal);
  if (signal.aborted) return undefined;
  if (!state) throw new Failure("failed", "nothing is known any more of how the run ended");
  const sessionId = sessions.get(sessionKey)?.sessionId;
  const where = { sessionKey, ...(sessionId === undefined ? {} : { sessionId }) };
  const text = await answerOf(state, options);
  if (state.status !== "ok") {
    const error = state.error?.shown();
    return {
      status: "error",
      error: error?.message ?? `the run ended with ${state.status}`,
      retryable: error?.retryable === true,
      ...where,
    };
  }
  const summary = text === "" ? {} : { summary: text.slice(0, SUMMARY) };
  if (mode !== "announce" || text === "")
    return { status: "ok", ...summary, deliveryStatus: "not-requested", ...where };
  // What was planned with the answer is on its way by itself.
  if (reply) return { status: "ok", ...summary, deliveryStatus: "unknown", ...where };
  await announceTo(job.sessionKey ?? mainKey, `Cron (${job.name}): ${text.slice(0, ANNOUNCED)}`, options);
  const deliveryError = "there is no chat to send it to: it was told in the session";
  return { status: "ok", ...summary, deliveryStatus: "not-delivered", deliveryError, ...where };
}

const SUMMARY = 2000;
/** Characters of an answer that another session is told. */
const ANNOUNCED = 8000;
/** Newest entries of a conversation among which an announcement is looked for. */
const LOOK_BACK = 40;

function levelOf(text: string): ThinkingLevel {
  const level = thinkingLevels.find((each) => each === text.toLowerCase());
  if (level) return level;
  throw new Failure("invalid-request", `payload.thinking is ${text}: write one of ${thinkingLevels.join(", ")}`);
}

/** The answer's text: from the run, or after a restart from the conversation. */
async function answerOf({ outcome, runId, sessionKey }: RunState, { sessions }: CarryOptions): Promise<string> {
  if (outcome)
    return outcome.payloads
      .map(({ text }) => text)
      .join("\n\n")
      .trim();
  const row = sessions.get(sessionKey);
  const entries = row ? await sessions.transcript(row).after(0) : [];
  const said = entries.flatMap((entry) =>
    entry.type === "message" && entry.runId === runId && entry.message.role === "assistant" ? [entry.message] : [],
  );
  const last = said.at(-1);
  return last ? textOf(last).trim() : "";
}

/** Writes into another conversation, once. */
async function announceTo(sessionKey: string, text: string, { runId, turns, sessions }: CarryOptions): Promise<void> {
  const told = `${runId}:told`;
  const row = sessions.get(sessionKey);
  const transcript = row && sessions.transcript(row);
  const since = transcript ? await transcript.after(Math.max(0, (await transcript.last()) - LOOK_BACK)) : [];
  if (since.some((entry) => entry.type === "message" && entry.runId === told)) return;
  await turns.inject({ sessionKey, text, runId: told });
}
