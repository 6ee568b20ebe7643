import { isSilent } from "../agent/draft.ts";
import { textOf, type AssistantMessage } from "../session/message.ts";
import type { Aside, Entry } from "../session/transcript.ts";

/** What the transcript already holds of a message that a crash cut off. */
export type Written =
  /** Nothing: it waits as if it had just come. */
  | { readonly kind: "nothing" }
  /** The message, kept from the model: a command whose answer was cut off, or one that was to have no turn. */
  | { readonly kind: "aside"; readonly why: Aside }
  /** The message, and perhaps a part of the work on it: the run goes on from there. */
  | { readonly kind: "message" }
  /** The answer too: only the journal does not know yet. */
  | ({ readonly kind: "answer" } & WrittenAnswer);

export interface WrittenAnswer {
  /** The run that answered, which may have taken the message from its own. */
  readonly runId: string;
  /** Its last word. */
  readonly message: AssistantMessage;
  /** All that it said on the way there, as people are to be shown it. */
  readonly texts: readonly string[];
  /** A command was answered. */
  readonly isCommand: boolean;
}

/** Looks for a message and its answer among the entries that were written since it was accepted. */
export function writtenOf(runId: string, since: readonly Entry[]): Written {
  const at = since.findIndex(
    (entry) =>
      entry.type === "message" && entry.message.role === "user" && entry.message.idempotencyKey === keyOf(runId),
  );
  const message = since[at];
  if (!message) return { kind: "nothing" };
  const aside = message.type === "message" ? message.aside : undefined;
  const isCommand = aside !== undefined;
  const end = since.findIndex((entry, index) => index > at && (isCommand ? isReply(entry, runId) : isAnswer(entry)));
  const last = since[end];
  if (last?.type !== "message" || last.message.role !== "assistant")
    return aside ? { kind: "aside", why: aside } : { kind: "message" };
  const { runId: by = runId, message: answer } = last;
  const texts = since
    .slice(0, end + 1)
    .flatMap((entry) => (isWord(entry, by, isCommand) ? [textOf(entry.message)] : []));
  const shown = texts.filter((text) => text.trim() !== "" && !isSilent(text));
  return { kind: "answer", runId: by, message: answer, texts: shown, isCommand };
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

/** Something that the model said in a run, or the gateway in place of it. */
function isWord(entry: Entry, runId: string, isCommand: boolean): entry is Entry & { readonly type: "message" } {
  if (entry.type !== "message" || entry.message.role !== "assistant" || entry.runId !== runId) return false;
  return isCommand || (!entry.aside && entry.message.stopReason !== "injected");
}

/** The answer to a command. */
function isReply(entry: Entry, runId: string): boolean {
  return entry.type === "message" && entry.message.role === "assistant" && entry.runId === runId;
}
