import { shownKinds } from "./public-message.ts";
import type { Entry, Transcript } from "./transcript.ts";

/**
 * How many entries that people see come after this one; undefined when a rewind left it behind. Asks for a few single
 * entries, however long the conversation is.
 */
export async function positionOf(transcript: Transcript, { id, seq }: Entry): Promise<number | undefined> {
  let newest = 0;
  // Every entry after it has a higher number, so there cannot be more of them than numbers.
  let oldest = Math.min((await transcript.count()) - 1, (await transcript.last()) - seq);
  while (newest <= oldest) {
    const offset = Math.floor((newest + oldest) / 2);
    const [entry] = await transcript.page({ limit: 1, offset, kinds: shownKinds });
    if (entry?.id === id) return offset;
    if (entry && entry.seq > seq) newest = offset + 1;
    else oldest = offset - 1;
  }
  return undefined;
}
