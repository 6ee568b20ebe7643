import { fromBase64, toBase64Url } from "../kit/ids.ts";
import { parseJson } from "../kit/json.ts";
import type { Entry, Transcript } from "./transcript.ts";

/** How far a client has read: a session and its newest entry then. On the wire it is text that nobody takes apart. */
export interface Cursor {
  readonly sessionId: string;
  /** Absent while nothing was said. */
  readonly entryId?: string | undefined;
  readonly seq: number;
}

export function formatCursor({ sessionId, entryId, seq }: Cursor): string {
  return toBase64Url(new TextEncoder().encode(JSON.stringify([1, sessionId, entryId ?? null, seq])));
}

/** The cursor in this text; undefined when it is not one of ours. */
export function parseCursor(text: string): Cursor | undefined {
  const bytes = text.length > 400 ? undefined : fromBase64(text);
  const value = bytes ? parseJson(new TextDecoder().decode(bytes)) : undefined;
  if (!Array.isArray(value)) return undefined;
  const [version, sessionId, entryId, seq] = value as unknown[];
  if (version !== 1 || typeof sessionId !== "string" || !Number.isSafeInteger(seq)) return undefined;
  if (entryId !== null && typeof entryId !== "string") return undefined;
  return { sessionId, entryId: entryId ?? undefined, seq: Number(seq) };
}

/** Where the conversation is now. */
export async function cursorOf(transcript: Transcript): Promise<Cursor> {
  const [newest] = await transcript.page({ limit: 1 });
  return { sessionId: transcript.sessionId, entryId: newest?.id, seq: newest?.seq ?? 0 };
}

/** What a client that is further behind loads anew instead. */
const maxBehind = 1000;

/**
 * What was said since; undefined when the client has to load the conversation anew: it is another one, a rewind left
 * behind what the client has, or there is too much.
 */
export async function entriesSince(transcript: Transcript, cursor: Cursor): Promise<readonly Entry[] | undefined> {
  const { sessionId, entryId, seq } = cursor;
  const behind = (await transcript.last()) - seq;
  if (sessionId !== transcript.sessionId || behind < 0 || behind > maxBehind || seq < 0) return undefined;
  if (entryId === undefined) return seq === 0 ? transcript.after(0) : undefined;
  const [known, ...since] = await transcript.after(seq - 1);
  return known?.id === entryId ? since : undefined;
}
