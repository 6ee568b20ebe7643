import type { Script } from "./double.ts";

// What OpenAI, and those who speak like it, send: assembled from the examples of their API references.

const created = 1_763_000_000;

/** A stream of chunks of Chat Completions, closed by `[DONE]`. */
function chunks(model: string, ...list: readonly object[]): Script {
  const lines = list.map((chunk) => {
    const whole = { id: "chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG", object: "chat.completion.chunk", created, model };
    return `data: ${JSON.stringify({ ...whole, ...chunk })}\n\n`;
  });
  return { body: `${lines.join("")}data: [DONE]\n\n` };
}

function delta(delta: object, finish: string | null = null): object {
  return { choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }], usage: null };
}

function usage(usage: object): object {
  return { choices: [], usage };
}

const usual = {
  prompt_tokens: 1100,
  completion_tokens: 40,
  total_tokens: 1140,
  prompt_tokens_details: { cached_tokens: 1000, audio_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 0 },
};

export const completions = {
  text: chunks(
    "gpt-4o",
    delta({ role: "assistant", content: "", refusal: null }),
    delta({ content: "Grüß" }),
    delta({ content: " dich, 世界 " }),
    delta({ content: "👋" }),
    delta({}, "stop"),
    usage(usual),
  ),
  length: chunks("gpt-4o", delta({ role: "assistant", content: "Once upon" }), delta({}, "length"), usage(usual)),
  parallelCalls: chunks(
    "gpt-4o",
    delta({ role: "assistant", content: null }),
    delta({ tool_calls: [{ index: 0, id: "call_A", type: "function", function: { name: "read", arguments: "" } }] }),
    delta({ tool_calls: [{ index: 0, function: { arguments: '{"pa' } }] }),
    delta({ tool_calls: [{ index: 1, id: "call_B", type: "function", function: { name: "read", arguments: "" } }] }),
    delta({ tool_calls: [{ index: 1, function: { arguments: '{"path":"b' } }] }),
    delta({ tool_calls: [{ index: 0, function: { arguments: 'th":"ä.md"}' } }] }),
    delta({ tool_calls: [{ index: 1, function: { arguments: '.md"}' } }] }),
    delta({}, "tool_calls"),
    usage(usual),
  ),
  invalidArguments: chunks(
    "gpt-4o",
    delta({
      tool_calls: [{ index: 0, id: "call_A", type: "function", function: { name: "read", arguments: '{"pa' } }],
    }),
    delta({}, "tool_calls"),
  ),
  refusal: chunks(
    "gpt-4o",
    delta({ role: "assistant", content: null, refusal: "" }),
    delta({ refusal: "I'm sorry, " }),
    delta({ refusal: "I can't help with that." }),
    delta({}, "stop"),
    usage(usual),
  ),
  contentFilter: chunks("gpt-4o", delta({ role: "assistant", content: "Well" }), delta({}, "content_filter")),
  /** DeepSeek's and most others' way of thinking aloud. */
  reasoningContent: chunks(
    "deepseek-v4-flash",
    delta({ role: "assistant", content: null, reasoning_content: "" }),
    delta({ content: null, reasoning_content: "The user " }),
    delta({ content: null, reasoning_content: "greets." }),
    delta({ content: "Hello!", reasoning_content: null }),
    {
      choices: [{ index: 0, delta: { content: "", reasoning_content: null }, finish_reason: "stop" }],
      usage: {
        prompt_tokens: 300,
        completion_tokens: 20,
        total_tokens: 320,
        prompt_cache_hit_tokens: 256,
        prompt_cache_miss_tokens: 44,
      },
    },
  ),
  /** OpenRouter: comments while it waits, thoughts in two forms, a signature, what it charged. */
  openrouter: {
    body: `: OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\n${
      chunks(
        "anthropic/claude-opus-4.5",
        delta({ role: "assistant", content: "", ...detail({ text: "I should " }) }),
        delta({ role: "assistant", content: "", ...detail({ text: "look." }) }),
        delta({
          role: "assistant",
          content: "",
          reasoning_details: [{ type: "reasoning.text", signature: "c2ln", format: "anthropic-claude-v1", index: 0 }],
        }),
        delta({ role: "assistant", content: "Let me look." }),
        delta({
          tool_calls: [
            { index: 0, id: "toolu_1", type: "function", function: { name: "read", arguments: '{"path":"a"}' } },
          ],
        }),
        delta({}, "tool_calls"),
        usage({ prompt_tokens: 10, completion_tokens: 5, total_tokens: 15, cost: 0.0125 }),
      ).body
    }`,
  },
  /** Mistral's models that think give lists of parts. */
  mistralThinking: chunks(
    "magistral-medium-latest",
    delta({ role: "assistant", content: "" }),
    delta({ content: [{ type: "thinking", thinking: [{ type: "text", text: "Easy." }] }] }),
    delta({ content: [{ type: "text", text: "Four." }] }),
    delta({ content: "" }, "stop"),
  ),
  /** Model servers that do not know the model's format. */
  thinkTags: chunks(
    "qwen3",
    delta({ role: "assistant", content: "\n<th" }),
    delta({ content: "ink>\nA < B" }),
    delta({ content: " </thi" }),
    delta({ content: "nk>" }),
    delta({ content: "\n\nYes: <think>" }),
    delta({}, "stop"),
  ),
  /** Some servers give whole calls, all with the index 0, or without an index or an id. */
  sloppyCalls: chunks(
    "local",
    delta({
      tool_calls: [{ index: 0, id: "x1", type: "function", function: { name: "read", arguments: '{"path":"a"}' } }],
    }),
    delta({
      tool_calls: [{ index: 0, id: "x2", type: "function", function: { name: "read", arguments: { path: "b" } } }],
    }),
    delta({}, "stop"),
  ),
  withoutDone: {
    body: chunks("local", delta({ content: "Hi" }), delta({}, "stop")).body.replace("data: [DONE]\n\n", ""),
  },
  midStreamError: {
    body: `${chunks("gpt-4o", delta({ content: "Hel" })).body.replace("data: [DONE]\n\n", "")}data: ${JSON.stringify({
      id: "cmpl-abc123",
      object: "chat.completion.chunk",
      created,
      error: { code: "server_error", message: "Provider disconnected unexpectedly" },
      choices: [{ index: 0, delta: { content: "" }, finish_reason: "error" }],
    })}\n\n`,
  },
  cutOff: { body: chunks("gpt-4o", delta({ content: "Hel" })).body.replace("data: [DONE]\n\n", ""), cut: true },
  endsEarly: { body: chunks("gpt-4o", delta({ content: "Hel" })).body.replace("data: [DONE]\n\n", "") },
  garbage: { body: 'data: {"choices": [{"delta"\n\n' },
} as const satisfies Record<string, Script>;

function detail({ text }: { text: string }): object {
  return {
    reasoning: text,
    reasoning_details: [{ type: "reasoning.text", text, format: "anthropic-claude-v1", index: 0 }],
  };
}

/** A stream of events of the Responses API, numbered as OpenAI does. */
function events(...list: readonly { readonly type: string }[]): Script {
  const lines = list.map(
    (event, index) => `event: ${event.type}\ndata: ${JSON.stringify({ sequence_number: index, ...event })}\n\n`,
  );
  return { body: lines.join("") };
}

const response = { id: "resp_67c9fdcecf488190bdd9a0409de3a1ec", object: "response", created_at: created };
const opening = [
  { type: "response.created", response: { ...response, status: "in_progress", output: [] } },
  { type: "response.in_progress", response: { ...response, status: "in_progress", output: [] } },
];

function completed(output: readonly object[]): { type: string } {
  const usage = {
    input_tokens: 1100,
    input_tokens_details: { cached_tokens: 1000 },
    output_tokens: 40,
    output_tokens_details: { reasoning_tokens: 30 },
    total_tokens: 1140,
  };
  return { type: "response.completed", response: { ...response, status: "completed", output, usage } } as {
    type: string;
  };
}

const thought = {
  id: "rs_1",
  type: "reasoning",
  summary: [
    { type: "summary_text", text: "**Greeting**" },
    { type: "summary_text", text: "Be brief." },
  ],
  encrypted_content: "gAAAAABo",
  status: null,
};
const message = {
  id: "msg_1",
  type: "message",
  status: "completed",
  role: "assistant",
  phase: "final_answer",
  content: [{ type: "output_text", text: "Grüß dich 👋", annotations: [] }],
};
const callA = {
  id: "fc_1",
  type: "function_call",
  status: "completed",
  call_id: "call_A",
  name: "read",
  arguments: '{"path":"ä.md"}',
};
const callB = { ...callA, id: "fc_2", call_id: "call_B", arguments: '{"path":"b.md"}' };

export const responses = {
  reasoning: events(
    ...opening,
    ev("output_item.added", { output_index: 0, item: { ...thought, summary: [] } }),
    ev("reasoning_summary_part.added", { item_id: "rs_1", output_index: 0, summary_index: 0 }),
    ev("reasoning_summary_text.delta", { item_id: "rs_1", output_index: 0, summary_index: 0, delta: "**Greeting**" }),
    ev("reasoning_summary_text.done", { item_id: "rs_1", output_index: 0, summary_index: 0, text: "**Greeting**" }),
    ev("reasoning_summary_part.added", { item_id: "rs_1", output_index: 0, summary_index: 1 }),
    ev("reasoning_summary_text.delta", { item_id: "rs_1", output_index: 0, summary_index: 1, delta: "Be brief." }),
    ev("output_item.done", { output_index: 0, item: thought }),
    ev("output_item.added", { output_index: 1, item: { ...message, content: [] } }),
    ev("content_part.added", { item_id: "msg_1", output_index: 1, content_index: 0 }),
    ev("output_text.delta", { item_id: "msg_1", output_index: 1, content_index: 0, delta: "Grüß " }),
    ev("output_text.delta", { item_id: "msg_1", output_index: 1, content_index: 0, delta: "dich 👋" }),
    ev("output_text.done", { item_id: "msg_1", output_index: 1, content_index: 0, text: "Grüß dich 👋" }),
    ev("some_event.of_tomorrow", { output_index: 1 }),
    ev("output_item.done", { output_index: 1, item: message }),
    completed([thought, message]),
  ),
  parallelCalls: events(
    ...opening,
    ev("output_item.added", { output_index: 0, item: { ...callA, arguments: "" } }),
    ev("output_item.added", { output_index: 1, item: { ...callB, arguments: "" } }),
    ev("function_call_arguments.delta", { item_id: "fc_1", output_index: 0, delta: '{"path":' }),
    ev("function_call_arguments.delta", { item_id: "fc_2", output_index: 1, delta: '{"path":"b.md"}' }),
    ev("function_call_arguments.delta", { item_id: "fc_1", output_index: 0, delta: '"ä.md"}' }),
    ev("function_call_arguments.done", { item_id: "fc_1", output_index: 0, arguments: callA.arguments }),
    ev("output_item.done", { output_index: 0, item: callA }),
    ev("output_item.done", { output_index: 1, item: callB }),
    completed([callA, callB]),
  ),
  /** Everything only in the last event. */
  wholeAtTheEnd: events(...opening, completed([thought, message, callA])),
  refusal: events(
    ...opening,
    ev("refusal.delta", { item_id: "msg_1", output_index: 0, content_index: 0, delta: "I can't " }),
    ev("output_item.done", {
      output_index: 0,
      item: { ...message, content: [{ type: "refusal", refusal: "I can't help with that." }] },
    }),
    completed([]),
  ),
  incomplete: events(
    ...opening,
    ev("output_text.delta", { item_id: "msg_1", output_index: 0, content_index: 0, delta: "Grüß dich 👋" }),
    ev("output_item.done", { output_index: 0, item: { ...message, status: "incomplete" } }),
    ev("incomplete", { response: { ...response, incomplete_details: { reason: "max_output_tokens" } } }),
  ),
  contentFilter: events(
    ...opening,
    ev("incomplete", { response: { ...response, incomplete_details: { reason: "content_filter" } } }),
  ),
  failed: events(
    ...opening,
    ev("failed", {
      response: { ...response, status: "failed", error: { code: "server_error", message: "The model failed." } },
    }),
  ),
  midStreamError: events(
    ...opening,
    ev("output_text.delta", { item_id: "msg_1", output_index: 0, content_index: 0, delta: "Grüß" }),
    { type: "error", code: "rate_limit_exceeded", message: "Rate limit reached", param: null } as { type: string },
  ),
  cutOff: { ...events(...opening), cut: true },
  endsEarly: events(...opening),
  garbage: { body: "event: response.created\ndata: <html>\n\n" },
} as const satisfies Record<string, Script>;

function ev(name: string, fields: object): { type: string } {
  return { type: `response.${name}`, ...fields };
}

/** Refusals of both dialects, by HTTP status. */
export const refusals = {
  rateLimited: problem(
    429,
    { type: "requests", code: "rate_limit_exceeded", message: "Rate limit reached" },
    { "retry-after": "7" },
  ),
  exhausted: problem(429, {
    type: "insufficient_quota",
    code: "insufficient_quota",
    message: "You exceeded your current quota, please check your plan and billing details.",
  }),
  overloaded: problem(503, { type: "service_unavailable_error", code: null, message: "The engine is overloaded" }),
  unauthorized: problem(401, {
    type: "invalid_request_error",
    code: "invalid_api_key",
    message: "Incorrect API key provided: key-of-the-test.",
  }),
  tooLong: problem(400, {
    type: "invalid_request_error",
    code: "context_length_exceeded",
    message: "This model's maximum context length is 128000 tokens.",
  }),
  noModel: problem(404, {
    type: "invalid_request_error",
    code: "model_not_found",
    message: "The model `gpt-9` does not exist or you do not have access to it.",
  }),
} as const satisfies Record<string, Script>;

/** An error as OpenAI answers with it. */
export function problem(
  status: number,
  error: { type: string; code: string | null; message: string },
  headers: Readonly<Record<string, string>> = {},
): Script {
  return { status, headers, body: JSON.stringify({ error: { ...error, param: null } }) };
}
