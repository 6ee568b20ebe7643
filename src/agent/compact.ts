import type { Config } from "../config/schema.ts";
import { Failure } from "../kit/error.ts";
import { textOf, type Message, type Usage } from "../session/message.ts";
import type { Entry } from "../session/transcript.ts";
import { ask, type Asking, type Question } from "./ask.ts";
import { clip } from "./clip.ts";
import { compactionOf, conversation } from "./context.ts";
import type { Conversation } from "./conversation.ts";
import { createDraft } from "./draft.ts";
import type { Limits } from "./limits.ts";
import { pieces, plainSummary, record, summaryPrompt, summaryRequest } from "./summary.ts";
import { thinkingFor } from "./thinking.ts";
import { entryTokens, textTokens } from "./tokens.ts";

/** One compaction of a session. */
export interface Compaction {
  readonly conversation: Conversation;
  readonly limits: Limits;
  readonly mode: Config["agents"]["defaults"]["compaction"]["mode"];
  /** Tokens that stay word by word. */
  readonly keep: number;
  readonly tokensBefore: number;
  /** Who asks which model, and how that may be stopped. */
  readonly asker: Pick<Question, "agentId" | "sessionKey" | "row" | "reference" | "signal">;
  /** What the person wants kept. */
  readonly wish?: string | undefined;
  readonly runId?: string | undefined;
  /** Called with what each request used. */
  readonly spent: (usage: Usage) => void;
}

/**
 * Replaces the older part of a conversation by a summary; the entries themselves stay in the transcript. Answers false
 * when there is nothing to sum up. The summary is a model's, or when none can be asked one that needs no model: a
 * conversation never ends because it could not be summed up. Throws only why the signal aborted, and what the disk says.
 */
export async function compactConversation(asking: Asking, compaction: Compaction): Promise<boolean> {
  const { conversation: context, keep, tokensBefore, runId } = compaction;
  const { entries } = context;
  const first = firstKept(entries, keep);
  const kept = first === undefined ? undefined : entries[first];
  if (first === undefined || !kept) return false;
  const summary = await summarise(asking, compaction, {
    messages: conversation(entries.slice(0, first)),
    earlier: compactionOf(entries)?.summary ?? "",
  });
  await context.append([
    { type: "compaction", summary, firstKeptEntryId: kept.id, tokensBefore, ...(runId === undefined ? {} : { runId }) },
  ]);
  await context.reload();
  return true;
}

/**
 * Index of the oldest entry that stays: the newest `keep` tokens, and what was said last in any case. It is always a
 * person's message or an answer, and never stands between a call and its result. Undefined when nothing comes before it.
 */
export function firstKept(entries: readonly Entry[], keep: number): number | undefined {
  const cuts = cutPoints(entries);
  const newest = cuts.at(-1);
  if (newest === undefined) return undefined;
  let tokens = 0;
  let index = entries.length;
  while (index > 0 && tokens + tokensAt(entries, index - 1) <= keep) tokens += tokensAt(entries, --index);
  const first = Math.min(cuts.find((cut) => cut >= index) ?? newest, newest);
  return entries.slice(0, first).some(isSaid) ? first : undefined;
}

/** A request for a summary goes through so many pieces of a record; what is older is left to the plain summary. */
const MOST_PIECES = 8;
/** Share of the room that a piece takes: estimates are rough, and `safeguard` is for those who met that. */
const PIECE_SHARE = { default: 0.8, safeguard: 0.35 } as const;

function cutPoints(entries: readonly Entry[]): readonly number[] {
  const out: number[] = [];
  let open = new Set<string>();
  entries.forEach((entry, index) => {
    if (entry.type !== "message" || entry.aside) return;
    const { message } = entry;
    if (message.role === "toolResult") open.delete(message.toolCallId);
    else if (message.role === "assistant" && message.stopReason !== "injected") {
      // Results that have not come by now never will.
      out.push(index);
      open = new Set(message.content.flatMap((part) => (part.type === "toolCall" ? [part.id] : [])));
    } else if (open.size === 0) out.push(index);
  });
  return out;
}

function tokensAt(entries: readonly Entry[], index: number): number {
  const entry = entries[index];
  // The summary is always replaced.
  return entry && entry.type !== "compaction" ? entryTokens(entry) : 0;
}

function isSaid(entry: Entry): boolean {
  return entry.type === "message" && !entry.aside;
}

async function summarise(
  asking: Asking,
  compaction: Compaction,
  { messages, earlier }: { messages: readonly Message[]; earlier: string },
): Promise<string> {
  const { limits, mode, asker } = compaction;
  const text = record(messages);
  const size = limits.summary * 4;
  // Letters to a token differ by script: what was counted for this record says how many.
  const letters = text.length / Math.max(1, textTokens(text));
  const room = Math.max(256, limits.window - limits.reserve - 2 * limits.summary - textTokens(summaryPrompt));
  const all = pieces(text, Math.max(1000, Math.floor(room * PIECE_SHARE[mode] * letters)));
  const skipped = all.length > MOST_PIECES;
  try {
    let notes = skipped ? plainSummary(messages, { earlier, size }) : earlier;
    for (const piece of all.slice(-MOST_PIECES)) notes = await askForNotes(asking, compaction, { piece, notes });
    return clip(notes, size);
  } catch (error) {
    if (asker.signal.aborted) throw error;
    asking.log.warn("no model could sum up the conversation: the summary is made without one", { error });
    return plainSummary(messages, { earlier, size });
  }
}

async function askForNotes(
  asking: Asking,
  { asker, limits, wish, spent }: Compaction,
  { piece, notes }: { piece: string; notes: string },
): Promise<string> {
  const quiet = (): void => undefined;
  const { message } = await ask(asking, {
    ...asker,
    emit: quiet,
    draft: createDraft(quiet, "summary"),
    request: (model) =>
      Promise.resolve({
        model,
        system: summaryPrompt,
        messages: [
          {
            role: "user",
            content: [{ type: "text", text: summaryRequest(piece, { earlier: notes, wish }) }],
            timestamp: asking.clock.now(),
          },
        ],
        tools: [],
        thinking: thinkingFor(asking.accounts, model, "off"),
        maxTokens: Math.min(limits.summary, model.maxTokens),
      }),
  });
  spent(message.usage);
  const text = textOf(message).trim();
  if (text === "") throw new Failure("failed", "the model answered a request for a summary with nothing");
  return text;
}
