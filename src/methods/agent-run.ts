import * as v from "valibot";
import { limited } from "../agent/interrupt.ts";
import { agentsOf } from "../agent/roster.ts";
import type { RunOutcome } from "../agent/runner.ts";
import type { App } from "../app.ts";
import { addressOf, mainKeyOf, requireAgent, type Address } from "../flow/address.ts";
import { answerId } from "../flow/answers.ts";
import { originOf } from "../flow/chat-input.ts";
import { contentOf } from "../flow/content.ts";
import { agentParam, attachmentsParam, countParam, keyParam, runIdParam, textParam } from "../flow/params.ts";
import { lastChat } from "../flow/reply.ts";
import { allowedModel, thinkingOf } from "../flow/session-patch.ts";
import type { RunState } from "../flow/turns.ts";
import { Failure } from "../kit/error.ts";
import type { Usage } from "../session/message.ts";
import { routeOf } from "../session/route.ts";
import { method } from "./method.ts";

/** The longest that a timer can be set to. */
const maxWait = 2_147_483_647;

const params = v.object({
  message: v.pipe(textParam, v.description("Given to the model as it is.")),
  agentId: agentParam,
  sessionKey: v.optional(keyParam),
  sessionId: v.pipe(v.optional(v.pipe(textParam, v.maxLength(128))), v.description("The session, by its id.")),
  expectedExistingSessionId: v.pipe(
    v.optional(textParam),
    v.description("Refused when the session is another one by now."),
  ),
  channel: v.pipe(v.optional(textParam), v.description("The chat network that `to` or `groupId` is of.")),
  accountId: v.pipe(v.optional(textParam), v.description("Which account of the chat network.")),
  to: v.pipe(v.optional(textParam), v.description("A person: the session that messages of theirs belong to.")),
  groupId: v.pipe(v.optional(textParam), v.description("A group: its session.")),
  threadId: v.pipe(v.optional(textParam), v.description("The thread of the group or person.")),
  model: v.pipe(v.optional(textParam), v.description("For this run alone.")),
  provider: v.pipe(v.optional(textParam), v.description("The provider of `model`, where that does not say.")),
  thinking: v.pipe(v.optional(v.string()), v.description("How hard the model is to think, for this run alone.")),
  deliver: v.optional(v.boolean(), false),
  attachments: v.pipe(v.optional(attachmentsParam), v.description("Pictures.")),
  timeout: v.pipe(
    v.optional(countParam),
    v.description("Seconds until the run is ended; 0 for agents.defaults.timeoutSeconds."),
  ),
  extraSystemPrompt: v.pipe(
    v.optional(v.pipe(v.string(), v.maxLength(100_000))),
    v.description("Words for the system prompt; an administrator's to give."),
  ),
  promptMode: v.pipe(
    v.optional(v.picklist(["full", "minimal", "none"])),
    v.description("How much of the system prompt is given; less than full is an administrator's to ask."),
  ),
  idempotencyKey: runIdParam,
});
type Params = v.InferOutput<typeof params>;

export const agentRunMethods = [
  method({
    name: "agent",
    scope: (given) => (isReset(given.message) || instructs(given) ? "operator.admin" : "operator.write"),
    summary: "Gives a message to an agent: answers `accepted` at once, and again when the run is over.",
    params: () => params,
    result: () =>
      v.looseObject({
        runId: v.string(),
        status: v.picklist(["in_flight", "ok", "timeout"]),
        summary: v.optional(v.string()),
      }),
    async run({ app, caller, params, signal, accept }) {
      const { idempotencyKey: runId, message } = params;
      const { key: sessionKey, agentId } = sessionOf(app, params);
      const where = { runId, sessionKey, agentId };
      const row = app.sessions.get(sessionKey);
      const { expectedExistingSessionId: expected } = params;
      if (expected !== undefined && row?.sessionId !== expected && !app.turns.run(runId)) {
        throw new Failure("conflict", `${sessionKey} is another conversation now: ${row?.sessionId ?? "none"}`);
      }
      const accepted = await app.turns.accept({
        ...where,
        content: await contentOf(app, message, params.attachments),
        commands: isReset(message),
        origin: originOf(caller),
        thinking: thinkingOf(params.thinking),
        model: modelOf(app, params),
        timeoutMs: params.timeout ? Math.min(params.timeout * 1000, maxWait) : undefined,
        extraSystemPrompt: params.extraSystemPrompt,
        promptMode: params.promptMode,
        reply: params.deliver ? lastChat(row ?? {}) : undefined,
      });
      if (accepted.status === "in_flight") return { status: "in_flight" as const, ...where };
      if (accepted.status === "started") accept({ ...where, status: "accepted", acceptedAt: app.clock.now() });
      const state = await app.turns.wait(runId, maxWait, signal);
      const delivered = params.deliver ? await deliveredOf(app, state, signal) : {};
      return { runId, ...finalOf(app, state, delivered) };
    },
  }),
  method({
    name: "agent.wait",
    scope: "operator.write",
    summary: "Waits until a run is over, and says how it ended; `timeout` when it did not in time.",
    params: () =>
      v.object({
        runId: runIdParam,
        timeoutMs: v.pipe(v.optional(countParam, 30_000), v.description("Longest wait in milliseconds.")),
      }),
    result: () => v.looseObject({ runId: v.string(), status: v.picklist(["ok", "error", "timeout"]) }),
    async run({ app, params: { runId, timeoutMs }, signal }) {
      const state = await app.turns.wait(runId, Math.min(timeoutMs, maxWait), signal);
      return { runId, ...endOf(state) };
    },
  }),
] as const;

/** Beginning a conversation anew loses the old one's context: an admin's to do, by whatever door (threat F). */
function isReset(message: string): boolean {
  return /^\/(new|reset)(\s|:|$)/i.test(message.trim());
}

/** What stands in the system prompt is the owner's to say, and so is what is left out of it. */
function instructs({ extraSystemPrompt = "", promptMode = "full" }: Params): boolean {
  return extraSystemPrompt.trim() !== "" || promptMode !== "full";
}

/** The session that is meant: by its key, by its id, by whom it is talked with, else the agent's main one. */
function sessionOf(app: App, params: Params): Address {
  const { agentId, sessionKey, sessionId } = params;
  if (agentId !== undefined && !isAgent(app, agentId)) {
    throw new Failure("invalid-request", `invalid agent params: unknown agent id "${agentId}"`);
  }
  const address = routed(app, params) ?? written(app, { agentId, sessionKey, sessionId });
  requireAgent(app, address.agentId);
  return address;
}

/** The session that a message from this person or group would belong to. */
function routed(app: App, params: Params): Address | undefined {
  const { agentId, sessionKey, sessionId, channel = "webchat", accountId, to, groupId, threadId } = params;
  const id = groupId ?? to;
  if (sessionKey !== undefined || sessionId !== undefined || id === undefined) return undefined;
  const { session, bindings } = app.config.current().value;
  const [first, ...others] = agentsOf(app.config.current().value).map((agent) => agent.id);
  const route = routeOf(
    {
      channel: channel.toLowerCase(),
      accountId,
      peer: { kind: groupId === undefined ? "direct" : "group", id },
      thread: threadId === undefined ? undefined : { kind: "thread", id: threadId },
    },
    // An agent that was named answers, whatever is bound to the chat.
    agentId === undefined
      ? { session, bindings, agents: [first ?? "main", ...others] }
      : { session, bindings: undefined, agents: [agentId] },
  );
  return { key: route.sessionKey, agentId: route.agentId };
}

function written(app: App, { agentId, sessionKey, sessionId }: Partial<Params>): Address {
  if (sessionKey !== undefined) return addressOf(app, sessionKey, agentId);
  const id = agentId ?? agentsOf(app.config.current().value)[0].id;
  const known = sessionId === undefined ? undefined : app.sessions.bySessionId(sessionId);
  if (known && (agentId === undefined || known.agentId.toLowerCase() === agentId.toLowerCase())) return known;
  return addressOf(app, sessionId === undefined ? mainKeyOf(app, id) : `explicit:${sessionId}`, id);
}

function isAgent({ config }: App, id: string): boolean {
  return agentsOf(config.current().value).some((agent) => agent.id.toLowerCase() === id.toLowerCase());
}

function modelOf(app: App, { model, provider }: Params): string | undefined {
  if (model === undefined) return undefined;
  const spec = allowedModel(app, provider === undefined ? model : `${provider}/${model}`);
  return `${spec.provider}/${spec.id}`;
}

/** What the second response says; a run that failed is a failed response. */
function finalOf(app: App, state: RunState | undefined, delivered: object) {
  if (!state || state.status === "pending") return { status: "timeout" as const, summary: "still running" };
  const { status, outcome, error } = state;
  if (status === "error") throw error ?? new Failure("failed", "the run failed");
  if (status === "aborted") return { status: "timeout" as const, summary: "aborted", stopReason: "rpc" };
  if (status === "timeout") return { status: "timeout" as const, summary: "timed out", stopReason: "timeout" };
  return {
    status: "ok" as const,
    summary: "completed",
    ...(outcome ? { result: { ...resultOf(app, state, outcome), ...delivered } } : {}),
  };
}

function resultOf({ sessions }: App, state: RunState, outcome: RunOutcome) {
  const { startedAt = state.acceptedAt, endedAt = startedAt, sessionKey } = state;
  const { provider, model, stopReason, payloads, promptReport } = outcome;
  return {
    payloads: payloads.map(({ text }) => ({ text, mediaUrl: null })),
    meta: {
      durationMs: Math.max(0, endedAt - startedAt),
      agentMeta: {
        sessionId: sessions.get(sessionKey)?.sessionId ?? "",
        provider,
        model,
        usage: totals(outcome.usage),
      },
      aborted: false,
      stopReason,
      ...(promptReport ? { systemPromptReport: promptReport } : {}),
    },
  };
}

/** What became of the answer on its way to the chat that spoke last in the session. */
async function deliveredOf(app: App, state: RunState | undefined, parent: AbortSignal) {
  if (!state || state.status !== "ok") return {};
  if (!lastChat(app.sessions.get(state.sessionKey) ?? {})) return undelivered("channel_resolved_to_internal");
  const expired = (): Failure => new Failure("timeout", "it is not sent yet, and will be when the network takes it");
  const limit = limited(app.clock, parent, { ms: deliverMs, expired });
  try {
    await app.outbox.sent(answerId(state.mergedInto ?? state.runId), limit.signal);
    const deliveryStatus = { requested: true, attempted: true, status: "sent", succeeded: true };
    return { deliverySucceeded: true, deliveryStatus };
  } catch (error) {
    const { code, message } = Failure.from(error).shown();
    // A silent answer is not sent.
    return code === "not-found" ? undelivered("nothing_to_send") : undelivered(message, { attempted: true });
  } finally {
    limit.dispose();
  }
}

const deliverMs = 30_000;

function undelivered(reason: string, { attempted = false } = {}) {
  const deliveryStatus = { requested: true, attempted, status: "failed", succeeded: false, error: true, reason };
  return { deliverySucceeded: false, deliveryStatus };
}

function totals({ input, output, cacheRead, cacheWrite, totalTokens: total, cost }: Usage) {
  return { input, output, cacheRead, cacheWrite, total, cost: { total: cost.total } };
}

function endOf(state: RunState | undefined) {
  if (!state || state.status === "pending") return { status: "timeout" as const };
  const { status, outcome, error, startedAt, endedAt } = state;
  const times = {
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(endedAt === undefined ? {} : { endedAt }),
  };
  if (status === "error") return { status, ...times, stopReason: "error", error: error?.message ?? "the run failed" };
  if (status !== "ok")
    return { status: "timeout" as const, ...times, stopReason: status === "aborted" ? "rpc" : status };
  const text = outcome?.payloads.map((payload) => payload.text).join("\n\n") ?? "";
  return {
    status,
    ...times,
    stopReason: outcome?.stopReason ?? "stop",
    terminalReply: text === "" ? { disposition: "silent" } : { disposition: "visible", text },
  };
}
