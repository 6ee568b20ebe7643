import type { App, Connection } from "../app.ts";
import type { RunEvent } from "../agent/runner.ts";
import type { Clock } from "../host/host.ts";
import { createCleanup } from "../kit/cleanup.ts";
import type { SessionChange, SessionRow, Sessions } from "../session/sessions.ts";
import type { Entry } from "../session/transcript.ts";
import { createChunker, type Chunker, type ChunkerOptions } from "./chunk.ts";
import type { RunState, TurnEvent, Turns } from "./turns.ts";

export interface AnnounceOptions {
  readonly clock: Clock;
  readonly turns: Turns;
  readonly sessions: Sessions;
  readonly broadcast: App["broadcast"];
  readonly connections: Pick<App["connections"], "all">;
  /** A row as clients see it. */
  readonly rowOf: (row: SessionRow) => Readonly<Record<string, unknown>>;
  /** How large the blocks are that answers are told in; undefined to tell them as they come. */
  readonly blocks: () => ChunkerOptions | undefined;
  /** A transcript entry as clients see it. */
  readonly messageOf: (entry: Entry) => Readonly<Record<string, unknown>> | undefined;
}

/** What was told of a run so far. */
interface Told {
  seq: number;
  /** What was streamed of the last message. */
  text: string;
  /** Streamed and not told yet: deltas are told together, at most every `deltaMs`. */
  held: { readonly stream: "assistant" | "thinking"; delta: string; text: string; readonly itemId: string } | undefined;
  cancel: (() => void) | undefined;
  lastAt: number;
  /** Finds the ends of blocks, where answers are told in blocks. */
  chunker: Chunker | undefined;
}

/** Short enough to look like typing, long enough that a fast model does not send its answer a thousand times over. */
const deltaMs = 50;
/** Each time all of the answer is told again: the longer it is, the more rarely, so that what is sent does not grow with its square. */
const lettersPerMs = 1000;

/**
 * Tells clients what happens in sessions, in the protocol's events (protocol.md 6.3, 6.4, 6.7): `agent` and `chat` to
 * all who may read, `session.message` and `sessions.changed` to those who asked. The answer ends it.
 */
export function announce({
  clock,
  turns,
  sessions,
  broadcast,
  connections,
  rowOf,
  blocks,
  messageOf,
}: AnnounceOptions): () => Promise<void> {
  const runs = new Map<string, Told>();

  function toldOf(runId: string): Told {
    const told = runs.get(runId) ?? {
      seq: 0,
      text: "",
      held: undefined,
      cancel: undefined,
      lastAt: Number.NEGATIVE_INFINITY,
      chunker: undefined,
    };
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
    const isOld = version3.has([stream, ...(stream === "lifecycle" ? [data["phase"]] : [])].join(" "));
    const payload = { runId, stream, data, ...where, seq, ts, isHeartbeat: false };
    broadcast("agent", payload, isOld ? only : both(only, isModern));
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
    toldOf(turn.runId).chunker = undefined;
    switch (event.type) {
      case "phase": {
        const seq = agent(turn, "run_status", { phase: event.phase });
        return chat(turn, "status", seq, { phase: event.phase }, both(watching(turn), isModern));
      }
      case "model":
        agent(turn, "lifecycle", { phase: "model", provider: event.provider, model: event.model });
        return changed(turn.sessionKey, { phase: "model", runId: turn.runId });
      case "retract": {
        toldOf(turn.runId).text = "";
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
    const sizes = blocks();
    if (sizes && stream === "assistant") {
      told.chunker ??= createChunker(sizes);
      if (told.chunker.push(delta).length > 0) flush(turn);
      return;
    }
    const wait = told.lastAt + Math.max(deltaMs, text.length / lettersPerMs) - clock.monotonic();
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
    if (stream === "assistant") told.text = text;
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
      agent(turn, "tool", { phase: "result", name, toolCallId, isError, result: { content, details } }, deep);
      agent(turn, "item", { ...item, phase: "end", status, startedAt: event.startedAt, endedAt: turn.ts });
    }
  }

  function ended(turn: TurnEvent, state: RunState, startedAt: number): void {
    const { status, outcome, error, mergedInto } = state;
    const aborted = status === "aborted" || status === "timeout";
    const endedAt = state.endedAt ?? turn.ts;
    const stopReason = aborted ? "rpc" : (outcome?.stopReason ?? (status === "error" ? "error" : "stop"));
    const said = outcome?.payloads.map((payload) => payload.text).join("\n\n") ?? "";
    // What was being said when it was stopped stays on the screen.
    const text = said === "" && aborted ? toldOf(turn.runId).text : said;
    const message = mergedInto === undefined && text !== "" ? { message: spoken(text, endedAt) } : {};
    if (status === "error") {
      const why = error?.message ?? "the run failed";
      const end = { phase: "error", error: why, startedAt, endedAt, aborted: false, executionSettled: true };
      const seq = agent(turn, "lifecycle", end);
      return chat(turn, "error", seq, { errorMessage: why, errorKind: kindOf(error?.details), ...message });
    }
    agent(turn, "lifecycle", { phase: "finishing", stopReason, aborted, livenessState: "working", endedAt });
    const terminalReply = text === "" ? { disposition: "silent" } : { disposition: "visible", text };
    const cancelled = aborted ? { status: "cancelled" } : {};
    const end = { phase: "end", startedAt, endedAt, stopReason, aborted, executionSettled: true, terminalReply };
    const seq = agent(turn, "lifecycle", { ...end, ...cancelled });
    chat(turn, aborted ? "aborted" : "final", seq, { stopReason, ...message });
  }

  function entry(turn: TurnEvent, written: Entry): void {
    const { sessionKey, agentId } = turn;
    const listening = both(watching(turn), isListening(sessionKey));
    const message = isWanted(listening) ? messageOf(written) : undefined;
    if (!message) return;
    const row = sessions.get(sessionKey);
    const head = { sessionKey, agentId, message, messageId: written.id, messageSeq: written.seq };
    const session = row && rowOf(row);
    const payload = session ? { ...session, ...head, session } : head;
    broadcast("session.message", payload, listening);
  }

  function changed(key: string, what: { reason: string; runId?: string } | { phase: string; runId: string }): void {
    const row = sessions.get(key);
    if (row) tellRow(row, what);
  }

  /** Rows and messages are made for those who asked, and not at all when nobody did. */
  function isWanted(which: Which): boolean {
    for (const connection of connections.all()) if (which(connection)) return true;
    return false;
  }

  function tellRow(row: SessionRow, what: object): void {
    if (!isWanted(wantsSessions)) return;
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

/** Streams, and phases of lifecycles, that clients of version 3 know. */
const version3: ReadonlySet<string> = new Set([
  "lifecycle start",
  "lifecycle end",
  "lifecycle error",
  "assistant",
  "tool",
  "compaction",
]);

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

/** Past version 3, which does not know all that is told. */
function isModern({ caller }: Connection): boolean {
  return caller.protocol >= 4;
}

/** Who asked for this session's messages, or for all that goes on. */
function isListening(sessionKey: string): Which {
  return ({ subscriptions }) => subscriptions.has("sessions") || subscriptions.has(`messages:${sessionKey}`);
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
