import { isObject, type JsonObject, parseJson } from "../../../src/kit/json.ts";
import type { ModelSpec } from "../../../src/providers/provider.ts";
import { type Chunking, type Double, play, type Script } from "./double.ts";

export const qwen = {
  provider: "ollama",
  id: "qwen3:8b",
  name: "Qwen 3",
  api: "ollama",
  reasoning: true,
  images: false,
  contextWindow: 40_960,
  maxTokens: 8192,
  cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
  compat: {},
} as const satisfies ModelSpec;

/** An Ollama server as documented: it refuses what Ollama would refuse, and else plays the script. */
export function ollamaDouble(options: {
  readonly script: Script | ((body: JsonObject) => Script);
  readonly chunking?: Chunking;
}): Double {
  const { script, chunking } = options;
  const bodies: JsonObject[] = [];
  return {
    bodies,
    async answer(request) {
      const { pathname } = new URL(request.url);
      if (request.method === "GET" && pathname === "/api/tags")
        return Response.json({ models: [{ name: "qwen3:8b", model: "qwen3:8b", size: 5_225_388_164 }] });
      if (request.method !== "POST" || pathname !== "/api/chat")
        return new Response("404 page not found", { status: 404 });
      const body = parseJson(await request.text());
      if (!isObject(body)) return Response.json({ error: "missing request body" }, { status: 400 });
      bodies.push(body);
      const wrong = wrongIn(body);
      if (wrong !== undefined) return Response.json({ error: wrong }, { status: 400 });
      const played = typeof script === "function" ? script(body) : script;
      return play(played, { type: "application/x-ndjson", ...(chunking ? { chunking } : {}) });
    },
  };
}

const fields = new Set(["model", "stream", "messages", "tools", "think", "options"]);
const messageFields = new Set("role content images thinking tool_calls tool_name tool_call_id".split(" "));

/** The first thing in a request that Ollama would refuse, or would not notice and answer wrongly. */
function wrongIn({ model, messages, think, options, ...others }: JsonObject): string | undefined {
  const unknown = Object.keys(others).find((field) => !fields.has(field));
  if (unknown !== undefined) return `unknown field ${unknown}`;
  if (others["stream"] !== true) return "this server only streams";
  if (think !== undefined && !/qwen3|gpt-oss/.test(String(model)))
    return `"${String(model)}" does not support thinking`;
  if (String(model).includes("gpt-oss") && typeof think !== "string") return "gpt-oss thinks at a level";
  if (!String(model).includes("gpt-oss") && typeof think === "string") return `think value "${think}" is not supported`;
  if (!isObject(options) || !Object.values(options).every((value) => typeof value === "number"))
    return "options must be numbers";
  let open: readonly string[] = [];
  for (const message of messages as JsonObject[]) {
    const { role, content, images = [], tool_calls: calls = [], tool_name: name } = message;
    const extra = Object.keys(message).find((field) => !messageFields.has(field));
    if (extra !== undefined) return `unknown field ${extra}`;
    if (!["system", "user", "assistant", "tool"].includes(role as string)) return "invalid role";
    if (typeof content !== "string") return "json: cannot unmarshal into Go struct field ChatRequest.messages.content";
    if ((images as string[]).some((image) => !/^[A-Za-z0-9+/]+=*$/.test(image))) return "illegal base64 data";
    if (role === "tool" && name !== open[0]) return `a result of ${String(name)} without its call`;
    if (role !== "tool" && open.length > 0) return `no result for ${String(open[0])}`;
    open = role === "tool" ? open.slice(1) : [];
    for (const { function: called } of calls as JsonObject[]) {
      if (!isObject(called) || !isObject(called["arguments"])) return "tool call arguments must be an object";
      open = [...open, String(called["name"])];
    }
  }
  return undefined;
}

// The scripts follow the documented examples of "Generate a chat message", "Thinking" and "Tool calling".

function line(message: JsonObject | undefined, more: JsonObject = {}): string {
  const made = { model: qwen.id, created_at: "2026-11-21T14:32:05.123456789Z", done: false };
  return `${JSON.stringify({ ...made, ...(message ? { message: { role: "assistant", ...message } } : {}), ...more })}\n`;
}

function end(done_reason = "stop"): string {
  const timings = { total_duration: 4_883_583_458, load_duration: 1_334_875, prompt_eval_duration: 342_546_000 };
  return line({ content: "" }, { done: true, done_reason, ...timings, prompt_eval_count: 26, eval_count: 282 });
}

function called(location: unknown, more: JsonObject = {}): JsonObject {
  return { ...more, function: { name: "get_weather", arguments: location } };
}

export const scripts = {
  text: { body: line({ content: "Grüß" }) + line({ content: " Gott 👋🏽" }) + end() },
  thinking: {
    body:
      line({ content: "", thinking: "1071 = 2 × 462" }) +
      line({ content: "", thinking: " + 147" }) +
      line({ content: "It is " }) +
      line({ content: "21." }) +
      end(),
  },
  /** Two calls at once; only newer servers give them ids. */
  tools: {
    body:
      line({ content: "", tool_calls: [called({ location: "Zürich" }, { id: "call_kfs5b1oo" })] }) +
      line({ content: "", tool_calls: [called({ location: "Wien" })] }) +
      end(),
  },
  textArguments: { body: line({ content: "", tool_calls: [called('{"location":"Wi')] }) + end() },
  cutShort: { body: line({ content: "It was" }) + end("length") },
  noNewline: { body: line({ content: "fine" }) + end().trimEnd() },
  errorInStream: { body: `${line({ content: "Hel" })}{"error":"an error was encountered while running the model"}\n` },
  cut: { body: line({ content: "Hello" }), cut: true },
  early: { body: line({ content: "Hello" }) },
  garbage: { body: "<html>\n" },
  noModel: { status: 404, body: '{"error":"model \'qwen3:8b\' not found"}' },
  overloaded: { status: 503, body: '{"error":"server busy, please try again. maximum pending requests exceeded"}' },
  tooLong: { status: 400, body: '{"error":"the input length exceeds the context length"}' },
  noTools: { status: 400, body: '{"error":"registry.ollama.ai/library/gemma does not support tools"}' },
} as const satisfies Record<string, Script>;
