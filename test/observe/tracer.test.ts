import { test } from "uvu";
import * as assert from "uvu/assert";
import type { RunEvent } from "../../src/agent/runner.ts";
import type { TurnEvent } from "../../src/flow/turns.ts";
import { Failure } from "../../src/kit/error.ts";
import { parseTraceparent } from "../../src/kit/trace-context.ts";
import { createTracer, type Tracer, type TracerOptions } from "../../src/observe/tracer.ts";
import { encodeSpans, type Span } from "../../src/observe/span.ts";
import { providerFailure } from "../../src/providers/provider-failure.ts";
import type { ModelSpec } from "../../src/providers/provider.ts";
import { noUsage } from "../../src/session/message.ts";
import { createFakeClock, type FakeClock } from "../support/fake-clock.ts";
import { readTraces } from "../support/otlp-collector.ts";

interface Setup {
  readonly tracer: Tracer;
  readonly clock: FakeClock;
  readonly spans: Span[];
}

function setUp(more: Partial<TracerOptions> = {}): Setup {
  const clock = createFakeClock();
  const spans: Span[] = [];
  const tracer = createTracer({
    clock,
    sampled: () => true,
    propagate: false,
    toolNames: new Set(["read"]),
    emit: (span) => void spans.push(span),
    ...more,
  });
  return { tracer, clock, spans };
}

const secret = "agent:main:whatsapp:direct:+15551234567";
const common = { sessionKey: secret, sessionId: "8f6c7c1e-0000-4000-8000-000000000000", agentId: "main", ts: 0 };
const model = { provider: "double", id: "m1" } as ModelSpec;

function request(method: string, runId?: string, traceparent?: string) {
  const params = { message: "what people write", ...(runId === undefined ? {} : { idempotencyKey: runId }) };
  return { kind: "request" as const, id: "1", method, params, traceparent };
}

function ended(runId: string, more: { error?: Failure; mergedInto?: string } = {}): TurnEvent {
  const state = { ...common, runId, status: more.error ? "error" : "ok", acceptedAt: 0, ...more } as const;
  return { ...common, runId, kind: "ended", startedAt: 0, state };
}

function toolEnd(runId: string, name: string): TurnEvent {
  const call = { type: "toolCall" as const, id: "c1", name, arguments: { path: "what people write" } };
  const event: RunEvent = { type: "tool-end", call, result: { content: [] }, startedAt: Date.UTC(2026, 10, 21) };
  return { ...common, runId, kind: "progress", event };
}

/** A request that becomes a turn, asks a model, calls a tool, and ends. */
async function converse({ tracer, clock }: Setup, traceparent?: string): Promise<void> {
  const answered = tracer.called(request("chat.send", "run-1", traceparent));
  tracer.turn({ ...common, runId: "run-1", kind: "accepted" });
  answered?.();
  await clock.advance(40);
  tracer.turn({ ...common, runId: "run-1", kind: "started", startedAt: clock.now() });
  const asked = tracer.asked({ agentId: "main", sessionKey: secret, model });
  await clock.advance(100);
  asked?.ended({ usage: { ...noUsage, input: 5, cacheRead: 10, output: 7 } });
  tracer.turn(toolEnd("run-1", "read"));
  tracer.turn(ended("run-1"));
}

test("request, turn, model and tool are one trace, each under what it came of", async () => {
  const setup = setUp();
  await converse(setup);
  const [call, chat, tool, turn] = setup.spans;
  assert.equal(
    setup.spans.map(({ name }) => name),
    ["chat.send", "chat m1", "execute_tool read", "invoke_agent main"],
  );
  assert.is(new Set(setup.spans.map(({ traceId }) => traceId)).size, 1);
  assert.is(call?.parentSpanId, undefined);
  assert.is(turn?.parentSpanId, call?.spanId);
  assert.is(chat?.parentSpanId, turn?.spanId);
  assert.is(tool?.parentSpanId, turn?.spanId);
  assert.is(chat?.attributes["gen_ai.usage.input_tokens"], 15);
  assert.is(chat?.attributes["gen_ai.usage.output_tokens"], 7);
  assert.is(turn?.attributes["openclaw.run.queued_ms"], 40);
  assert.is((chat?.endedAt ?? 0) - (chat?.startedAt ?? 0), 100);
});

test("a collector takes what the spans become, and finds nothing in it that anybody wrote, nor the session's key", async () => {
  const setup = setUp();
  await converse(setup);
  const text = encodeSpans(setup.spans, { resource: { "service.name": "openclaw" }, version: "1" });
  assert.is(readTraces(text).length, 4);
  assert.not.match(text, "what people write");
  assert.not.match(text, "15551234567");
});

test("a traceparent of the sender is gone on with, and its word on recording holds", async () => {
  const sender = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331";
  const recorded = setUp({ sampled: () => false });
  await converse(recorded, `${sender}-01`);
  assert.is(recorded.spans.length, 4);
  assert.is(recorded.spans[0]?.traceId, "0af7651916cd43dd8448eb211c80319c");
  assert.is(recorded.spans[0]?.parentSpanId, "b7ad6b7169203331");
  const unrecorded = setUp();
  await converse(unrecorded, `${sender}-00`);
  assert.equal(unrecorded.spans, []);
});

test("a trace that is not sampled leaves nothing", async () => {
  const setup = setUp({ sampled: () => false });
  await converse(setup);
  assert.equal(setup.spans, []);
});

test("a request that came to nothing is only of interest to who follows it", () => {
  const { tracer, spans } = setUp();
  assert.is(tracer.called(request("health")), undefined);
  tracer.called(request("chat.send", "run-1"))?.(new Failure("rate-limited", "what people write"));
  assert.equal(spans, []);
  tracer.called(request("health", undefined, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"))?.();
  assert.is(spans[0]?.name, "health");
});

test("providers learn of the trace only where that is wanted", () => {
  const asked = { agentId: "main", sessionKey: secret, model };
  assert.is(setUp().tracer.asked(asked)?.headers, undefined);
  const { tracer, spans } = setUp({ propagate: true });
  const watch = tracer.asked(asked);
  const sent = parseTraceparent(watch?.headers?.["traceparent"]);
  watch?.ended({});
  assert.is(sent?.spanId, spans[0]?.spanId);
  assert.is(sent?.traceId, spans[0]?.traceId);
});

test("what failed is told by a word of ours, never by the message", () => {
  const { tracer, spans } = setUp();
  const asked = { agentId: "main", sessionKey: secret, model };
  const thrown = providerFailure("what people write", { kind: "rate_limit", provider: "double" });
  tracer.asked(asked)?.ended({ thrown });
  tracer.turn({ ...common, runId: "run-1", kind: "accepted" });
  tracer.turn(ended("run-1", { error: new Failure("timeout", "what people write") }));
  assert.equal(
    spans.map(({ error }) => error),
    ["rate_limit", "timeout"],
  );
  assert.not.match(JSON.stringify(spans), "what people write");
});

test("a tool that a model makes up has no name", () => {
  const { tracer, spans } = setUp();
  tracer.turn({ ...common, runId: "run-1", kind: "accepted" });
  tracer.turn(toolEnd("run-1", "what people write"));
  assert.is(spans[0]?.name, "execute_tool unknown");
});

test("messages that are answered together: the first has the run, and the requests to models", () => {
  const { tracer, spans } = setUp();
  for (const runId of ["run-1", "run-2"]) tracer.turn({ ...common, runId, kind: "accepted" });
  for (const runId of ["run-1", "run-2"]) tracer.turn({ ...common, runId, kind: "started", startedAt: 0 });
  tracer.asked({ agentId: "main", sessionKey: secret, model })?.ended({});
  tracer.turn(ended("run-1"));
  tracer.turn(ended("run-2", { mergedInto: "run-1" }));
  const [chat, first, second] = spans;
  assert.is(chat?.parentSpanId, first?.spanId);
  assert.is(second?.attributes["openclaw.run.merged"], true);
});

test("what was accepted before a restart begins its trace when its turn comes", () => {
  const { tracer, spans } = setUp();
  tracer.turn({ ...common, runId: "run-1", kind: "started", startedAt: 0 });
  tracer.turn(ended("run-1"));
  assert.is(spans.length, 1);
});

test("turns that never end are followed up to a number, and the others leave no trace", () => {
  const { tracer, spans } = setUp();
  for (let run = 0; run < 5000; run++) tracer.turn({ ...common, runId: `run-${run}`, kind: "accepted" });
  tracer.turn(ended("run-4999"));
  assert.equal(spans, []);
  tracer.turn(ended("run-0"));
  assert.is(spans.length, 1);
});

test.run();
