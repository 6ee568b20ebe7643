import { textOf } from "../session/message.ts";
import type { Entry, Transcript } from "../session/transcript.ts";
import { firstWords } from "../session/words.ts";
import { keyOf } from "./written.ts";

/** First words of messages that did not fit the queue, newest last, since the model was last given a message that did. */
export async function overflowOf(transcript: Transcript): Promise<readonly string[]> {
  return (await sinceLastTurn(transcript))
    .flatMap((entry) => (isOverflow(entry) ? [firstWords(textOf(entry.message), WORDS)] : []))
    .filter(Boolean)
    .slice(-MOST);
}

async function sinceLastTurn(transcript: Transcript): Promise<readonly Entry[]> {
  const last = (limit: number): Promise<readonly Entry[]> => transcript.page({ limit, kinds: ["message"] });
  const few = await last(FEW);
  const entries = few.length < FEW || few.some(isTurn) ? few : await last(MANY);
  return entries.slice(entries.findLastIndex(isTurn) + 1);
}

/** Messages that are looked at: in most turns there are few, and what is beyond many is not named. */
const FEW = 10;
const MANY = 300;
/** Messages that are named, and letters of each. */
const MOST = 20;
const WORDS = 160;

function isOverflow(entry: Entry): entry is Entry & { readonly type: "message" } {
  return entry.type === "message" && entry.aside === "overflow";
}

/** The message of a person that a turn began with; one that steered a turn has the run of another. */
function isTurn(entry: Entry): boolean {
  if (entry.type !== "message" || entry.aside || entry.message.role !== "user" || !entry.runId) return false;
  return entry.message.idempotencyKey === keyOf(entry.runId);
}
