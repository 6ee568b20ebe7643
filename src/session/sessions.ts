import type { Entry, Transcript } from "./transcript.ts";

/** What is known of a session beside its conversation. Immutable: a change makes a new row. Times are ms since 1970. */
export interface SessionRow {
  /** The full key (protocol.md 6.6). */
  readonly key: string;
  readonly agentId: string;
  /** Changes with every reset; names the transcript. */
  readonly sessionId: string;
  readonly previousSessionId?: string | undefined;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** When a person last wrote; resets are judged by it. */
  readonly lastInteractionAt?: number | undefined;
  /** When this `sessionId` began. */
  readonly startedAt: number;
  readonly kind: "direct" | "group" | "global" | "unknown";
  readonly chatType?: "direct" | "group" | "channel" | undefined;
  readonly channel?: string | undefined;
  readonly accountId?: string | undefined;
  readonly label?: string | undefined;
  readonly displayName?: string | undefined;
  /** The first words of the conversation. */
  readonly derivedTitle?: string | undefined;
  readonly lastMessagePreview?: string | undefined;
  readonly category?: string | undefined;
  readonly icon?: string | undefined;
  readonly color?: string | undefined;
  readonly pinnedAt?: number | undefined;
  readonly archivedAt?: number | undefined;
  readonly markedUnreadAt?: number | undefined;
  readonly lastReadAt?: number | undefined;
  readonly thinkingLevel?: string | undefined;
  readonly verboseLevel?: string | undefined;
  readonly reasoningLevel?: string | undefined;
  readonly elevatedLevel?: string | undefined;
  readonly responseUsage?: "off" | "tokens" | "full" | "cost" | undefined;
  readonly sendPolicy?: "allow" | "deny" | undefined;
  readonly groupActivation?: "mention" | "always" | undefined;
  readonly queue?: Partial<QueueSettings> | undefined;
  readonly providerOverride?: string | undefined;
  readonly modelOverride?: string | undefined;
  readonly modelOverrideSource?: "user" | "auto" | undefined;
  readonly authProfileOverride?: string | undefined;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Tokens that the last request to the model held: what the context is filled with. */
  readonly totalTokens: number;
  readonly contextTokens?: number | undefined;
  readonly estimatedCostUsd?: number | undefined;
  readonly compactionCount: number;
  readonly modelProvider?: string | undefined;
  readonly model?: string | undefined;
  readonly systemSent: boolean;
  readonly status?: "queued" | "running" | "done" | "failed" | "killed" | "timeout" | undefined;
  readonly abortedLastRun: boolean;
  readonly lastRunId?: string | undefined;
  readonly lastRunError?: string | undefined;
  readonly runStartedAt?: number | undefined;
  readonly runEndedAt?: number | undefined;
  readonly parentSessionKey?: string | undefined;
  readonly spawnedBy?: string | undefined;
  readonly forkSource?:
    | { readonly sessionKey: string; readonly sessionId: string; readonly entryId?: string | undefined }
    | undefined;
  readonly createdVia?: "operator" | "spawn" | "channel" | "cron" | "talk" | "run" | "plugin" | "internal" | undefined;
  /** Where answers go when nobody says: the last chat that spoke here. */
  readonly delivery?:
    | {
        readonly channel: string;
        readonly to: string;
        readonly accountId?: string | undefined;
        readonly threadId?: string | undefined;
      }
    | undefined;
}

/** How messages that come during a run are taken (cli.md 8.14). */
export interface QueueSettings {
  readonly mode: QueueMode;
  readonly debounceMs: number;
  readonly cap: number;
  readonly drop: "summarize" | "old" | "new";
}

export const queueModes = ["collect", "followup", "steer", "interrupt"] as const;
export type QueueMode = (typeof queueModes)[number];

export type RowChanges = Partial<Omit<SessionRow, "key" | "agentId" | "sessionId" | "createdAt">>;

export interface SessionQuery {
  readonly limit?: number | undefined;
  readonly offset?: number | undefined;
  readonly agentId?: string | undefined;
  readonly label?: string | undefined;
  readonly spawnedBy?: string | undefined;
  /** Words looked for in key, label, names and title, without regard to case. */
  readonly search?: string | undefined;
  /** Only what was updated within so many minutes. */
  readonly activeMinutes?: number | undefined;
  readonly archived?: boolean | "all" | undefined;
  readonly includeGlobal?: boolean | undefined;
  readonly includeUnknown?: boolean | undefined;
  readonly sortBy?: "updatedAt" | "lastInteractionAt" | undefined;
  /** Any further condition. */
  readonly where?: ((row: SessionRow) => boolean) | undefined;
}

export interface SessionPage {
  readonly rows: readonly SessionRow[];
  /** Of all that match, whatever the page. */
  readonly total: number;
}

export interface SearchHit {
  readonly row: SessionRow;
  readonly messageId: string;
  readonly role: "user" | "assistant";
  readonly timestamp: number;
  readonly snippet: string;
  readonly score: number;
}

export interface SearchQuery {
  readonly query: string;
  readonly agentId?: string | undefined;
  readonly sessionKeys?: readonly string[] | undefined;
  readonly limit: number;
}

export type SessionChange =
  | { readonly kind: "created" | "changed" | "reset"; readonly row: SessionRow; readonly reason: string }
  | { readonly kind: "deleted"; readonly row: SessionRow; readonly reason: string };

/**
 * Every session of this gateway. The rows are held in memory, newest first, and written through to a log; what a method
 * resolves with is on the disk. In a gateway that stands by, changes reject with `unavailable`.
 */
export interface Sessions {
  readonly size: number;
  get(key: string): SessionRow | undefined;
  bySessionId(sessionId: string): SessionRow | undefined;
  list(query: SessionQuery): SessionPage;
  /** The session of this key, made when there is none. */
  ensure(key: string, first: NewSession): Promise<SessionRow>;
  /** Changes a row by what it is at that moment. Rejects with `not-found`. `reason` goes to whoever watches. */
  change(key: string, edit: (row: SessionRow) => RowChanges, reason: string): Promise<SessionRow>;
  /** Like `change` for what follows from the transcript (counts, previews, times): visible at once, on the disk soon. */
  note(key: string, changes: RowChanges, reason?: string): void;
  /** Gives the session a new id and an empty transcript; the old one stays on the disk. */
  reset(key: string, reason: string): Promise<SessionRow>;
  /** Forgets the session. Its transcript is set aside, not destroyed; answers the paths where it is now. */
  delete(key: string, options?: { keepTranscript?: boolean }): Promise<readonly string[]>;
  /** A new session whose conversation is a copy of this one's up to, and without, the entry of this id (or all of it). */
  fork(key: string, options: { newKey: string; beforeEntryId?: string; label?: string }): Promise<SessionRow>;
  /** A new session whose conversation is a copy of these entries, whole or not at all. Rejects with `conflict`. */
  import(key: string, first: NewSession & { entries: AsyncIterable<readonly Entry[]> }): Promise<SessionRow>;
  transcript(row: Pick<SessionRow, "sessionId" | "agentId">): Transcript;
  /** Where the transcript is, for people. */
  pathOf(row: Pick<SessionRow, "sessionId" | "agentId">): string;
  search(query: SearchQuery): Promise<{ readonly hits: readonly SearchHit[]; readonly truncated: boolean }>;
  onChange(listener: (change: SessionChange) => void): () => void;
  /** Reads everything again: another process owned the state until now. */
  reload(): Promise<void>;
  /** Writes what is noted, closes what is open. */
  close(): Promise<void>;
}

export type NewSession = Pick<SessionRow, "agentId"> & RowChanges;
