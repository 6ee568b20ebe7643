// Over 300 lines: the rules of one vendor and what it answers, which are read side by side.
import { isObject, type JsonObject, parseJson } from "../../../src/kit/json.ts";
import type { ModelSpec } from "../../../src/providers/provider.ts";
import { type Chunking, type Double, eventStream, play, type Script } from "./double.ts";

export const claude = {
  provider: "anthropic",
  id: "claude-sonnet-4-5",
  name: "Claude Sonnet 4.5",
  api: "anthropic-messages",
  reasoning: true,
  images: true,
  contextWindow: 200_000,
  maxTokens: 64_000,
  cost: { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 },
  compat: {},
} as const satisfies ModelSpec;

/**
 * Anthropic's server, as strict as its documentation: it refuses what they would refuse, with their words, and else
 * answers with the script.
 */
export function anthropicDouble(options: {
  readonly script: Script | ((body: JsonObject) => Script);
  readonly key?: string;
  readonly chunking?: Chunking;
}): Double {
  const { script, key = "key-of-the-test", chunking } = options;
  const bodies: JsonObject[] = [];
  return {
    bodies,
    async answer(request) {
      const url = new URL(request.url);
      if (request.headers.get("anthropic-version") !== "2023-06-01")
        return problem(400, "invalid_request_error", "anthropic-version: header is required");
      const given = request.headers.get("x-api-key") ?? request.headers.get("authorization")?.replace("Bearer ", "");
      if (given !== key) return problem(401, "authentication_error", "invalid x-api-key");
      if (request.method === "GET" && url.pathname === "/v1/models") return modelsPage(url);
      if (request.method !== "POST" || url.pathname !== "/v1/messages")
        return problem(404, "not_found_error", `Not found: ${url.pathname}`);
      const body = parseJson(await request.text());
      if (!isObject(body)) return problem(400, "invalid_request_error", "the body is no JSON object");
      bodies.push(body);
      const wrong = wrongIn(body, request.headers.get("anthropic-beta") ?? "");
      if (wrong !== undefined) return problem(400, "invalid_request_error", wrong);
      const played = typeof script === "function" ? script(body) : script;
      return play(played, { type: "text/event-stream; charset=utf-8", ...(chunking ? { chunking } : {}) });
    },
  };
}

function problem(status: number, type: string, message: string): Response {
  return Response.json(
    { type: "error", error: { type, message }, request_id: "req_011CSHoEeqs5C35K2UUqR7Fy" },
    { status },
  );
}

const listed = ["claude-opus-4-6", "claude-sonnet-4-5-20250929", "claude-haiku-4-5-20251001"];

function modelsPage(url: URL): Response {
  const after = url.searchParams.get("after_id");
  const from = after === null ? 0 : listed.indexOf(after) + 1;
  const page = listed.slice(from, from + 2);
  return Response.json({
    data: page.map((id) => ({ type: "model", id, display_name: id.toUpperCase(), created_at: "2026-02-04T00:00:00Z" })),
    has_more: from + 2 < listed.length,
    first_id: page[0] ?? null,
    last_id: page.at(-1) ?? null,
  });
}

const fields = new Set("model max_tokens messages system tools stream temperature thinking output_config".split(" "));

/** The first thing in a request that the API would refuse. */
function wrongIn(body: JsonObject, betas: string): string | undefined {
  const unknown = Object.keys(body).find((field) => !fields.has(field));
  if (unknown !== undefined) return `${unknown}: Extra inputs are not permitted`;
  const { max_tokens: maxTokens, messages, tools = [], system = [], stream } = body;
  if (!Number.isInteger(maxTokens) || Number(maxTokens) < 1)
    return "max_tokens: Input should be greater than or equal to 1";
  if (stream !== true) return "stream: this server only streams";
  if (!Array.isArray(messages) || messages.length === 0) return "messages: at least one message is required";
  const marks = JSON.stringify(body).match(/"cache_control"/g)?.length ?? 0;
  if (marks > 4) return `A maximum of 4 blocks with cache_control may be provided. Found ${marks}.`;
  return wrongInSystem(system) ?? wrongInTools(tools) ?? wrongInThinking(body, betas) ?? wrongInMessages(messages);
}

function wrongInSystem(system: unknown): string | undefined {
  if (!Array.isArray(system)) return "system: Input should be a valid list";
  return system.some((block) => !isObject(block) || String(block["text"]).trim() === "")
    ? "system: text content blocks must be non-empty"
    : undefined;
}

function wrongInTools(tools: unknown): string | undefined {
  if (!Array.isArray(tools)) return "tools: Input should be a valid list";
  const names = tools.map((tool: JsonObject) => String(tool["name"]));
  if (new Set(names).size !== names.length) return "tools: Tool names must be unique.";
  for (const tool of tools as JsonObject[]) {
    if (!/^[a-zA-Z0-9_-]{1,128}$/.test(String(tool["name"]))) return "tools.0.name: String should match pattern";
    const schema = tool["input_schema"];
    if (!isObject(schema) || schema["type"] !== "object") return "tools.0.input_schema.type: Field required";
  }
  return undefined;
}

function wrongInThinking(body: JsonObject, betas: string): string | undefined {
  const { model, thinking, temperature, max_tokens: maxTokens, output_config: output } = body;
  const id = String(model);
  const adaptiveOnly = /(opus-4-[78]|(opus|sonnet|haiku|fable|mythos)-5)/.test(id);
  const type = isObject(thinking) ? thinking["type"] : undefined;
  if (adaptiveOnly && temperature !== undefined) return "`temperature` is not supported for this model";
  if (type === "enabled") {
    const budget = Number((thinking as JsonObject)["budget_tokens"]);
    if (adaptiveOnly) return '"thinking.type.enabled" is not supported for this model.';
    if (!(budget >= 1024)) return "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024";
    if (budget >= Number(maxTokens)) return "`max_tokens` must be greater than `thinking.budget_tokens`.";
    if (temperature !== undefined && temperature !== 1)
      return "`temperature` may only be set to 1 when thinking is enabled.";
  }
  if (type === "adaptive" && /claude-3|-4(-[0-5])?(-\d{8})?$/.test(id)) return "adaptive thinking is not supported";
  if (type === "disabled" && /(fable|mythos|opus-5-5|sonnet-5-5)/.test(id))
    return '"thinking.type.disabled" is not supported for this model.';
  if (type === "between_tools" && !id.includes("sonnet-5-5")) return '"thinking.type.between_tools" is not supported';
  if (type === "between_tools" && Object.keys(thinking as JsonObject).length > 1)
    return "thinking.between_tools: Extra inputs are not permitted";
  if (
    isObject(thinking) &&
    thinking["block_binding"] !== undefined &&
    !betas.includes("thinking-binding-controls-2026-08-01")
  )
    return "thinking.block_binding: Extra inputs are not permitted";
  if (isObject(output) && !["low", "medium", "high", "xhigh", "max"].includes(output["effort"] as string))
    return "output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh' or 'max'";
  return type === "enabled" ? wrongInToolLoop(body["messages"] as JsonObject[]) : undefined;
}

function wrongInToolLoop(messages: readonly JsonObject[]): string | undefined {
  const [answer, results] = messages.slice(-2);
  if (blocksOf(results)[0]?.["type"] !== "tool_result") return undefined;
  return ["thinking", "redacted_thinking"].includes(String(blocksOf(answer)[0]?.["type"]))
    ? undefined
    : "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`.";
}

function wrongInMessages(messages: readonly JsonObject[]): string | undefined {
  let open: readonly string[] = [];
  const seen = new Set<string>();
  for (const [index, message] of messages.entries()) {
    const { role } = message;
    const blocks = blocksOf(message);
    if (role !== (index % 2 === 0 ? "user" : "assistant"))
      return `messages.${index}: roles must alternate between "user" and "assistant"`;
    if (blocks.length === 0) return `messages.${index}: all messages must have non-empty content`;
    const results = blocks.filter((block) => block["type"] === "tool_result");
    if (blocks.slice(0, results.length).some((block) => block["type"] !== "tool_result"))
      return `messages.${index}: tool_result blocks must come first`;
    const answered = results.map((block) => String(block["tool_use_id"]));
    const lost = open.find((id) => !answered.includes(id));
    if (lost !== undefined)
      return `messages.${index - 1}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${lost}`;
    const extra = answered.find((id, at) => !open.includes(id) || answered.indexOf(id) !== at);
    if (extra !== undefined)
      return `messages.${index}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${extra}`;
    open = [];
    for (const block of blocks) {
      const wrong = wrongInBlock(block, String(role));
      if (wrong !== undefined) return `messages.${index}.content: ${wrong}`;
      if (block["type"] !== "tool_use") continue;
      if (seen.has(String(block["id"]))) return "`tool_use` ids must be unique";
      seen.add(String(block["id"]));
      open = [...open, String(block["id"])];
    }
  }
  return messages.at(-1)?.["role"] === "user" ? undefined : "This model does not support assistant message prefill.";
}

const blockTypes: Readonly<Record<string, readonly string[]>> = {
  user: ["text", "image", "tool_result"],
  assistant: ["text", "thinking", "redacted_thinking", "tool_use"],
};

function wrongInBlock(block: JsonObject, role: string): string | undefined {
  const { type, text, signature, data, id, name, input, source, content, is_error: isError } = block;
  if (!blockTypes[role]?.includes(String(type))) return `type ${String(type)} is not allowed for ${role}`;
  if (type === "text" && (typeof text !== "string" || text.trim() === ""))
    return "text content blocks must contain non-whitespace text";
  if (type === "thinking" && (typeof block["thinking"] !== "string" || !String(signature).startsWith("Eq")))
    return "Invalid `signature` in `thinking` block";
  if (type === "redacted_thinking" && !String(data).startsWith("Em"))
    return "Invalid `data` in `redacted_thinking` block";
  if (/thinking/.test(String(type)) && block["cache_control"] !== undefined) return "thinking blocks cannot be cached";
  if (type === "tool_use" && (!/^[a-zA-Z0-9_-]{1,64}$/.test(String(id)) || !isObject(input)))
    return "tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'";
  if (type === "tool_use" && !/^[a-zA-Z0-9_-]{1,128}$/.test(String(name))) return "tool_use.name: String should match";
  if (type === "image" && (!isObject(source) || !/^image\/(jpeg|png|gif|webp)$/.test(String(source["media_type"]))))
    return "image.source.media_type: Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'";
  if (type !== "tool_result") return undefined;
  if (isError === true && blocksOf({ content }).length === 0) return "content cannot be empty if `is_error` is true";
  return blocksOf({ content })
    .map((inner) => wrongInBlock(inner, "user"))
    .find((wrong) => wrong !== undefined);
}

function blocksOf(message: JsonObject | undefined): readonly JsonObject[] {
  const content = message?.["content"];
  return Array.isArray(content) ? content.filter(isObject) : [];
}

// The scripts follow the documented examples of "Streaming messages", "Extended thinking" and "Errors".

function start(usage: JsonObject = { input_tokens: 25, output_tokens: 1 }): JsonObject {
  const message = {
    id: "msg_1nZdL29xx5MUA1yADyHTEsnR8uuvGzszyY",
    type: "message",
    role: "assistant",
    content: [],
    usage,
  };
  return { type: "message_start", message: { ...message, model: claude.id, stop_reason: null, stop_sequence: null } };
}

function block(index: number, content_block: JsonObject, deltas: readonly JsonObject[]): JsonObject[] {
  return [
    { type: "content_block_start", index, content_block },
    ...deltas.map((delta) => ({ type: "content_block_delta", index, delta })),
    { type: "content_block_stop", index },
  ];
}

function textBlock(index: number, ...texts: readonly string[]): JsonObject[] {
  return block(
    index,
    { type: "text", text: "" },
    texts.map((text) => ({ type: "text_delta", text })),
  );
}

function toolBlock(index: number, id: string, ...json: readonly string[]): JsonObject[] {
  const deltas = json.map((partial_json) => ({ type: "input_json_delta", partial_json }));
  return block(index, { type: "tool_use", id, name: "get_weather", input: {} }, deltas);
}

function end(stop_reason: string, more: JsonObject = {}): JsonObject[] {
  const delta = { stop_reason, stop_sequence: null, ...more };
  return [{ type: "message_delta", delta, usage: { output_tokens: 15 } }, { type: "message_stop" }];
}

const signature = "EqQBCgIYAhIM1gbcDa9GJwZA2b3hGgxBdjrkzLoky3dl1pkiMOYds";
const thoughts = [
  { type: "thinking_delta", thinking: "I need the GCD of 1071 and 462…" },
  { type: "thinking_delta", thinking: "\n\n1071 = 2 × 462 + 147" },
  { type: "signature_delta", signature },
];
const ping = { type: "ping" };
const overloaded = { type: "error", error: { type: "overloaded_error", message: "Overloaded" }, request_id: "req_1" };

export const scripts = {
  text: {
    body: eventStream([
      start({ input_tokens: 25, cache_creation_input_tokens: 1000, cache_read_input_tokens: 2000, output_tokens: 1 }),
      ping,
      ...textBlock(0, "Grüß", " Gott", " 👋🏽!"),
      ...end("end_turn"),
    ]),
  },
  thinking: {
    body: eventStream([
      start(),
      ...block(0, { type: "thinking", thinking: "", signature: "" }, thoughts),
      ...block(1, { type: "redacted_thinking", data: "EmwKAhgBEgy3va3pzix" }, []),
      ...textBlock(2, "The greatest common divisor is ", "21."),
      ...end("end_turn"),
    ]),
  },
  /** Text and two calls at once. */
  tools: {
    body: eventStream([
      start({ input_tokens: 472, output_tokens: 2 }),
      ...textBlock(0, "Okay", ", let me look."),
      ...toolBlock(1, "toolu_01T1x1fJ34qAmk2tNTrN7Up6", "", '{"location":', ' "Zür', 'ich"}'),
      ...toolBlock(2, "toolu_02", '{"location": "Wien"}'),
      ...end("tool_use"),
    ]),
  },
  noArguments: { body: eventStream([start(), ...toolBlock(0, "toolu_03", ""), ...end("tool_use")]) },
  brokenArguments: {
    body: eventStream([start(), ...toolBlock(0, "toolu_04", '{"location": "Wi'), ...end("max_tokens")]),
  },
  cutShort: { body: eventStream([start(), ...textBlock(0, "It was a"), ...end("max_tokens")]) },
  refusal: {
    body: eventStream([
      start(),
      ...textBlock(0, "I"),
      ...end("refusal", { stop_details: { type: "refusal", category: "cyber", explanation: "This may cause harm." } }),
    ]),
  },
  /** Events, blocks and deltas of types that do not exist yet. */
  future: {
    body: eventStream([
      start(),
      { type: "weather_report", index: 0 },
      ...block(0, { type: "hologram", shape: 1 }, [{ type: "hologram_delta", shape: 2 }]),
      ...textBlock(1, "fine"),
      ...end("end_turn", { stop_details: null }),
    ]),
  },
  overloadedInStream: { body: eventStream([start(), ...textBlock(0, "Hel"), overloaded]) },
  cut: { body: eventStream([start(), ...textBlock(0, "Hello")]), cut: true },
  /** The connection closes properly, but too early. */
  early: { body: eventStream([start(), ...textBlock(0, "Hello")]) },
  garbage: { body: 'event: message_start\ndata: {"type":"message_start","message":12}\n\n' },
  noJson: { body: "data: <html>\n\n" },
  page: { body: "<!doctype html><title>Welcome</title>", headers: { "content-type": "text/html" } },
  rateLimited: {
    status: 429,
    headers: { "retry-after": "7" },
    body: JSON.stringify({
      type: "error",
      error: { type: "rate_limit_error", message: "This request would exceed your organization's rate limit." },
    }),
  },
  overloaded: { status: 529, body: JSON.stringify(overloaded) },
  noCredit: {
    status: 400,
    body: JSON.stringify({
      type: "error",
      error: { type: "invalid_request_error", message: "Your credit balance is too low to access the Anthropic API." },
    }),
  },
  tooLong: {
    status: 400,
    body: JSON.stringify({
      type: "error",
      error: { type: "invalid_request_error", message: "prompt is too long: 208310 tokens > 200000 maximum" },
    }),
  },
  noModel: {
    status: 404,
    body: JSON.stringify({ type: "error", error: { type: "not_found_error", message: "model: claude-9" } }),
  },
} as const satisfies Record<string, Script>;
