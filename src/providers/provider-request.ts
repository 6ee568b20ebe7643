import type {
  AssistantMessage,
  ImagePart,
  Message,
  ToolCallPart,
  ToolResultMessage,
  UserMessage,
} from "../session/message.ts";
import type { ModelSpec, ThinkingLevel } from "./provider.ts";
import { visible } from "./provider-failure.ts";

/**
 * The messages in the order that every vendor asks for: the first is the user's, and the results of an answer's calls
 * come right after it, one for each. A result that was lost is replaced by an error, one without a call is left out.
 */
export function inOrder(messages: readonly Message[]): readonly Message[] {
  const out: Message[] = [];
  for (const [index, message] of messages.entries()) {
    if (message.role === "toolResult") continue;
    if (out.length === 0 && message.role === "assistant") out.push(leftOut(message));
    out.push(message);
    if (message.role !== "assistant") continue;
    const end = messages.findIndex((later, at) => at > index && later.role === "assistant");
    const following = messages.slice(index + 1, end === -1 ? undefined : end);
    const results = new Map(following.flatMap((one) => (one.role === "toolResult" ? [[one.toolCallId, one]] : [])));
    for (const part of message.content)
      if (part.type === "toolCall") out.push(results.get(part.id) ?? lostResult(part, message));
  }
  return out;
}

function leftOut({ timestamp }: AssistantMessage): UserMessage {
  return { role: "user", content: [{ type: "text", text: "[Earlier messages are left out.]" }], timestamp };
}

function lostResult({ id, name }: ToolCallPart, { timestamp }: AssistantMessage): ToolResultMessage {
  const text = "This call was interrupted and has no result. It may or may not have taken effect.";
  const content = [{ type: "text" as const, text }];
  return { role: "toolResult", toolCallId: id, toolName: name, content, isError: true, timestamp };
}

/** Whether opaque proofs in an answer are this model's own: no other can read them, and some refuse them. */
export function isOwn(message: AssistantMessage, model: ModelSpec): boolean {
  return message.api === model.api && message.provider === model.provider && message.model === model.id;
}

/** What stands where a picture was that the model cannot be given. */
export function pictureNote({ fileName, mimeType }: ImagePart): string {
  return `[A picture is left out here: ${visible(fileName ?? mimeType, 80)}]`;
}

const efforts = ["none", "minimal", "low", "medium", "high", "xhigh", "max"];

/**
 * The `reasoning_effort` of OpenAI's dialects for a level: the nearest that the model accepts, which
 * `compat.efforts` lists (`none low high`); undefined when the field is best left out.
 */
export function effortOf({ compat }: ModelSpec, level: ThinkingLevel): string | undefined {
  const listed = typeof compat["efforts"] === "string" ? compat["efforts"].split(" ") : undefined;
  if (level === "off") return listed?.[0];
  const wanted = efforts.indexOf(level);
  const distance = (effort: string): number => Math.abs(efforts.indexOf(effort) - wanted - 0.1);
  return (listed ?? ["low", "medium", "high"])
    .filter((effort) => effort !== "none")
    .reduce((best, effort) => (distance(effort) < distance(best) ? effort : best));
}

/** Gives ids that do not fit, such as those of another provider's calls, one that does, by order of appearance. */
export function fittingIds(fits: RegExp): (id: string) => string {
  const replaced = new Map<string, string>();
  return (id) => {
    if (fits.test(id)) return id;
    const known = replaced.get(id) ?? `c${String(replaced.size).padStart(8, "0")}`;
    replaced.set(id, known);
    return known;
  };
}

/** A tool's name as every dialect takes it back in the history, whatever a model has called. */
export function fittingName(name: string): string {
  return name.replace(/[^\w-]/g, "_").slice(0, 64) || "_";
}
