import type { RunEvent } from "../agent/runner.ts";
import type { TurnEvent } from "../flow/turns.ts";
import type { Clock } from "../host/host.ts";
import { Failure } from "../kit/error.ts";
import { isObject } from "../kit/json.ts";
import { childOf, formatTraceparent, parseTraceparent, type TraceContext } from "../kit/trace-context.ts";
import { providerFailureOf } from "../providers/provider-failure.ts";
import type { CallObserver, ModelObserver } from "./observer.ts";
import type { Span } from "./span.ts";

/** Makes spans of what observers are told: request, the turn that came of it, and its requests to models and tools. */
export interface Tracer extends CallObserver, ModelObserver {
  turn(event: TurnEvent): void;
}

export interface TracerOptions {
  readonly clock: Pick<Clock, "now" | "monotonic">;
  /** Whether a trace that begins here is recorded; one that came with a `traceparent` is as its sender says. */
  readonly sampled: () => boolean;
  /** Whether providers learn the trace that their request belongs to. */
  readonly propagate: boolean;
  /** Tools by name: what a model makes up is `unknown`. */
  readonly toolNames: ReadonlySet<string>;
  readonly emit: (span: Span) => void;
}

/** Turns that are followed at once; what comes beyond them is answered all the same, and leaves no trace. */
const maxTurns = 4000;

export function createTracer({ clock, sampled, propagate, toolNames, emit }: TracerOptions): Tracer {
  /** Requests that may become a turn, by the idempotency key, which gives the turn its id. */
  const calls = new Map<string, OpenCall>();
  const turns = new Map<string, OpenTurn>();
  /** The turn that has the session: one at a time. */
  const running = new Map<string, string>();

  /** Begins a span; what it answers ends it. Timed by the clock that never goes back. */
  function begin(context: TraceContext, parentSpanId: string | undefined) {
    const startedAt = clock.now();
    const since = clock.monotonic();
    return (span: Pick<Span, "name" | "kind" | "attributes" | "error">): void => {
      if (!context.sampled) return;
      const { traceId, spanId } = context;
      emit({ traceId, spanId, parentSpanId, startedAt, endedAt: startedAt + clock.monotonic() - since, ...span });
    };
  }

  function beginTurn({ runId, sessionId, agentId }: TurnEvent): OpenTurn | undefined {
    if (turns.size >= maxTurns) return undefined;
    const call = calls.get(runId);
    if (call) call.followed = true;
    const context = childOf(call?.context, sampled);
    const turn = { context, sessionId, agentId, since: clock.monotonic(), end: begin(context, call?.context.spanId) };
    turns.set(runId, turn);
    return turn;
  }

  function endTurn(event: Extract<TurnEvent, { kind: "ended" }>): void {
    const { runId, sessionKey, state } = event;
    if (running.get(sessionKey) === runId) running.delete(sessionKey);
    const turn = turns.get(runId);
    turns.delete(runId);
    const { outcome, status, error } = state;
    turn?.end({
      name: `invoke_agent ${turn.agentId}`,
      kind: "internal",
      attributes: {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.id": turn.agentId,
        "gen_ai.conversation.id": turn.sessionId,
        "gen_ai.provider.name": outcome?.provider || undefined,
        "gen_ai.request.model": outcome?.model || undefined,
        "gen_ai.usage.input_tokens": outcome && inputTokens(outcome.usage),
        "gen_ai.usage.output_tokens": outcome?.usage.output,
        "openclaw.run.status": status,
        "openclaw.run.queued_ms": turn.queuedMs,
        "openclaw.run.merged": state.mergedInto === undefined ? undefined : true,
      },
      error: status === "ok" ? undefined : (error?.code ?? status),
    });
  }

  function tool(turn: OpenTurn, { call, result, startedAt }: Extract<RunEvent, { type: "tool-end" }>): void {
    const { context } = turn;
    if (!context.sampled) return;
    const name = toolNames.has(call.name) ? call.name : "unknown";
    const { traceId, spanId } = childOf(context, sampled);
    emit({
      traceId,
      spanId,
      parentSpanId: context.spanId,
      name: `execute_tool ${name}`,
      kind: "internal",
      startedAt,
      endedAt: clock.now(),
      attributes: { "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name, "gen_ai.tool.type": "function" },
      error: result.isError ? "tool_error" : undefined,
    });
  }

  return {
    called({ method, params, traceparent }) {
      const key = isObject(params) ? params["idempotencyKey"] : undefined;
      const sender = parseTraceparent(traceparent);
      if (typeof key !== "string" && !sender) return undefined;
      const call: OpenCall = { context: childOf(sender, sampled), followed: false };
      if (typeof key === "string") calls.set(key, call);
      const end = begin(call.context, sender?.spanId);
      return (failure) => {
        if (typeof key === "string" && calls.get(key) === call) calls.delete(key);
        // Of the many requests of a page, those are of interest that somebody follows, or that became a turn.
        if (!sender && !call.followed) return;
        const name = method.slice(0, maxName);
        const attributes = { "rpc.system.name": "openclaw", "rpc.method": name };
        end({ name, kind: "server", attributes, error: failure?.code });
      };
    },
    turn(event) {
      if (event.kind === "accepted") beginTurn(event);
      if (event.kind === "started") {
        // After a restart, what was accepted before it begins here.
        const turn = turns.get(event.runId) ?? beginTurn(event);
        if (turn) turn.queuedMs ??= Math.round(clock.monotonic() - turn.since);
        // The first of those that are answered together gave the run its id.
        if (turn && !running.has(event.sessionKey)) running.set(event.sessionKey, event.runId);
      }
      if (event.kind === "progress" && event.event.type === "tool-end") {
        const turn = turns.get(event.runId);
        if (turn) tool(turn, event.event);
      }
      if (event.kind === "ended") endTurn(event);
    },
    asked({ agentId, sessionKey, model }) {
      const parent = turns.get(running.get(sessionKey) ?? "")?.context;
      const context = childOf(parent, sampled);
      const end = begin(context, parent?.spanId);
      return {
        headers: propagate ? { traceparent: formatTraceparent(context) } : undefined,
        ended({ thrown, message, usage }) {
          end({
            name: `chat ${model.id}`,
            kind: "client",
            attributes: {
              "gen_ai.operation.name": "chat",
              "gen_ai.provider.name": model.provider,
              "gen_ai.request.model": model.id,
              "gen_ai.agent.id": agentId,
              "gen_ai.response.finish_reasons": message && [message.stopReason],
              "gen_ai.usage.input_tokens": usage && inputTokens(usage),
              "gen_ai.usage.output_tokens": usage?.output,
              "gen_ai.usage.cache_read.input_tokens": usage?.cacheRead || undefined,
              "gen_ai.usage.cache_creation.input_tokens": usage?.cacheWrite || undefined,
              "openclaw.cost_usd": usage?.cost.total || undefined,
            },
            error: thrown === undefined ? undefined : (providerFailureOf(thrown)?.kind ?? Failure.from(thrown).code),
          });
        },
      };
    },
  };
}

interface OpenCall {
  readonly context: TraceContext;
  /** A turn came of it. */
  followed: boolean;
}

interface OpenTurn {
  readonly context: TraceContext;
  readonly sessionId: string;
  readonly agentId: string;
  readonly since: number;
  /** How long it waited for its session and for a place among the running. */
  queuedMs?: number;
  readonly end: (span: Pick<Span, "name" | "kind" | "attributes" | "error">) => void;
}

const maxName = 100;

/** All that was read, from a cache or not, as the conventions count it. */
function inputTokens({ input, cacheRead, cacheWrite }: { input: number; cacheRead: number; cacheWrite: number }) {
  return input + cacheRead + cacheWrite;
}
