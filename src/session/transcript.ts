import type { JsonObject } from "../kit/json.ts";
import type { Message } from "./message.ts";

/**
 * One session's conversation: an append-only tree of entries in a JSON Lines file that other programs of this family
 * read too (cli.md 8.5). The active path runs from the last entry back to the first through `parentId`; what a rewind
 * left behind stays in the file, off the path. Every method but `append` sees the active path alone.
 */
export interface Transcript {
  readonly sessionId: string;
  /** `seq` of the newest entry on the path; 0 when there is none. */
  last(): Promise<number>;
  /** Messages, compactions and resets on the active path. */
  count(): Promise<number>;
  /** Appends to the end of the path, in one write. Resolves when it is on the disk. */
  append(entries: readonly NewEntry[]): Promise<readonly Entry[]>;
  /** The `limit` newest entries after leaving out `offset` of them, oldest first. Reads no more of the file than it needs. */
  page(options: { limit: number; offset?: number; kinds?: readonly Entry["type"][] }): Promise<readonly Entry[]>;
  /** Entries with a `seq` above this, oldest first; at most `limit` of them. */
  after(seq: number, options?: { limit?: number }): Promise<readonly Entry[]>;
  /** The entry of this id, wherever it is; undefined when there is none. */
  find(id: string): Promise<Entry | undefined>;
  /**
   * What a model is to read: from the entry that the last compaction kept, that compaction itself first. All of it when
   * there was no compaction.
   */
  context(): Promise<readonly Entry[]>;
  /** Makes this entry the end of the path; undefined empties the path. What came after it stays in the file. */
  rewind(toId: string | undefined): Promise<void>;
  /** The entry before this one of the path; undefined before the first one. */
  before(entry: Entry): Promise<Entry | undefined>;
  /** The newest compactions on the path, newest first, each with the entry before it. */
  compactions(limit: number): Promise<readonly Compacted[]>;
  /** The path, then what rewinds left behind and can be gone back to: newest first, at most 100 of them. */
  branches(): Promise<readonly Branch[]>;
  /** Leads the path to the leaf of a branch; what the path was becomes a branch itself. Rejects with `not-found`. */
  switchTo(leafId: string): Promise<void>;
}

export interface Compacted {
  readonly compaction: Extract<Entry, { type: "compaction" }>;
  readonly before: Entry | undefined;
}

/** One way through a transcript's tree, from a first entry to a leaf. */
export interface Branch {
  readonly leafId: string;
  /** It is the path. */
  readonly active: boolean;
  /** First words of what the person said last, on what is the branch's own. */
  readonly headline: string;
  /** Messages from the beginning of the conversation to the leaf. */
  readonly messages: number;
  /** When the leaf was written; ISO 8601. */
  readonly updatedAt: string;
}

/** An entry as it is in the file. `seq` counts every entry of the file from 1. */
export type Entry = EntryContent & {
  /** 8 hex digits. */
  readonly id: string;
  readonly parentId: string | null;
  readonly seq: number;
  /** ISO 8601. */
  readonly timestamp: string;
};

export type NewEntry = EntryContent & { readonly id?: string };

/** Why an entry is kept from the model: what did not fit the queue is named to it later. */
export type Aside = true | "overflow";

export type EntryContent =
  | {
      readonly type: "message";
      readonly message: Message;
      readonly runId?: string;
      /** Shown to people and kept from the model: a command and the answer to it, or what did not fit the queue. */
      readonly aside?: Aside;
    }
  | {
      readonly type: "compaction";
      readonly summary: string;
      /** The oldest entry that is still given to the model word by word. */
      readonly firstKeptEntryId: string;
      readonly tokensBefore: number;
      readonly runId?: string;
    }
  | { readonly type: "model_change"; readonly provider: string; readonly modelId: string }
  | { readonly type: "thinking_level_change"; readonly thinkingLevel: string }
  | { readonly type: "custom"; readonly customType: string; readonly data: JsonObject };
