import { stopped } from "../kit/stream.ts";
import type { AssistantMessage, Message, ToolCallPart, ToolResultMessage } from "../session/message.ts";
import type { ModelEvent, ModelRequest, Provider, ProviderCall } from "./provider.ts";
import { usageOf } from "./provider-answer.ts";

/**
 * The built-in model `clawlet/echo`, which makes a first run work without a key. It understands nothing, says so, and
 * repeats what it was told; `read <path>`, `write <path> <text>` and `status` call the tools of these names, and
 * `say <n> words` writes a long answer, to watch one being streamed or stopped. The same request gets the same answer.
 */
export const echo = { api: "echo", stream } satisfies Provider;

async function* stream(request: ModelRequest, call: ProviderCall): AsyncGenerator<ModelEvent> {
  const reply = replyTo(request);
  const most = request.maxTokens === undefined ? reply.text.length : request.maxTokens * CHARACTERS_PER_TOKEN;
  const text = reply.text.slice(0, most);
  for (const word of text.match(/\s*\S+\s*/g) ?? []) {
    // Lets everything else run, and an abort arrive, between any two words.
    await new Promise((resolve) => setTimeout(resolve, 0));
    if (call.signal.aborted) throw stopped(call.signal);
    yield { type: "text", delta: word };
  }
  if (reply.call) yield { type: "toolCall", call: reply.call };
  yield { type: "done", message: messageOf(request, { ...reply, text, cut: text !== reply.text, now: call.now() }) };
}

interface Reply {
  readonly text: string;
  readonly call?: ToolCallPart | undefined;
}

const CHARACTERS_PER_TOKEN = 4;
const LONGEST_QUOTE = 2000;
const MOST_WORDS = 2000;

function replyTo({ messages, tools }: ModelRequest): Reply {
  const last = messages.at(-1);
  if (last?.role === "toolResult") return { text: report(messages) };
  const said = last ? textOf(last).trim() : "";
  const wanted = commandIn(said);
  if (wanted && tools.some(({ name }) => name === wanted.name)) {
    // Unlike any other call of the session: the message that asks for it is answered once.
    const id = `echo_${last?.timestamp ?? 0}_${messages.length}`;
    return { text: "", call: { type: "toolCall", id, ...wanted } };
  }
  const words = Number(/^say (\d{1,6}) words?$/i.exec(said)?.[1] ?? 0);
  if (words > 0) return { text: numbered(Math.min(words, MOST_WORDS)) };
  const introduced = messages.some(({ role }) => role === "assistant");
  const quote = said === "" ? "You sent no text." : `You said: ${shortened(said)}`;
  return { text: introduced ? `${quote}\n\n${REMINDER}` : `${INTRODUCTION}\n\n${quote}` };
}

const INTRODUCTION =
  "No model is set up yet. I am the built-in stand-in: I understand nothing and only repeat what you say. " +
  "For a real model run `clawlet onboard`, or start the gateway with an API key in its environment " +
  "(such as ANTHROPIC_API_KEY or OPENAI_API_KEY), or install Ollama. Until then I can `read <path>`, " +
  "`write <path> <text>`, show the `status`, and `say <number> words`.";
const REMINDER = "(I am only the built-in stand-in; `clawlet onboard` sets up a real model.)";

function commandIn(said: string): Pick<ToolCallPart, "name" | "arguments"> | undefined {
  if (/^status$/i.test(said)) return { name: "session_status", arguments: {} };
  const read = /^read (\S+)$/i.exec(said);
  if (read) return { name: "read", arguments: { path: read[1] } };
  const write = /^write (\S+)\s([\s\S]+)$/i.exec(said);
  return write ? { name: "write", arguments: { path: write[1], content: write[2] } } : undefined;
}

/** What came of the calls of the last answer. */
function report(messages: readonly Message[]): string {
  const asked = messages.findLastIndex(({ role }) => role !== "toolResult");
  return messages
    .slice(asked + 1)
    .filter((message): message is ToolResultMessage => message.role === "toolResult")
    .map((result) => `${result.toolName} ${result.isError ? "failed" : "says"}:\n${shortened(textOf(result))}`)
    .join("\n\n");
}

function numbered(count: number): string {
  return Array.from({ length: count }, (_, index) => `word${index + 1}`).join(" ");
}

function shortened(text: string): string {
  return text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text;
}

function textOf(message: Message): string {
  return message.content.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("\n");
}

function messageOf(
  { model, system, messages }: ModelRequest,
  { text, call, cut, now }: Reply & { readonly cut: boolean; readonly now: number },
): AssistantMessage {
  const read = messages.reduce((sum, message) => sum + textOf(message).length, system.length);
  const written = text.length + (call ? JSON.stringify(call.arguments).length : 0);
  return {
    role: "assistant",
    content: [...(text === "" ? [] : [{ type: "text" as const, text }]), ...(call ? [call] : [])],
    api: "echo",
    provider: model.provider,
    model: model.id,
    usage: usageOf(model.cost, { input: read / CHARACTERS_PER_TOKEN, output: written / CHARACTERS_PER_TOKEN }),
    stopReason: call ? "toolUse" : cut ? "length" : "stop",
    timestamp: now,
  };
}
