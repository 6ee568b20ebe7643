/** Finds words in what was said, over all sessions. Derived from the transcripts, and made anew when it is damaged. */
export interface SearchIndex {
  /** Notes texts, to be found at once and on the disk soon. */
  add(texts: readonly SearchText[]): void;
  /** What a session said is not found any more. */
  forget(sessionId: string): void;
  /** The best and newest first. Stops at `deadlineMs` from now, saying so, rather than answering late. */
  query(query: {
    readonly text: string;
    readonly limit: number;
    readonly visible: (sessionId: string) => boolean;
    readonly deadlineMs?: number;
  }): Promise<{ readonly hits: readonly TextHit[]; readonly truncated: boolean }>;
  /** Everything added with a timestamp before this is on the disk; what is newer must be added again after a crash (twice does no harm). */
  readonly syncedTo: number;
  /** Resolves when what was added and forgotten until now is on the disk: for whoever adds a great many. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

export interface SearchText {
  readonly sessionId: string;
  readonly entryId: string;
  readonly role: "user" | "assistant";
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  readonly text: string;
}

export interface TextHit extends Omit<SearchText, "text"> {
  /** The words around the first match. */
  readonly snippet: string;
  readonly score: number;
}
