import { test } from "uvu";
import * as assert from "uvu/assert";
import { createLogger, type LogRecord } from "../../src/kit/log.ts";
import { createExporter, type Exporter } from "../../src/observe/exporter.ts";
import type { Span } from "../../src/observe/span.ts";
import { createFakeClock, type FakeClock } from "../support/fake-clock.ts";
import { type Collected, readTraces } from "../support/otlp-collector.ts";

interface Setup {
  readonly clock: FakeClock;
  readonly exporter: Exporter;
  /** The spans of each request, in order. */
  readonly batches: (readonly Collected[])[];
  readonly requests: RequestInit[];
  readonly records: LogRecord[];
  readonly lost: () => number;
}

type Answer = (request: number, signal: AbortSignal) => Response | Promise<Response>;

const taken: Answer = () => Response.json({});

function setUp(answer: Answer = taken): Setup {
  const clock = createFakeClock();
  const batches: (readonly Collected[])[] = [];
  const requests: RequestInit[] = [];
  const records: LogRecord[] = [];
  let lost = 0;
  const reach = async (_: unknown, init: RequestInit = {}): Promise<Response> => {
    requests.push(init);
    batches.push(readTraces(typeof init.body === "string" ? init.body : ""));
    return answer(requests.length, init.signal ?? new AbortController().signal);
  };
  const exporter = createExporter({
    clock,
    fetch: Object.assign(reach, { preconnect: () => undefined }),
    log: createLogger(() => 0, [(record) => records.push(record)]),
    url: new URL("http://collector.test:4318/v1/traces"),
    headers: { authorization: "Bearer secret-of-the-collector" },
    flushIntervalMs: 5000,
    source: { resource: { "service.name": "openclaw" }, version: "1.0.0" },
    lost: (spans) => void (lost += spans),
  });
  return { clock, exporter, batches, requests, records, lost: () => lost };
}

function spanNamed(name: string): Span {
  return {
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId: "b7ad6b7169203331",
    name,
    kind: "internal",
    startedAt: Date.UTC(2026, 10, 21) + 0.25,
    endedAt: Date.UTC(2026, 10, 21) + 1.5,
    attributes: { text: "t", count: 3, share: 0.5, on: true, words: ["a", "b"], absent: undefined },
  };
}

function add(exporter: Exporter, count: number): void {
  for (let number = 0; number < count; number++) exporter.add(spanNamed(`span ${number}`));
}

test("spans wait for their time and go together", async () => {
  const { clock, exporter, batches, requests } = setUp();
  add(exporter, 3);
  await clock.advance(4999);
  assert.is(batches.length, 0);
  await clock.advance(1);
  assert.equal(
    batches[0]?.map(({ name }) => name),
    ["span 0", "span 1", "span 2"],
  );
  const [first] = batches[0] ?? [];
  assert.equal(first?.attributes, { text: "t", count: 3, share: 0.5, on: true, words: ["a", "b"] });
  assert.is((first?.end ?? 0n) - (first?.start ?? 0n), 1_250_000n);
  assert.is(new Headers(requests[0]?.headers).get("authorization"), "Bearer secret-of-the-collector");
  await exporter.close();
});

test("many go at once, in requests of a bounded size", async () => {
  const { clock, exporter, batches } = setUp();
  add(exporter, 600);
  await clock.advance(0);
  assert.equal(
    batches.map(({ length }) => length),
    [256, 256, 88],
  );
  await exporter.close();
});

test("a collector that is busy is asked again when it says, and nothing is lost", async () => {
  const { clock, exporter, batches, lost } = setUp((request) =>
    request === 1
      ? new Response(null, { status: 429, headers: { "retry-after": "7" } })
      : request === 2
        ? new Response("busy", { status: 503 })
        : Response.json({}),
  );
  add(exporter, 1);
  await clock.advance(5000);
  await clock.advance(6999);
  assert.is(batches.length, 1);
  await clock.advance(1);
  assert.is(batches.length, 2);
  await clock.advance(2000);
  assert.is(batches.length, 3);
  assert.is(lost(), 0);
  await exporter.close();
});

test("threat N a wait without end that a collector asks for is a minute", async () => {
  const { clock, exporter, batches } = setUp((request) =>
    request === 1 ? new Response(null, { status: 503, headers: { "retry-after": "99999999" } }) : Response.json({}),
  );
  add(exporter, 1);
  await clock.advance(65_000);
  assert.is(batches.length, 2);
  await exporter.close();
});

test("what a collector refuses for good is dropped, counted, and said without its words or its credential", async () => {
  const { clock, exporter, batches, records, lost } = setUp(
    () => new Response("secret-of-the-collector", { status: 400 }),
  );
  add(exporter, 3);
  await clock.advance(30_000);
  assert.is(batches.length, 1);
  assert.is(lost(), 3);
  assert.is(records[0]?.message, "spans were dropped");
  assert.equal(records[0]?.fields, { spans: 3, why: "the collector answered 400" });
  assert.not.match(JSON.stringify(records), "secret-of-the-collector");
  await exporter.close();
});

test("threat N a redirect is not followed: the credential is for the collector alone", async () => {
  const { clock, exporter, requests, lost } = setUp(
    () => new Response(null, { status: 307, headers: { location: "http://elsewhere.test/" } }),
  );
  add(exporter, 1);
  await clock.advance(30_000);
  assert.is(requests.length, 1);
  assert.is(requests[0]?.redirect, "manual");
  assert.is(lost(), 1);
  await exporter.close();
});

test("spans that a collector took the others without are counted", async () => {
  const { clock, exporter, lost } = setUp(() =>
    Response.json({ partialSuccess: { rejectedSpans: "2", errorMessage: "too old" } }),
  );
  add(exporter, 5);
  await clock.advance(5000);
  assert.is(lost(), 2);
  await exporter.close();
});

test("a collector that is gone is tried five times, with longer and longer pauses", async () => {
  const { clock, exporter, batches, lost } = setUp(() => {
    throw new TypeError("connection refused");
  });
  add(exporter, 1);
  await clock.advance(5000);
  assert.is(batches.length, 1);
  await clock.advance(1000 + 2000 + 4000);
  assert.is(batches.length, 4);
  assert.is(lost(), 0);
  await clock.advance(8000);
  assert.is(batches.length, 5);
  assert.is(lost(), 1);
  await exporter.close();
});

test("a collector that never answers holds nobody up: what comes meanwhile is kept to a limit, the rest dropped", async () => {
  const { clock, exporter, batches, records, lost } = setUp(
    (_, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
      }),
  );
  add(exporter, 256);
  await clock.advance(0);
  add(exporter, 5000);
  assert.is(batches.length, 1);
  assert.is(lost(), 5000 - 2048);
  assert.is(records.length, 1);
  const closed = exporter.close();
  await clock.advance(2000);
  await closed;
});

test("the end of the gateway sends what is left, without a pause, and waits for a moment only", async () => {
  const { clock, exporter, batches, lost } = setUp(() => new Response(null, { status: 503 }));
  add(exporter, 2);
  await exporter.close();
  assert.is(batches.length, 1);
  assert.is(lost(), 2);
  exporter.add(spanNamed("late"));
  await clock.advance(60_000);
  assert.is(batches.length, 1);
  assert.is(clock.armed, 0);
});

test.run();
