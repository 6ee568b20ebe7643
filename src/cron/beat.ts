import type { Outbox } from "../flow/outbox.ts";
import type { RunState, Turns } from "../flow/turns.ts";
import type { Clock } from "../host/host.ts";
import { Failure } from "../kit/error.ts";
import { uuid } from "../kit/ids.ts";
import { firstWords } from "../session/words.ts";
import type { Sessions } from "../session/sessions.ts";
import { replyOf } from "./delivery.ts";
import { asksNothing, isActive, withoutAck } from "./heartbeat-rules.ts";
import type { HeartbeatSettings } from "./heartbeat-settings.ts";
import type { SystemEvents } from "./system-events.ts";

export interface BeatOptions {
  readonly clock: Clock;
  readonly turns: Pick<Turns, "accept" | "active" | "pending" | "run" | "wait">;
  readonly sessions: Pick<Sessions, "get" | "note">;
  readonly events: Pick<SystemEvents, "waiting">;
  readonly outbox: Pick<Outbox, "plan">;
  readonly settings: HeartbeatSettings;
  /** The full key. */
  readonly sessionKey: string;
  /** It is made for what waits to be told, rather than because it is time. */
  readonly woken: boolean;
  /** The person's. */
  readonly timeZone: string;
  /** HEARTBEAT.md; undefined where there is none. */
  checklist(): Promise<string | undefined>;
  /** The gateway ends. */
  readonly signal: AbortSignal;
}

/** What a heartbeat came to, as clients are told (protocol.md 7). */
export interface HeartbeatNews {
  readonly status: "sent" | "ok-empty" | "ok-token" | "skipped" | "failed";
  readonly reason?: string;
  readonly preview?: string;
  readonly message?: string;
  readonly channel?: string;
}

/** Has an agent look after things once, unless there is nothing to look after, and sends what it has to say. */
export async function beat(options: BeatOptions): Promise<HeartbeatNews> {
  const { settings, sessionKey, turns, sessions, signal } = options;
  if (turns.active(sessionKey) || turns.pending(sessionKey).length > 0)
    return { status: "skipped", reason: "requests-in-flight" };
  const isWaitedFor = options.events.waiting.some((event) => event.sessionKey === sessionKey);
  if (!isWaitedFor) {
    if (options.woken) return { status: "skipped", reason: "no-events" };
    const why = await idle(options);
    if (why) return { status: "skipped", reason: why };
  }
  const runId = `heartbeat-${uuid()}`;
  const before = sessions.get(sessionKey)?.lastInteractionAt;
  await turns.accept({
    runId,
    sessionKey,
    agentId: settings.agentId,
    content: [{ type: "text", text: options.woken ? EVENTS_PROMPT : settings.prompt }],
    commands: false,
    origin: { channel: "heartbeat", sender: "heartbeat", scopes: ["operator.read", "operator.write"] },
    queueMode: "followup",
    ...(settings.model === undefined ? {} : { model: settings.model }),
  });
  const state = await turns.wait(runId, undefined, signal);
  if (signal.aborted || !state) return { status: "skipped", reason: "shutdown" };
  // A session is kept alive by people alone.
  const row = sessions.get(sessionKey);
  if (row?.lastInteractionAt === state.acceptedAt) sessions.note(sessionKey, { lastInteractionAt: before });
  if (state.status !== "ok")
    return { status: "failed", reason: (state.error ?? new Failure("failed", state.status)).shown().message };
  // The built-in echo stands in where no model can be asked: it says back what it was asked.
  if (state.outcome?.provider === "clawlet") return { status: "skipped", reason: "no-model" };
  return tell(runId, textOf(state), options);
}

const EVENTS_PROMPT =
  "Tell the person what they need to know of this, or do what it is a reminder of. " +
  "If nothing of it needs attention, answer HEARTBEAT_OK.";
const PREVIEW = 200;

/** Why there is nothing to look after now. */
async function idle(options: BeatOptions): Promise<string | undefined> {
  const { settings, clock, timeZone } = options;
  if (!isActive(settings.activeHours, clock.now(), timeZone)) return "quiet-hours";
  const text = await options.checklist();
  return text !== undefined && asksNothing(text) ? "empty-heartbeat-file" : undefined;
}

function textOf({ outcome }: RunState): string {
  return (outcome?.payloads ?? []).map(({ text }) => text).join("\n\n");
}

async function tell(runId: string, said: string, options: BeatOptions): Promise<HeartbeatNews> {
  const { settings, sessionKey, sessions, outbox } = options;
  const text = withoutAck(said, settings.ackMaxChars);
  if (text === "") return { status: said.trim() === "" ? "ok-empty" : "ok-token" };
  const preview = firstWords(text, PREVIEW);
  const { target, to } = settings;
  if (target === "none") return { status: "skipped", reason: "target-none", preview };
  const reply = replyOf({ channel: target, to }, sessions.get(sessionKey));
  if (!reply) return { status: "skipped", reason: "no-route", preview, message: NO_ROUTE };
  await outbox.plan({ id: runId, to: reply, text, sessionKey });
  return { status: "sent", preview, channel: reply.channel };
}

const NO_ROUTE =
  "A heartbeat has no chat to be sent to yet: write to the agent in one, or set agents.defaults.heartbeat.target.";
