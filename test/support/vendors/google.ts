import { isObject, type JsonObject, parseJson } from "../../../src/kit/json.ts";
import type { ModelSpec } from "../../../src/providers/provider.ts";
import { type Chunking, type Double, eventStream, play, type Script } from "./double.ts";

export const gemini = {
  provider: "google",
  id: "gemini-3-flash-preview",
  name: "Gemini 3 Flash",
  api: "google-generative-ai",
  reasoning: true,
  images: true,
  contextWindow: 1_048_576,
  maxTokens: 65_536,
  cost: { input: 0.5, output: 3, cacheRead: 0.05, cacheWrite: 0 },
  compat: {},
} as const satisfies ModelSpec;

/** Google's Gemini API, as strict as its documentation: it refuses what they would refuse, and else plays the script. */
export function googleDouble(options: {
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
      if (url.searchParams.has("key")) return problem(400, "INVALID_ARGUMENT", "this server wants its key in a header");
      if (request.headers.get("x-goog-api-key") !== key)
        return problem(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", [
          { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "API_KEY_INVALID" },
        ]);
      if (request.method === "GET" && url.pathname === "/v1beta/models") return modelsPage(url);
      const [, id] = /^\/v1beta\/models\/([^/:]+):streamGenerateContent$/.exec(url.pathname) ?? [];
      if (request.method !== "POST" || id === undefined || url.searchParams.get("alt") !== "sse")
        return problem(404, "NOT_FOUND", `${url.pathname} is not found`);
      const body = parseJson(await request.text());
      if (!isObject(body)) return problem(400, "INVALID_ARGUMENT", "Invalid JSON payload received.");
      bodies.push(body);
      const wrong = wrongIn(body, id);
      if (wrong !== undefined) return problem(400, "INVALID_ARGUMENT", wrong);
      const played = typeof script === "function" ? script(body) : script;
      return play(played, { type: "text/event-stream", ...(chunking ? { chunking } : {}) });
    },
  };
}

function problem(code: number, status: string, message: string, details: readonly JsonObject[] = []): Response {
  return Response.json({ error: { code, message, status, details } }, { status: code });
}

function modelsPage(url: URL): Response {
  const generates = { supportedGenerationMethods: ["generateContent", "countTokens"] };
  const limits = { inputTokenLimit: 1_048_576, outputTokenLimit: 65_536 };
  if (url.searchParams.get("pageToken") === "more")
    return Response.json({ models: [{ name: "models/gemini-2.5-pro", ...limits, ...generates }] });
  return Response.json({
    models: [
      { name: "models/gemini-3-flash-preview", displayName: "Gemini 3 Flash", ...limits, ...generates },
      { name: "models/gemini-embedding-001", supportedGenerationMethods: ["embedContent"] },
    ],
    nextPageToken: "more",
  });
}

const fields = new Set(["contents", "systemInstruction", "tools", "generationConfig"]);

/** The first thing in a request that the API would refuse. */
function wrongIn(body: JsonObject, model: string): string | undefined {
  const unknown = Object.keys(body).find((field) => !fields.has(field));
  if (unknown !== undefined) return `Invalid JSON payload received. Unknown name "${unknown}": Cannot find field.`;
  const { contents, tools = [], generationConfig: config = {} } = body;
  if (!Array.isArray(contents) || contents.length === 0) return "contents is not specified";
  if (!isObject(config) || !(Number(config["maxOutputTokens"]) >= 1)) return "max_output_tokens must be positive";
  return wrongInTools(tools) ?? wrongInThinking(config, model) ?? wrongInContents(contents, model);
}

const schemaWords =
  /^(\$id|\$defs|\$ref|\$anchor|type|format|title|description|enum|items|prefixItems|minItems|maxItems|minimum|maximum|anyOf|oneOf|properties|additionalProperties|required)$/;

function wrongInTools(tools: unknown): string | undefined {
  const declarations = (tools as JsonObject[]).flatMap((tool) => tool["functionDeclarations"] as JsonObject[]);
  for (const { name, parametersJsonSchema: schema } of declarations) {
    if (!/^[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}$/.test(String(name))) return "Invalid function name.";
    const wrong = wrongWord(schema);
    if (wrong !== undefined)
      return `Unknown name "${wrong}" at 'tools[0].function_declarations[0]': Cannot find field.`;
  }
  return undefined;
}

function wrongWord(schema: unknown): string | undefined {
  if (!isObject(schema)) return undefined;
  const wrong = Object.keys(schema).find((word) => !schemaWords.test(word));
  const inner = isObject(schema["properties"]) ? Object.values(schema["properties"]) : [];
  return wrong ?? [...inner, schema["items"]].map(wrongWord).find((word) => word !== undefined);
}

function wrongInThinking({ thinkingConfig: thinking, maxOutputTokens }: JsonObject, model: string): string | undefined {
  if (!isObject(thinking)) return undefined;
  const { thinkingLevel: level, thinkingBudget: budget } = thinking;
  if (level !== undefined && budget !== undefined)
    return "You can only set only one of thinking budget and thinking level.";
  const levels = /gemini-3-pro/.test(model) ? ["low", "high"] : ["minimal", "low", "medium", "high"];
  if (level !== undefined && (!/gemini-[3-9]/.test(model) || !levels.includes(level as string)))
    return `Thinking level ${level as string} is not supported for this model.`;
  if (/3\.1-pro/.test(model) && level === "minimal") return "Thinking level MINIMAL is not supported for this model.";
  if (budget === undefined) return undefined;
  const [least, most] = model.includes("pro") ? [128, 32_768] : model.includes("lite") ? [512, 24_576] : [1, 24_576];
  const fits = Number(budget) >= least && Number(budget) <= most;
  if (!fits && !(budget === 0 && !model.includes("pro"))) return "The thinking budget is invalid.";
  return Number(budget) >= Number(maxOutputTokens) ? "The thinking budget is larger than the output." : undefined;
}

function wrongInContents(contents: readonly JsonObject[], model: string): string | undefined {
  if (contents[0]?.["role"] !== "user") return "Please ensure that the first content is of the user.";
  let open: readonly string[] = [];
  for (const content of contents) {
    const parts = content["parts"] as JsonObject[];
    if (!["user", "model"].includes(content["role"] as string)) return "Please use a valid role: user, model.";
    if (parts.length === 0) return "contents.parts must not be empty.";
    const bad = parts.find((part) => dataOf(part).length !== 1);
    if (bad !== undefined) return "required oneof field 'data' must have one initialized field";
    const responses = named(parts, "functionResponse");
    if (open.join() !== responses.join())
      return "Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.";
    if (responses.length > 0 && responses.length !== parts.length)
      return "function responses come in a turn of their own";
    open = named(parts, "functionCall");
    const first = parts.find((part) => part["functionCall"] !== undefined);
    if (/gemini-[3-9]/.test(model) && first && typeof first["thoughtSignature"] !== "string")
      return "Function call is missing a thought_signature in functionCall parts.";
  }
  return contents.at(-1)?.["role"] === "user" ? undefined : "the last content must be the user's";
}

function dataOf(part: JsonObject): readonly string[] {
  return Object.keys(part).filter((key) => ["text", "inlineData", "functionCall", "functionResponse"].includes(key));
}

function named(parts: readonly JsonObject[], kind: string): readonly string[] {
  return parts.flatMap((part) => {
    const data = part[kind];
    return isObject(data) ? [`${String(data["id"])} ${String(data["name"])}`] : [];
  });
}

// The scripts follow the documented examples of "Text generation", "Thinking", "Function calling" and "Troubleshooting".

function chunk(parts: readonly JsonObject[], more: JsonObject = {}, usage: JsonObject = {}): JsonObject {
  return {
    candidates: [{ content: { parts, role: "model" }, index: 0, ...more }],
    usageMetadata: { promptTokenCount: 1010, totalTokenCount: 1010, ...usage },
    modelVersion: "gemini-3-flash-preview",
    responseId: "mAitaLmkHPPlz7IPvtfUqQ4",
  };
}

function stream(...chunks: readonly JsonObject[]): string {
  return eventStream(chunks, { named: false });
}

function failed(code: number, status: string, message: string, details: readonly JsonObject[] = []): Script {
  return { status: code, body: JSON.stringify({ error: { code, message, status, details } }) };
}

const stop = { finishReason: "STOP" };
const zurich = { name: "get_weather", args: { location: "Zürich" } };
const quota = "You exceeded your current quota, please check your plan and billing details.";

export const scripts = {
  text: {
    body: stream(
      chunk([{ text: "Grüß" }]),
      chunk([{ text: " Gott 👋🏽" }]),
      chunk([{ text: "!" }], stop, { candidatesTokenCount: 7, thoughtsTokenCount: 5, cachedContentTokenCount: 1000 }),
    ),
  },
  thinking: {
    body: stream(
      chunk([{ text: "**Euclid**\n", thought: true }]),
      chunk([{ text: "1071 = 2 × 462 + 147", thought: true }]),
      chunk([{ text: "It is " }]),
      chunk([{ text: "21." }]),
      chunk([{ text: "", thoughtSignature: "CpcHAXLI" }], stop, { candidatesTokenCount: 4, thoughtsTokenCount: 30 }),
    ),
  },
  /** Two calls at once, of which the first carries the proof; the vendor made an id for one of them. */
  tools: {
    body: stream(
      chunk([{ text: "Two places.", thought: true }]),
      chunk([
        { functionCall: { id: "fc-1", ...zurich }, thoughtSignature: "CtUBAXLI" },
        { functionCall: { name: "get_weather", args: { location: "Wien" } } },
      ]),
      chunk([], stop, { candidatesTokenCount: 12 }),
    ),
  },
  cutShort: { body: stream(chunk([{ text: "It was" }], { finishReason: "MAX_TOKENS" })) },
  blockedPrompt: {
    body: stream({ promptFeedback: { blockReason: "PROHIBITED_CONTENT" }, usageMetadata: { promptTokenCount: 8 } }),
  },
  blockedAnswer: { body: stream(chunk([{ text: "I" }]), { candidates: [{ finishReason: "SAFETY", index: 0 }] }) },
  recited: {
    body: stream({ candidates: [{ finishReason: "RECITATION", finishMessage: "Quotes a book.", index: 0 }] }),
  },
  malformedCall: {
    body: stream({ candidates: [{ content: {}, finishReason: "MALFORMED_FUNCTION_CALL", finishMessage: "print(" }] }),
  },
  errorInStream: {
    body: stream(chunk([{ text: "Hel" }]), {
      error: { code: 503, message: "The model is overloaded. Please try again later.", status: "UNAVAILABLE" },
    }),
  },
  cut: { body: stream(chunk([{ text: "Hello" }])), cut: true },
  early: { body: stream(chunk([{ text: "Hello" }])) },
  garbage: { body: 'data: {"candidates": 7}\n\n' },
  rateLimited: failed(429, "RESOURCE_EXHAUSTED", quota, [
    { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "34.07s" },
  ]),
  outOfQuota: failed(429, "RESOURCE_EXHAUSTED", quota),
  overloaded: failed(503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
  tooLong: failed(
    400,
    "INVALID_ARGUMENT",
    "The input token count (1100001) exceeds the maximum number of tokens allowed (1048576).",
  ),
  noModel: failed(404, "NOT_FOUND", "models/gemini-9 is not found for API version v1beta"),
  forbidden: failed(403, "PERMISSION_DENIED", "Your API key was reported as leaked. Please use another API key."),
} as const satisfies Record<string, Script>;
