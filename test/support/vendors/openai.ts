import { isObject, type JsonObject, parseJson } from "../../../src/kit/json.ts";
import { type Chunking, type Double, play, type Script } from "./double.ts";
import { problem } from "./openai-scripts.ts";

/**
 * OpenAI's server in both dialects, and those of who speak like it. It refuses what they refuse, as they do: a wrong
 * key, fields that nobody knows, calls without results, results without calls. Else it answers with the script.
 */
export function openaiDouble(options: {
  readonly script: Script | ((body: JsonObject) => Script);
  /** Whose rules hold beside OpenAI's. */
  readonly vendor?: keyof typeof vendors;
  readonly key?: string;
  readonly chunking?: Chunking;
}): Double {
  const { script, vendor = "openai", key = "key-of-the-test", chunking } = options;
  const bodies: JsonObject[] = [];
  const send = (script: Script): Response =>
    play(script, { type: "text/event-stream; charset=utf-8", ...(chunking ? { chunking } : {}) });
  return {
    bodies,
    async answer(request) {
      const { pathname } = new URL(request.url);
      if (request.headers.get("authorization") !== `Bearer ${key}`)
        return send(problem(401, { type: "invalid_request_error", code: "invalid_api_key", message: "Incorrect key" }));
      if (request.method === "GET" && pathname.endsWith("/models")) return Response.json(listed);
      const body = parseJson(await request.text());
      const wrong = isObject(body)
        ? complaint(request, { path: pathname, body, vendor })
        : "the body is no JSON object";
      if (wrong !== undefined || !isObject(body))
        return send(problem(400, { type: "invalid_request_error", code: null, message: wrong ?? "" }));
      bodies.push(body);
      return send(typeof script === "function" ? script(body) : script);
    },
  };
}

/** As OpenAI, OpenRouter, Groq and vLLM list their models, and what is none. */
const listed = {
  object: "list",
  data: [
    { id: "gpt-5.2", object: "model", created: 1686935002, owned_by: "openai" },
    { id: "a/b", name: "A: B", context_length: 200_000, top_provider: { max_completion_tokens: 64_000 } },
    { id: "llama", context_window: 131_072, max_completion_tokens: 32_768 },
    { id: "served", max_model_len: 4096 },
    { id: 7 },
    "nonsense",
  ],
};

interface Vendor {
  /** Further fields of a request and of its messages. */
  readonly fields: readonly string[];
  readonly messageFields: readonly string[];
  readonly toolId: RegExp;
  /** `reasoning_content` must come back with calls while it thinks. */
  readonly wantsReasoning?: true;
}

const openAiIds = /^.{1,40}$/;
const vendors = {
  openai: { fields: [], messageFields: [], toolId: openAiIds },
  openrouter: { fields: ["reasoning"], messageFields: ["reasoning_details"], toolId: openAiIds },
  deepseek: { fields: ["thinking"], messageFields: ["reasoning_content"], toolId: openAiIds, wantsReasoning: true },
  mistral: { fields: [], messageFields: [], toolId: /^[a-zA-Z0-9]{9}$/ },
} satisfies Record<string, Vendor>;

function complaint(
  request: Request,
  { path, body, vendor }: { path: string; body: JsonObject; vendor: keyof typeof vendors },
): string | undefined {
  if (request.method !== "POST") return `method ${request.method}`;
  if (!request.headers.get("content-type")?.startsWith("application/json")) return "content-type";
  if (typeof body["model"] !== "string" || body["model"] === "") return "model";
  if (body["stream"] !== true) return "stream";
  if (typeof body["prompt_cache_key"] === "string" && body["prompt_cache_key"].length > 64) return "prompt_cache_key";
  if (path.endsWith("/chat/completions")) return wrongCompletion(body, vendors[vendor]);
  return path.endsWith("/responses") ? wrongResponse(body) : `path ${path}`;
}

const efforts = ["none", "minimal", "low", "medium", "high", "xhigh", "max"];
const completionFields = [
  "model",
  "messages",
  "stream",
  "stream_options",
  "tools",
  "max_tokens",
  "max_completion_tokens",
  "temperature",
  "reasoning_effort",
  "prompt_cache_key",
];

function wrongCompletion(body: JsonObject, vendor: Vendor): string | undefined {
  const unknown = unknownField(body, [...completionFields, ...vendor.fields]);
  if (unknown !== undefined) return `Unrecognized request argument supplied: ${unknown}`;
  if ("max_tokens" in body && "max_completion_tokens" in body) return "both max_tokens and max_completion_tokens";
  if ("reasoning_effort" in body && !efforts.includes(String(body["reasoning_effort"]))) return "reasoning_effort";
  const thinking = isObject(body["thinking"]) && body["thinking"]["type"] === "enabled";
  return wrongTools(body, "function") ?? wrongMessages(body["messages"], { vendor, thinking });
}

function wrongMessages(
  messages: unknown,
  { vendor, thinking }: { vendor: Vendor; thinking: boolean },
): string | undefined {
  if (!Array.isArray(messages) || messages.length === 0) return "messages: [] is too short";
  const open = new Set<string>();
  const fields = ["role", "content", "name", "tool_calls", "tool_call_id", ...vendor.messageFields];
  for (const [index, message] of messages.entries()) {
    const at = `messages[${index}]`;
    if (!isObject(message)) return `${at} is no object`;
    const unknown = unknownField(message, fields);
    if (unknown !== undefined) return `${at}: additional properties are not allowed ('${unknown}' was unexpected)`;
    if (message["role"] !== "tool" && open.size > 0)
      return `${at}: an assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id': ${[...open].join()}`;
    const wrong = wrongMessage(message, { vendor, thinking, open });
    if (wrong !== undefined) return `${at}: ${wrong}`;
  }
  return open.size > 0 ? "calls without results at the end" : undefined;
}

function wrongMessage(
  message: JsonObject,
  { vendor, thinking, open }: { vendor: Vendor; thinking: boolean; open: Set<string> },
): string | undefined {
  const { role, content, tool_calls: calls, tool_call_id: id } = message;
  switch (role) {
    case "system":
    case "developer":
    case "user":
      return wrongContent(content, role === "user");
    case "tool":
      if (typeof id !== "string" || !open.delete(id)) return `a result without its call: ${String(id)}`;
      return typeof content === "string" && content !== "" ? undefined : "content of a result";
    case "assistant":
      if (calls === undefined) return wrongContent(content, false);
      if (!Array.isArray(calls) || calls.length === 0) return "tool_calls: [] is too short";
      if (content !== null && typeof content !== "string") return "content";
      if (vendor.wantsReasoning && thinking && typeof message["reasoning_content"] !== "string")
        return "reasoning_content is missing in assistant tool call message";
      return calls.map((call) => wrongCall(call, { vendor, open })).find((wrong) => wrong !== undefined);
    default:
      return `unknown role ${String(role)}`;
  }
}

function wrongCall(call: unknown, { vendor, open }: { vendor: Vendor; open: Set<string> }): string | undefined {
  if (!isObject(call) || call["type"] !== "function" || !isObject(call["function"])) return "tool_calls[].type";
  const { id } = call;
  if (typeof id !== "string" || !vendor.toolId.test(id)) return `tool call id was ${String(id)}`;
  if (open.has(id)) return `two calls with the id ${id}`;
  open.add(id);
  return wrongFunction(call["function"]["name"], call["function"]["arguments"]);
}

function wrongFunction(name: unknown, args: unknown): string | undefined {
  if (typeof name !== "string" || !/^[a-zA-Z0-9_-]{1,64}$/.test(name)) return `function name ${String(name)}`;
  return typeof args === "string" && isObject(parseJson(args)) ? undefined : "arguments are no JSON in a text";
}

function wrongContent(content: unknown, pictures: boolean): string | undefined {
  if (typeof content === "string") return content === "" ? "empty content" : undefined;
  if (!Array.isArray(content) || content.length === 0) return "content";
  for (const part of content as unknown[]) {
    if (!isObject(part)) return "content part";
    if (part["type"] === "text" && typeof part["text"] === "string") continue;
    const url = isObject(part["image_url"]) ? part["image_url"]["url"] : undefined;
    if (!pictures || part["type"] !== "image_url" || !isPicture(url)) return `content part ${JSON.stringify(part)}`;
  }
  return undefined;
}

function isPicture(url: unknown): boolean {
  return typeof url === "string" && /^data:image\/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/]+=*$/.test(url);
}

function wrongTools({ tools }: JsonObject, nested: "function" | undefined): string | undefined {
  if (tools === undefined) return undefined;
  if (!Array.isArray(tools) || tools.length === 0) return "tools: [] is too short";
  for (const tool of tools as unknown[]) {
    const facts = isObject(tool) && nested ? tool[nested] : tool;
    if (!isObject(tool) || tool["type"] !== "function" || !isObject(facts)) return "tools[].type";
    if (!/^[a-zA-Z0-9_-]{1,64}$/.test(String(facts["name"]))) return "tools[].name";
    if (!isObject(facts["parameters"]) || facts["parameters"]["type"] !== "object") return "tools[].parameters";
    if (!nested && facts["strict"] !== false) return "tools[].strict: every property must be required";
  }
  return undefined;
}

const responseFields = [
  "model",
  "stream",
  "store",
  "instructions",
  "input",
  "tools",
  "max_output_tokens",
  "temperature",
  "prompt_cache_key",
  "include",
  "reasoning",
];

function wrongResponse(body: JsonObject): string | undefined {
  const unknown = unknownField(body, responseFields);
  if (unknown !== undefined) return `Unknown parameter: '${unknown}'`;
  if (body["store"] !== false) return "store";
  if (typeof body["max_output_tokens"] === "number" && body["max_output_tokens"] < 16) return "max_output_tokens";
  const { reasoning, input } = body;
  if (reasoning !== undefined && (!isObject(reasoning) || !efforts.includes(String(reasoning["effort"]))))
    return "reasoning.effort";
  if (!Array.isArray(input) || input.length === 0) return "input";
  return wrongTools(body, undefined) ?? wrongItems(input);
}

function wrongItems(items: readonly unknown[]): string | undefined {
  const open = new Set<string>();
  for (const [index, item] of items.entries()) {
    const wrong = isObject(item) ? wrongItem(item, { open, next: items[index + 1] }) : "no object";
    if (wrong !== undefined) return `input[${index}]: ${wrong}`;
  }
  return open.size > 0 ? `No tool output found for function call ${[...open].join()}` : undefined;
}

function wrongItem(item: JsonObject, { open, next }: { open: Set<string>; next: unknown }): string | undefined {
  switch (item["type"] ?? item["role"]) {
    case "user":
      return wrongParts(item["content"]);
    case "assistant":
      return (
        unknownField(item, ["role", "content", "phase"]) ??
        (typeof item["content"] === "string" && item["content"] !== "" ? undefined : "content")
      );
    case "reasoning":
      if (
        !isObject(next) ||
        next["type"] === "reasoning" ||
        next["role"] === "user" ||
        next["type"] === "function_call_output"
      )
        return `Item '${String(item["id"])}' of type 'reasoning' was provided without its required following item`;
      if (typeof item["encrypted_content"] !== "string") return `Item '${String(item["id"])}' not found`;
      return Array.isArray(item["summary"])
        ? unknownField(item, ["type", "id", "summary", "encrypted_content"])
        : "summary";
    case "function_call": {
      const id = item["call_id"];
      if (typeof id !== "string" || !/^.{1,64}$/.test(id) || open.has(id)) return `call_id ${String(id)}`;
      open.add(id);
      return wrongFunction(item["name"], item["arguments"]);
    }
    case "function_call_output": {
      if (!open.delete(String(item["call_id"]))) return `No tool call found for ${String(item["call_id"])}`;
      return typeof item["output"] === "string" ? undefined : wrongParts(item["output"]);
    }
    default:
      return `Invalid value: '${String(item["type"] ?? item["role"])}'`;
  }
}

function wrongParts(parts: unknown): string | undefined {
  if (!Array.isArray(parts) || parts.length === 0) return "content";
  const wrong = parts.find(
    (part: unknown) =>
      !isObject(part) ||
      !(part["type"] === "input_text"
        ? typeof part["text"] === "string"
        : part["type"] === "input_image" && isPicture(part["image_url"])),
  );
  return wrong === undefined ? undefined : `content part ${JSON.stringify(wrong)}`;
}

function unknownField(object: JsonObject, known: readonly string[]): string | undefined {
  return Object.keys(object).find((field) => !known.includes(field));
}
