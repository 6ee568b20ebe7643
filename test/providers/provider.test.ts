import { test } from "uvu";
import * as assert from "uvu/assert";
import { Failure } from "../../src/kit/error.ts";
import { argumentsOf, isInvalidArguments, usageOf } from "../../src/providers/provider-answer.ts";
import { failureFromResponse, type FailureKind, providerFailureOf } from "../../src/providers/provider-failure.ts";
import { getJson, postForEvents } from "../../src/providers/provider-exchange.ts";
import { inOrder } from "../../src/providers/provider-request.ts";
import type { ProviderCall } from "../../src/providers/provider.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { answer, callOf, now, toolResult, user } from "../support/vendors/double.ts";
import { claude } from "../support/vendors/anthropic.ts";

const secret = "a-very-secret-key";

function callTo(
  response: (request: Request) => Response | Promise<Response>,
  more: Partial<ProviderCall> = {},
): ProviderCall {
  const double = { answer: async (request: Request) => await response(request) };
  return { ...callOf(double, { credential: { kind: "api-key", secret } }), ...more };
}

async function failing(work: () => Promise<unknown>): Promise<Failure> {
  try {
    await work();
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error("it did not fail");
}

async function post(call: ProviderCall, headers: Record<string, string> = {}): Promise<void> {
  const request = { url: "https://vendor.test/v1", headers, body: { hello: "there" }, model: "m-1" };
  for await (const event of postForEvents(call, request)) assert.ok(event);
}

test("every status and vendor's name of an error has its kind", async () => {
  const rows: ReadonlyArray<readonly [status: number, body: unknown, kind: FailureKind]> = [
    [401, { error: { type: "authentication_error" } }, "auth"],
    [403, { error: { type: "permission_error" } }, "auth"],
    [403, { error: { message: "Your account has insufficient balance" } }, "billing"],
    [402, {}, "billing"],
    [429, { error: { type: "insufficient_quota", code: "insufficient_quota" } }, "billing"],
    [429, { error: { type: "requests", code: "rate_limit_exceeded", message: "Rate limit reached" } }, "rate_limit"],
    [429, { error: { message: "Request too large for gpt-5 on tokens per min, context length" } }, "rate_limit"],
    [
      429,
      { error: { code: "rate_limit_exceeded", message: "Add a payment method at /account/billing" } },
      "rate_limit",
    ],
    [429, { error: { message: "Your credit balance is exhausted" } }, "billing"],
    [400, { error: { message: "You have reached your specified API usage limits." } }, "billing"],
    [529, { error: { type: "overloaded_error" } }, "overloaded"],
    [500, { error: { type: "api_error" } }, "overloaded"],
    [503, "no healthy upstream", "overloaded"],
    [408, {}, "timeout"],
    [504, "<html><title>504 Gateway Time-out</title>", "timeout"],
    [400, { error: { code: "context_length_exceeded" } }, "context_length"],
    [400, { error: { message: "This model's maximum context length is 8192 tokens." } }, "context_length"],
    [413, { error: { type: "request_too_large", message: "Request exceeds the maximum size" } }, "context_length"],
    [500, { error: "the request exceeds the available context size" }, "context_length"],
    [400, { error: { type: "invalid_request_error", message: "max_tokens: 70000 > 64000" } }, "format"],
    [400, { error: { code: 400, status: "INVALID_ARGUMENT", details: [{ reason: "API_KEY_INVALID" }] } }, "auth"],
    [404, { error: { type: "not_found_error", message: "model: claude-9" } }, "no_model"],
    [404, { error: { message: "The model `gpt-9` does not exist" } }, "no_model"],
    [404, "404 page not found", "format"],
    [422, { detail: "Unprocessable" }, "format"],
    [418, "", "format"],
  ];
  for (const [status, body, kind] of rows) {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const failure = await failureFromResponse(
      callTo(() => new Response()),
      new Response(text, { status }),
      {},
    );
    const details = providerFailureOf(failure);
    assert.equal([details?.kind, details?.httpStatus], [kind, status], `${status} ${text}: ${failure.message}`);
  }
});

test("threat A: a credential is not sent where a redirect points", async () => {
  const reached: string[] = [];
  const call = callTo((request) => {
    reached.push(request.url);
    return new Response(null, { status: 307, headers: { location: "https://evil.test/" } });
  });
  const failure = await failing(() => post(call));
  assert.is(providerFailureOf(failure)?.kind, "format");
  assert.match(failure.message, /set models\.providers\.vendor\.baseUrl/);
  assert.equal(reached, ["https://vendor.test/v1"]);
});

test("threat M: what a vendor says cannot show the credential, control the terminal or fill the log", async () => {
  const headers = { "X-Extra": "another-secret-value" };
  const other = `sk-${"k".repeat(24)}`;
  const said = `\u001b[31mkey ${secret}, header another-secret-value, ${other} \u202Egnp ${"x".repeat(100_000)}`;
  const base = callTo(() => Response.json({ error: { type: `t\n${secret}`, message: said } }, { status: 401 }));
  const failure = await failing(() => post({ ...base, endpoint: { ...base.endpoint, headers } }));
  const shown = JSON.stringify([failure.message, failure.details, failure.stack]);
  assert.not.match(shown, new RegExp(secret));
  assert.not.match(shown, /another-secret-value|k{24}/);
  assert.not.match(failure.message, /[\p{Cc}\p{Cf}]/u);
  assert.ok(failure.message.length < 600);
});

test("a key that no header can carry is named without being shown", async () => {
  const failure = await failing(() =>
    post(
      callTo(() => new Response()),
      { "x-api-key": `${secret}\nmore` },
    ),
  );
  assert.is(providerFailureOf(failure)?.kind, "auth");
  assert.match(failure.message, /x-api-key/);
  assert.not.match(JSON.stringify([failure.message, failure.stack]), new RegExp(secret));
  assert.is(failure.cause, undefined);
});

test("a base URL that is none is refused without being asked or shown", async () => {
  for (const url of ["", "vendor.test", "file:///etc/passwd", "https://user:hunter22@vendor.test/"]) {
    const call = callTo(() => Promise.reject(new Error("it was asked")));
    const failure = await failing(async () => {
      for await (const event of postForEvents(call, { url, body: {} })) assert.unreachable(event.data);
    });
    assert.match(failure.message, /models\.providers\.vendor\.baseUrl/);
    assert.not.match(failure.message, /hunter22/);
  }
});

test("a network that fails is named with its code and without its words", async () => {
  const broken = Object.assign(new TypeError(`fetch failed for ${secret}`), { cause: { code: "ECONNREFUSED" } });
  const failure = await failing(() => post(callTo(() => Promise.reject(broken))));
  assert.equal([providerFailureOf(failure)?.kind, failure.retryable], ["network", true]);
  assert.is(failure.message, "the connection to vendor at https://vendor.test failed (ECONNREFUSED)");
});

test("silence before the answer and within it is a timeout", async () => {
  const clock = createFakeClock();
  let asked: AbortSignal | undefined;
  const hangs = callTo(() => new Response(), { clock });
  const never: typeof fetch = Object.assign(
    (_: unknown, init?: RequestInit) =>
      new Promise<Response>((_resolve, reject) => {
        asked = init?.signal ?? undefined;
        asked?.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
      }),
    { preconnect: () => undefined },
  );
  const before = failing(() => post({ ...hangs, fetch: never }));
  await clock.advance(120_000);
  assert.is(providerFailureOf(await before)?.kind, "timeout");
  assert.ok(asked?.aborted);

  const body = new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode("data: 1\n\n")),
  });
  const within = failing(() => post(callTo(() => new Response(body), { clock })));
  await clock.advance(120_000);
  assert.is(providerFailureOf(await within)?.kind, "timeout");
  assert.is(clock.armed, 0);
});

test("an abort is `aborted`, before the answer and within it", async () => {
  const abort = new AbortController();
  const body = new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode("data: 1\n\n")),
  });
  const call = callTo(() => new Response(body), { signal: abort.signal });
  const failure = await failing(async () => {
    for await (const event of postForEvents(call, { url: "https://vendor.test", body: {} })) {
      assert.is(event.data, "1");
      abort.abort(new Error("enough"));
    }
  });
  assert.equal([failure.code, providerFailureOf(failure)], ["aborted", undefined]);
  assert.is((await failing(() => post(call))).code, "aborted");
});

test("an answer that is no stream says where to look", async () => {
  const page = callTo(() => new Response("<title>Hi</title>", { headers: { "content-type": "text/html" } }));
  assert.match((await failing(() => post(page))).message, /check models\.providers\.vendor\.baseUrl/);
  const error = callTo(() => Response.json({ error: { type: "overloaded_error", message: "busy" } }));
  assert.is(providerFailureOf(await failing(() => post(error)))?.kind, "overloaded");
});

test("a list that is too long or no JSON is refused", async () => {
  for (const text of ["[]", "{", `{"data":"${"x".repeat(9_000_000)}"}`]) {
    const call = callTo(() => new Response(text));
    const failure = await failing(() => getJson(call, { url: "https://vendor.test/models" }));
    assert.is(providerFailureOf(failure)?.kind, "format");
  }
});

test("usage takes only numbers that can be, and prices them", () => {
  const usage = usageOf(claude.cost, { input: 1000, output: -5, cacheRead: Number.NaN, cacheWrite: "7" });
  assert.equal(
    [usage.input, usage.output, usage.cacheRead, usage.cacheWrite, usage.totalTokens],
    [1000, 0, 0, 0, 1000],
  );
  assert.is(usage.cost.total, 0.003);
});

test("arguments are an object or are told apart from one", () => {
  assert.equal(argumentsOf(""), {});
  assert.equal(argumentsOf('{"a":1}'), { a: 1 });
  for (const raw of ["[1]", '"x"', '{"a":', "null"]) assert.ok(isInvalidArguments(argumentsOf(raw)), raw);
  assert.not.ok(isInvalidArguments({ a: 1 }));
  assert.ok(JSON.stringify(argumentsOf("x".repeat(100_000))).length < 3000);
});

test("every call has its result right after it, whatever the transcript lost", () => {
  const call = { type: "toolCall", id: "a", name: "read", arguments: {} } as const;
  const ordered = inOrder([
    toolResult("gone", "read", "no call"),
    answer(claude, [call, { ...call, id: "b" }]),
    user("meanwhile"),
    toolResult("a", "read", "late"),
    answer(claude, [{ type: "text", text: "done" }]),
  ]);
  assert.equal(
    ordered.map((message) =>
      message.role === "toolResult" ? `${message.toolCallId} ${message.isError}` : message.role,
    ),
    ["user", "assistant", "a false", "b true", "user", "assistant"],
  );
  assert.is(ordered[0]?.timestamp, now);
});

test.run();
