import type { RunEvent, RunOutcome, UserContent } from "../agent/runner.ts";
import type { Failure } from "../kit/error.ts";
import type { ThinkingLevel } from "../providers/provider.ts";
import type { QueueMode } from "../session/sessions.ts";
import type { Message } from "../session/message.ts";
import type { Entry } from "../session/transcript.ts";
import type { Reply } from "./reply.ts";

/**
 * The way of every message from acceptance to answer, whichever door it came in by. One run per session at a time;
 * what is accepted is on the disk, and is answered exactly once, over any number of crashes.
 */
export interface Turns {
  /** Takes a message. Resolves when it is on the disk; the same `runId` again only answers how that run fares. */
  accept(input: TurnInput): Promise<Accepted>;
  /** Stops a session's run, or the one of this id, and what waits behind it unless `keepQueued`. Answers the run ids that ended. */
  abort(target: AbortTarget): Promise<readonly string[]>;
  /** How a run is; undefined when nothing is known of it. */
  run(runId: string): RunState | undefined;
  /** Resolves when the run is over, or with what is known when `timeoutMs`, if any, have passed or the signal says so. */
  wait(runId: string, timeoutMs: number | undefined, signal: AbortSignal): Promise<RunState | undefined>;
  /** The run that has the session now. */
  active(sessionKey: string): ActiveRun | undefined;
  /** Inputs that were accepted and whose turn has not come, in order. */
  pending(sessionKey: string): readonly PendingInput[];
  /** Writes an entry of the gateway's own into the conversation: `chat.inject`. It is found in the transcript by `runId`. */
  inject(input: { sessionKey: string; text: string; runId?: string }): Promise<{ messageId: string }>;
  /** Runs work that must not meet a run of this session: compaction, reset, rewind. */
  exclusive<T>(sessionKey: string, work: () => Promise<T>): Promise<T>;
  onEvent(listener: (event: TurnEvent) => void): () => void;
  /** Runs in progress and waiting, over all sessions, and the sessions in which something goes on. */
  readonly load: { readonly running: number; readonly queued: number; readonly lanes: number };
}

export interface TurnInput {
  /** The caller's idempotency key. */
  readonly runId: string;
  /** The full key. */
  readonly sessionKey: string;
  readonly agentId: string;
  readonly content: UserContent;
  /** Commands (`/status`) are understood where a person writes; the `agent` method gives its text to the model as it is. */
  readonly commands: boolean;
  readonly origin: TurnOrigin;
  /** Where the answer is sent; absent where whoever wrote reads it in the conversation itself. */
  readonly reply?: Reply | undefined;
  readonly queueMode?: QueueMode | undefined;
  readonly thinking?: ThinkingLevel | undefined;
  readonly model?: string | undefined;
  readonly timeoutMs?: number | undefined;
  readonly extraSystemPrompt?: string | undefined;
  readonly promptMode?: "full" | "minimal" | "none" | undefined;
}

/** Who wrote: what commands may do is decided by it, whatever the text says (threat F). */
export interface TurnOrigin {
  /** `webchat` for WebSocket clients, else the channel's id. */
  readonly channel: string;
  /** The sender's stable id there. */
  readonly sender: string;
  /** Scopes of the connection that the message came by. */
  readonly scopes: readonly string[];
  /** Let in by name or by a code, not by a room: commands that reach no further than the session are obeyed. */
  readonly trusted?: true | undefined;
  /** The paired device that it came from: what that loses before the message has its turn, the message loses. */
  readonly deviceId?: string | undefined;
}

export interface Accepted {
  readonly runId: string;
  /** `in_flight` and `ok` for a repeated `runId`. */
  readonly status: "started" | "in_flight" | "ok";
}

export interface AbortTarget {
  readonly sessionKey?: string | undefined;
  readonly runId?: string | undefined;
  readonly keepQueued?: boolean | undefined;
}

export interface RunState {
  readonly runId: string;
  readonly sessionKey: string;
  readonly agentId: string;
  readonly status: "pending" | "ok" | "error" | "timeout" | "aborted";
  readonly acceptedAt: number;
  readonly startedAt?: number | undefined;
  readonly endedAt?: number | undefined;
  readonly outcome?: RunOutcome | undefined;
  readonly error?: Failure | undefined;
  /** The run that answered this message together with its own, when several were collected. */
  readonly mergedInto?: string | undefined;
}

export interface ActiveRun {
  readonly runId: string;
  readonly sessionKey: string;
  readonly agentId: string;
  readonly startedAt: number;
  /** What was streamed of the answer in progress. */
  readonly text: string;
  /** The chat that the answer goes to. */
  readonly reply?: Reply | undefined;
}

export interface PendingInput {
  readonly runId: string;
  readonly message: Message;
  readonly acceptedAt: number;
}

/** What happens to turns, for whoever shows or delivers it. */
export type TurnEvent = {
  readonly runId: string;
  readonly sessionKey: string;
  readonly sessionId: string;
  readonly agentId: string;
  readonly ts: number;
  /** The chat that the answer goes to. */
  readonly reply?: Reply | undefined;
} & (
  | { readonly kind: "accepted" }
  /** It is a command, and its sender may give it. */
  | { readonly kind: "command"; readonly command: string; readonly origin: TurnOrigin }
  | { readonly kind: "started"; readonly startedAt: number }
  | { readonly kind: "progress"; readonly event: RunEvent }
  /** An entry that did not come from the runner is in the transcript: the user's message, or the gateway's own word. */
  | { readonly kind: "entry"; readonly entry: Entry; readonly injected: boolean }
  | { readonly kind: "ended"; readonly state: RunState; readonly startedAt: number }
);
