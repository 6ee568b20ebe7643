import type { Entry } from "../session/transcript.ts";

/** What the transcript already holds of a message that a crash cut off. */
export type Written =
  /** Nothing: it waits as if it had just come. */
  | "nothing"
  /** The message, and perhaps a part of the work on it: the run goes on from there. */
  | "message"
  /** The answer too: only the journal does not know yet. */
  | "answer";

/** Looks for a message and its answer among the entries that were written since it was accepted. */
export function writtenOf(runId: string, since: readonly Entry[]): Written {
  const at = since.findIndex(
    (entry) =>
      entry.type === "message" && entry.message.role === "user" && entry.message.idempotencyKey === keyOf(runId),
  );
  const message = since[at];
  if (!message) return "nothing";
  const later = since.slice(at + 1);
  const aside = message.type === "message" && message.aside;
  return later.some(aside ? (entry) => isReply(entry, runId) : isAnswer) ? "answer" : "message";
}

/** The idempotency key of a run's user message (protocol.md 6.5). */
export function keyOf(runId: string): string {
  return `${runId}:user`;
}

/** The last word of a run, whichever run it was that took the message: not a step on the way, nor the gateway's own word. */
function isAnswer(entry: Entry): boolean {
  if (entry.type !== "message" || entry.aside || entry.message.role !== "assistant") return false;
  return entry.message.stopReason !== "toolUse" && entry.message.stopReason !== "injected";
}

/** The answer to a command. */
function isReply(entry: Entry, runId: string): boolean {
  return entry.type === "message" && entry.message.role === "assistant" && entry.runId === runId;
}
