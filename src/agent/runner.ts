import type { Failure } from "../kit/error.ts";
import type { ThinkingLevel } from "../providers/provider.ts";
import type { AssistantMessage, ImagePart, Message, TextPart, ToolCallPart, Usage } from "../session/message.ts";
import type { SessionRow } from "../session/sessions.ts";
import type { Entry } from "../session/transcript.ts";
import type { ToolResult } from "../tools/tool.ts";

/** Runs the conversation of one turn: prompt, model, tools, again, until the model has answered. */
export interface Runner {
  /**
   * Answers what the transcript ends with: its last entries are the user's messages, or the tool results of a run that
   * was cut off. Everything that the model and the tools say is in the transcript before it is emitted as `entry`.
   * Never rejects: what went wrong is in the outcome.
   */
  run(input: RunInput): Promise<RunOutcome>;
  /** Replaces the older part of a session's context by a summary; the originals stay in the transcript. */
  compact(input: CompactInput): Promise<CompactOutcome>;
}

export interface RunInput {
  readonly runId: string;
  readonly sessionKey: string;
  readonly sessionId: string;
  readonly agentId: string;
  /**
   * Aborted by a person, a deadline, or the end of the gateway; the provider's socket closes at once. `signal.reason` is
   * a Failure: `timeout`, `aborted`, or `unavailable` when the gateway ends. In that last case nothing is written: the
   * run is repeated when the gateway is back.
   */
  readonly signal: AbortSignal;
  readonly emit: (event: RunEvent) => void;
  /** Messages that came while this runs and that steer it; asked for after each round of tools. They are appended by the runner. */
  readonly steer?: () => readonly Message[];
  /** For this run alone, over the session's own. */
  readonly model?: string | undefined;
  readonly thinking?: ThinkingLevel | undefined;
  /** More for the system prompt. */
  readonly extraSystemPrompt?: string | undefined;
  readonly promptMode?: "full" | "minimal" | "none" | undefined;
}

/** What the people who watch a run are told. */
export type RunEvent =
  | { readonly type: "phase"; readonly phase: "preparing_workspace" | "preparing_context" | "starting_model" }
  /** The model that is being asked now; another one after a fallback. */
  | { readonly type: "model"; readonly provider: string; readonly model: string }
  /** `text` is all of this answer so far; `itemId` tells the answers of a run apart. */
  | { readonly type: "text"; readonly delta: string; readonly text: string; readonly itemId: string }
  | { readonly type: "thinking"; readonly delta: string; readonly text: string; readonly itemId: string }
  /** What was streamed of this answer does not count: the request is repeated. */
  | { readonly type: "retract"; readonly itemId: string }
  /** An entry is in the transcript. */
  | { readonly type: "entry"; readonly entry: Entry }
  | { readonly type: "tool-start"; readonly call: ToolCallPart; readonly startedAt: number }
  | { readonly type: "tool-update"; readonly call: ToolCallPart; readonly partial: ToolResult }
  | { readonly type: "tool-end"; readonly call: ToolCallPart; readonly result: ToolResult; readonly startedAt: number }
  | { readonly type: "usage"; readonly usage: Usage }
  | { readonly type: "compaction"; readonly phase: "start" | "end"; readonly willRetry: boolean }
  /** The request is repeated after a wait. */
  | { readonly type: "waiting"; readonly reason: string; readonly ms: number };

export interface RunOutcome {
  readonly status: "ok" | "error" | "aborted" | "timeout";
  /** The last answer in full; undefined when there was none. */
  readonly message?: AssistantMessage | undefined;
  /** What is to be shown and sent: the texts of the answers, without silent ones. */
  readonly payloads: readonly { readonly text: string }[];
  readonly stopReason: string;
  /** Of all requests of this run. */
  readonly usage: Usage;
  readonly provider: string;
  readonly model: string;
  readonly error?: Failure | undefined;
  /** Limits of the budget that come near, a sentence each, for the person to be told. */
  readonly warnings?: readonly string[] | undefined;
  /** Facts about the prompt, for `agent --json`. */
  readonly promptReport?: Readonly<Record<string, unknown>> | undefined;
}

export interface CompactInput {
  readonly row: SessionRow;
  readonly instructions?: string | undefined;
  readonly signal: AbortSignal;
}

export interface CompactOutcome {
  readonly compacted: boolean;
  /** Why not, in a few words. */
  readonly reason?: string | undefined;
  readonly tokensBefore: number;
  readonly tokensAfter: number;
}

export type UserContent = readonly (TextPart | ImagePart)[];
