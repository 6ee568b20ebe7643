import { rowAfter } from "./row-after.ts";
import type { RowChanges, SessionRow } from "./sessions.ts";
import type { Transcript } from "./transcript.ts";

/** What a row says of the end of its conversation, for when the conversation ends elsewhere than it did. */
export async function rowAtEnd(row: SessionRow, transcript: Transcript): Promise<RowChanges> {
  let end: SessionRow = { ...row, totalTokens: 0, lastMessagePreview: undefined };
  for (const entry of await transcript.page({ limit: RECENT })) end = { ...end, ...rowAfter(end, entry) };
  const { totalTokens, lastMessagePreview } = end;
  return { totalTokens, lastMessagePreview };
}

const RECENT = 50;
