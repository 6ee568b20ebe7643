import type { AssistantMessage, Message, ToolCallPart, ToolResultMessage } from "../session/message.ts";
import type { Entry } from "../session/transcript.ts";

/**
 * The messages that a model is given for a transcript's entries: well-formed for every provider, whatever happened while
 * it was written. Every call is followed directly by its result, and the first and the last message are the user's or a
 * tool's.
 */
export function toMessages(entries: readonly Entry[]): readonly Message[] {
  return framed([...summaryMessage(entries), ...conversation(entries)]);
}

/** What was said in these entries, each call followed directly by its result. */
export function conversation(entries: readonly Entry[]): readonly Message[] {
  const said = entries.flatMap((entry) => (entry.type === "message" && !entry.aside ? [usable(entry.message)] : []));
  return paired(said.filter((message) => message !== undefined));
}

/** The newest compaction: it took over from the ones before it. */
export function compactionOf(entries: readonly Entry[]): CompactionEntry | undefined {
  return entries
    .filter((entry): entry is CompactionEntry => entry.type === "compaction")
    .reduce<CompactionEntry | undefined>((best, entry) => (best && best.seq > entry.seq ? best : entry), undefined);
}

export type CompactionEntry = Extract<Entry, { type: "compaction" }>;

/** A compaction's summary as the user message that stands for what was summed up. */
function summaryMessage(entries: readonly Entry[]): readonly Message[] {
  const newest = compactionOf(entries);
  if (!newest) return [];
  const text = `[The conversation up to here was summed up, as it had become too long. Summary:]\n\n${newest.summary}\n\n[End of the summary. What follows is word by word.]`;
  return [userText(text, Date.parse(newest.timestamp) || 0)];
}

/** A message without what no provider takes back: blank texts, and the unfinished parts of an answer that broke off. */
function usable(message: Message): Message | undefined {
  if (message.role === "toolResult") return message;
  if (message.role === "user") {
    const content = message.content.filter((part) => part.type !== "text" || part.text.trim() !== "");
    return content.length > 0 ? { ...message, content } : undefined;
  }
  const brokenOff = message.stopReason === "error" || message.stopReason === "aborted";
  const content = message.content.filter((part) => (part.type === "text" ? part.text.trim() !== "" : !brokenOff));
  return content.some((part) => part.type !== "thinking") ? { ...message, content } : undefined;
}

/** Puts the results of every call directly behind it, in the order of the calls, and leaves out results without a call. */
function paired(messages: readonly Message[]): readonly Message[] {
  const out: Message[] = [];
  messages.forEach((message, index) => {
    if (message.role === "toolResult") return;
    out.push(message);
    if (message.role !== "assistant") return;
    const results = resultsAfter(messages, index);
    for (const call of callsOf(message)) out.push(takeResult(results, call) ?? lostResult(call, message));
  });
  return out;
}

/** The tool calls of an answer, in order. */
export function callsOf(message: AssistantMessage): readonly ToolCallPart[] {
  return message.content.filter((part) => part.type === "toolCall");
}

/** Results up to the next answer of a model: ids are only told apart within one answer. */
function resultsAfter(messages: readonly Message[], index: number): ToolResultMessage[] {
  const results: ToolResultMessage[] = [];
  for (let at = index + 1; at < messages.length; at++) {
    const message = messages[at];
    if (message?.role === "assistant" && message.stopReason !== "injected") break;
    if (message?.role === "toolResult") results.push(message);
  }
  return results;
}

function takeResult(results: ToolResultMessage[], call: ToolCallPart): ToolResultMessage | undefined {
  const index = results.findIndex(({ toolCallId }) => toolCallId === call.id);
  return index < 0 ? undefined : results.splice(index, 1)[0];
}

function lostResult({ id, name }: ToolCallPart, { timestamp }: AssistantMessage): ToolResultMessage {
  const text =
    "The gateway restarted before the result of this call was recorded. It may or may not have taken effect: look before you repeat it.";
  return {
    role: "toolResult",
    toolCallId: id,
    toolName: name,
    content: [{ type: "text", text }],
    isError: true,
    timestamp,
  };
}

/** Providers want the user to begin, and an answer to be asked for: a greeting or a cut-off answer stands at neither end. */
function framed(messages: readonly Message[]): readonly Message[] {
  const [first, last] = [messages[0], messages.at(-1)];
  return [
    ...(first?.role === "assistant" ? [userText("[The conversation begins.]", first.timestamp)] : []),
    ...messages,
    ...(last?.role === "assistant" ? [userText("[Go on from where your last answer ended.]", last.timestamp)] : []),
  ];
}

function userText(text: string, timestamp: number): Message {
  return { role: "user", content: [{ type: "text", text }], timestamp };
}
