import type { App, Connection } from "../app.ts";
import type { RunEvent } from "../agent/runner.ts";
import type { Clock } from "../host/host.ts";
import { createCleanup } from "../kit/cleanup.ts";
import type { SessionChange, SessionRow, Sessions } from "../session/sessions.ts";
import type { Entry } from "../session/transcript.ts";
import type { RunState, TurnEvent, Turns } from "./turns.ts";

export interface AnnounceOptions {
  readonly clock: Clock;
  readonly turns: Turns;
  readonly sessions: Sessions;
  readonly broadcast: App["broadcast"];
  /** A row as clients see it. */
  readonly rowOf: (row: SessionRow) => Readonly<Record<string, unknown>>;
  /** A transcript entry as clients see it. */
  readonly messageOf: (entry: Entry) => Readonly<Record<string, unknown>> | undefined;
}

/** What was told of a run so far. */
interface Told {
  seq: number;
  /** Streamed and not told yet: deltas are told together, at most every `deltaMs`. */
  held: { readonly stream: "assistant" | "thinking"; delta: string; text: string; readonly itemId: string } | undefined;
  cancel: (() => void) | undefined;
  lastAt: number;
}

/** Short enough to look like typing, long enough that a fast model does not send its answer a thousand times over. */
const deltaMs = 50;

/**
 * Tells clients what happens in sessions, in the protocol's events (protocol.md 6.3, 6.4, 6.7): `agent` and `chat` to
 * all who may read, `session.message` and `sessions.changed` to those who asked. The answer ends it.
 */
export function announce({
  clock,
  turns,
  sessions,
  broadcast,
  rowOf,
  messageOf,
}: AnnounceOptions): () => Promise<void> {
  const runs = new Map<string, Told>();

  function toldOf(runId: string): Told {
    const told = runs.get(runId) ?? { seq: 0, held: undefined, cancel: undefined, lastAt: -deltaMs };
    runs.set(runId, told);
    return told;
  }

  function agent(
    turn: TurnEvent,
    stream: string,
    data: Readonly<Record<string, unknown>>,
    only = watching(turn),
  ): number {
    const { runId, sessionKey, sessionId, agentId, ts } = turn;
    const seq = ++toldOf(runId).seq;
    const where = stream === "lifecycle" ? { sessionKey, sessionId, agentId } : { sessionKey, agentId };
    broadcast("agent", { runId, stream, data, ...where, seq, ts, isHeartbeat: false }, only);
    return seq;
  }

  function chat(turn: TurnEvent, state: ChatState, seq: number, more: object, only = watching(turn)): void {
    const { runId, sessionKey, agentId } = turn;
    broadcast("chat", { runId, sessionKey, agentId, seq, state, ...more }, only);
  }

  function hear(turn: TurnEvent): void {
    switch (turn.kind) {
      case "accepted":
        return changed(turn.sessionKey, { reason: "send" });
      case "started":
        agent(turn, "lifecycle", { phase: "start", startedAt: turn.startedAt });
        changed(turn.sessionKey, { reason: "agent.run.started", runId: turn.runId });
        return changed(turn.sessionKey, { phase: "start", runId: turn.runId });
      case "progress":
        return progress(turn, turn.event);
      case "entry":
        entry(turn, turn.entry);
        if (turn.injected) chat(turn, "final", 0, { message: messageOf(turn.entry), stopReason: "stop" });
        return;
      case "ended":
        flush(turn);
        ended(turn, turn.state, turn.startedAt);
        runs.delete(turn.runId);
        return changed(turn.sessionKey, { phase: turn.state.status === "error" ? "error" : "end", runId: turn.runId });
    }
  }

  function progress(turn: TurnEvent, event: RunEvent): void {
    if (event.type === "text" || event.type === "thinking") return hold(turn, event);
    flush(turn);
    switch (event.type) {
      case "phase": {
        const seq = agent(turn, "run_status", { phase: event.phase });
        // Clients of version 3 do not know this state.
        return chat(
          turn,
          "status",
          seq,
          { phase: event.phase },
          both(watching(turn), ({ caller }) => caller.protocol >= 4),
        );
      }
      case "model":
        agent(turn, "lifecycle", { phase: "model", provider: event.provider, model: event.model });
        return changed(turn.sessionKey, { phase: "model", runId: turn.runId });
      case "retract": {
        const seq = agent(turn, "assistant", { text: "", delta: "", replace: true, itemId: event.itemId });
        return chat(turn, "delta", seq, { deltaText: "", replace: true, message: spoken("", turn.ts) });
      }
      case "entry":
        return entry(turn, event.entry);
      case "usage":
        return void agent(turn, "usage", { outputTokens: event.usage.output });
      case "compaction":
        return void agent(turn, "compaction", { phase: event.phase, willRetry: event.willRetry });
      case "waiting":
        return void agent(turn, "lifecycle", { phase: "waiting", reason: event.reason, ms: event.ms });
      case "tool-start":
      case "tool-update":
      case "tool-end":
        return tool(turn, event);
    }
  }

  function hold(
    turn: TurnEvent,
    { type, delta, text, itemId }: Extract<RunEvent, { type: "text" | "thinking" }>,
  ): void {
    const told = toldOf(turn.runId);
    const stream = type === "text" ? "assistant" : "thinking";
    if (told.held && (told.held.stream !== stream || told.held.itemId !== itemId)) flush(turn);
    told.held = { stream, itemId, text, delta: (told.held?.delta ?? "") + delta };
    const wait = told.lastAt + deltaMs - clock.monotonic();
    if (wait <= 0) return flush(turn);
    told.cancel ??= clock.after(wait, () => flush({ ...turn, ts: clock.now() }));
  }

  function flush(turn: TurnEvent): void {
    const told = runs.get(turn.runId);
    told?.cancel?.();
    if (!told?.held) return;
    const { stream, delta, text, itemId } = told.held;
    told.held = undefined;
    told.cancel = undefined;
    told.lastAt = clock.monotonic();
    const seq = agent(turn, stream, { text, delta, itemId });
    if (stream === "assistant") chat(turn, "delta", seq, { deltaText: delta, message: spoken(text, turn.ts) });
  }

  function tool(turn: TurnEvent, event: Extract<RunEvent, { type: `tool-${string}` }>): void {
    const { call } = event;
    const { name, id: toolCallId } = call;
    const item = { kind: "tool", itemId: `tool:${toolCallId}`, title: name, name, toolCallId };
    const deep = both(watching(turn), ({ caller }) => caller.caps.has("tool-events"));
    if (event.type === "tool-start") {
      agent(turn, "item", { ...item, phase: "start", status: "running", startedAt: event.startedAt });
      agent(turn, "tool", { phase: "start", name, toolCallId, args: call.arguments }, deep);
    } else if (event.type === "tool-update") {
      const { content, details } = event.partial;
      agent(turn, "tool", { phase: "update", name, toolCallId, partialResult: { content, details } }, deep);
    } else {
      const { content, details, isError = false } = event.result;
      const status = isError ? "failed" : "completed";
      agent(turn, "item", { ...item, phase: "end", status, startedAt: event.startedAt, endedAt: turn.ts });
      agent(turn, "tool", { phase: "result", name, toolCallId, isError, result: { content, details } }, deep);
    }
  }

  function ended(turn: TurnEvent, state: RunState, startedAt: number): void {
    const { status, outcome, error, mergedInto } = state;
    const aborted = status === "aborted" || status === "timeout";
    const endedAt = state.endedAt ?? turn.ts;
    const stopReason = aborted ? "rpc" : (outcome?.stopReason ?? (status === "error" ? "error" : "stop"));
    const text = outcome?.payloads.map((payload) => payload.text).join("\n\n") ?? "";
    const message = mergedInto === undefined && text !== "" ? { message: spoken(text, endedAt) } : {};
    if (status === "error") {
      const why = error?.message ?? "the run failed";
      const seq = agent(turn, "lifecycle", { phase: "error", error: why, endedAt });
      return chat(turn, "error", seq, { errorMessage: why, errorKind: kindOf(error?.details), ...message });
    }
    agent(turn, "lifecycle", { phase: "finishing", stopReason, aborted, livenessState: "working", endedAt });
    const terminalReply = text === "" ? { disposition: "silent" } : { disposition: "visible", text };
    const end = { phase: "end", startedAt, endedAt, stopReason, aborted, executionSettled: true, terminalReply };
    const seq = agent(turn, "lifecycle", end);
    chat(turn, aborted ? "aborted" : "final", seq, { stopReason, ...message });
  }

  function entry(turn: TurnEvent, written: Entry): void {
    const message = messageOf(written);
    const row = sessions.get(turn.sessionKey);
    if (!message) return;
    const { sessionKey, agentId } = turn;
    broadcast(
      "session.message",
      {
        sessionKey,
        agentId,
        message,
        messageId: written.id,
        messageSeq: written.seq,
        ...(row ? { session: rowOf(row) } : {}),
      },
      ({ subscriptions }) => subscriptions.has(`messages:${sessionKey}`),
    );
  }

  function changed(key: string, what: { reason: string; runId?: string } | { phase: string; runId: string }): void {
    const row = sessions.get(key);
    if (row) tellRow(row, what);
  }

  function tellRow(row: SessionRow, what: object): void {
    const session = rowOf(row);
    const head = { sessionKey: row.key, agentId: row.agentId, ts: clock.now() };
    broadcast("sessions.changed", { ...session, ...head, ...what, session }, wantsSessions);
  }

  function hearRows({ kind, row, reason }: SessionChange): void {
    if (kind !== "deleted") return tellRow(row, { reason });
    const { key: sessionKey, sessionId, agentId } = row;
    const ts = clock.now();
    broadcast("sessions.changed", { sessionKey, sessionId, agentId, reason: "delete", ts }, wantsSessions);
    broadcast("sessions.changed", { reason: "delete", ts }, wantsSessions);
  }

  const cleanup = createCleanup();
  cleanup.add(() => {
    for (const { cancel } of runs.values()) cancel?.();
  });
  cleanup.add(turns.onEvent(hear));
  cleanup.add(sessions.onChange(hearRows));
  return () => cleanup.run();
}

type ChatState = "status" | "delta" | "final" | "aborted" | "error";
type Which = (connection: Connection) => boolean;

/** All who may read, but those who asked for the sessions that they follow alone. */
function watching({ sessionKey }: TurnEvent): Which {
  return ({ caller, subscriptions }) =>
    !caller.caps.has("session-scoped-events") || subscriptions.has(`messages:${sessionKey}`);
}

function both(one: Which, other: Which): Which {
  return (connection) => one(connection) && other(connection);
}

function wantsSessions({ subscriptions }: Connection): boolean {
  return subscriptions.has("sessions");
}

function spoken(text: string, timestamp: number): Readonly<Record<string, unknown>> {
  return { role: "assistant", content: [{ type: "text", text }], timestamp };
}

/** The protocol's five kinds of errors in a chat. */
function kindOf(details: unknown): string {
  const kind = typeof details === "object" && details !== null && "kind" in details ? details.kind : undefined;
  return kind === "refusal" || kind === "timeout" || kind === "rate_limit" || kind === "context_length"
    ? kind
    : "unknown";
}
