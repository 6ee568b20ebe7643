import { rowAfter } from "../session/row-after.ts";
import type { RowChanges, SessionRow, Sessions } from "../session/sessions.ts";
import type { Entry, NewEntry } from "../session/transcript.ts";
import type { RunEvent } from "./runner.ts";

/** A session's context while something works on it: what a model is given, and the one way to add to it. */
export interface Conversation {
  /** As the transcript's `context`, with everything that was added since. */
  readonly entries: readonly Entry[];
  /** The row as it is; undefined when the session was reset or deleted meanwhile. */
  row(): SessionRow | undefined;
  /** Changes the row, unless it is another session's by now. */
  note(changes: RowChanges): void;
  /** Writes entries; once they are on the disk the row follows, and whoever watches is told. */
  append(entries: readonly NewEntry[]): Promise<readonly Entry[]>;
  /** Reads the context again: it begins elsewhere after a compaction. */
  reload(): Promise<void>;
}

export async function openConversation(
  sessions: Sessions,
  { sessionKey, sessionId, agentId }: Pick<SessionRow, "sessionId" | "agentId"> & { sessionKey: string },
  emit: (event: RunEvent) => void,
): Promise<Conversation> {
  const transcript = sessions.transcript({ sessionId, agentId });
  let entries = [...(await transcript.context())];
  const row = (): SessionRow | undefined => {
    const found = sessions.get(sessionKey);
    return found?.sessionId === sessionId ? found : undefined;
  };
  return {
    get entries() {
      return entries;
    },
    row,
    note(changes) {
      if (row()) sessions.note(sessionKey, changes);
    },
    async append(added) {
      const written = await transcript.append(added);
      for (const entry of written) {
        const before = row();
        if (before) sessions.note(sessionKey, rowAfter(before, entry));
        entries.push(entry);
        emit({ type: "entry", entry });
      }
      return written;
    },
    async reload() {
      entries = [...(await transcript.context())];
    },
  };
}
