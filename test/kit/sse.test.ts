import { test } from "uvu";
import * as assert from "uvu/assert";
import { Failure } from "../../src/kit/error.ts";
import { readEvents, readLines } from "../../src/kit/sse.ts";
import { readStart } from "../../src/kit/stream.ts";
import { createFakeClock } from "../support/fake-clock.ts";

/** A body of these pieces that tells when it is cancelled, and stays open at the end unless it is to close. */
function bodyOf(pieces: ReadonlyArray<string | Uint8Array<ArrayBuffer>>, { close = true } = {}) {
  let cancelled = false;
  let next = 0;
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      pull(controller) {
        const piece = pieces[next++];
        if (piece !== undefined)
          controller.enqueue(typeof piece === "string" ? new TextEncoder().encode(piece) : piece);
        else if (close) controller.close();
        // An open body is asked again only when something was put in: it stays silent.
      },
      cancel() {
        cancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  return { stream, cancelled: () => cancelled };
}

const options = { signal: new AbortController().signal, idleMs: 1000 };

async function all<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    return error instanceof Failure ? error.code : String(error);
  }
  return "no failure";
}

test("reads events with and without names, whatever ends their lines", async () => {
  const body = bodyOf([
    "\uFEFFevent: a\ndata: 1\ndata: 2\n\n: comment\r\ndata:3\r\n\r\n",
    "id: 7\rretry: 5\rdata: 4\r\rx",
  ]);
  assert.equal(await all(readEvents(body.stream, options)), [
    { event: "a", data: "1\n2" },
    { event: undefined, data: "3" },
    { event: undefined, data: "4" },
  ]);
});

test("does not give an event whose end did not come", async () => {
  assert.equal(await all(readEvents(bodyOf(["data: 1\n\ndata: 2\n"]).stream, options)), [
    { event: undefined, data: "1" },
  ]);
});

test("puts characters together that were split between pieces", async () => {
  const bytes = new TextEncoder().encode("data: 👋🏽ü\n\n");
  const body = bodyOf(Array.from(bytes, (_, index) => bytes.slice(index, index + 1)));
  assert.equal(await all(readEvents(body.stream, options)), [{ event: undefined, data: "👋🏽ü" }]);
});

test("refuses an event or a line that is too long, wherever its pieces end", async () => {
  const limits = { ...options, maxEvent: 100 };
  const long = "x".repeat(101);
  assert.is(await codeOf(all(readEvents(bodyOf([`data: ${long}`]).stream, limits))), "failed");
  assert.is(await codeOf(all(readEvents(bodyOf(["data: ", long.slice(50), long]).stream, limits))), "failed");
  assert.is(await codeOf(all(readLines(bodyOf([long.slice(50), long]).stream, limits))), "failed");
});

test("refuses a body that is too long and cancels it", async () => {
  const body = bodyOf(["data: 1\n\n", "data: 2\n\n"], { close: false });
  assert.is(await codeOf(all(readEvents(body.stream, { ...options, maxBytes: 10 }))), "failed");
  assert.ok(body.cancelled());
});

test("fails when nothing comes for too long and cancels the body", async () => {
  const clock = createFakeClock();
  const body = bodyOf(["data: 1\n\n"], { close: false });
  const failed = codeOf(all(readEvents(body.stream, { ...options, clock })));
  await clock.advance(999);
  assert.not.ok(body.cancelled());
  await clock.advance(1);
  assert.is(await failed, "timeout");
  assert.ok(body.cancelled());
  assert.is(clock.armed, 0);
});

test("an abort ends it at once and cancels the body", async () => {
  const clock = createFakeClock();
  const abort = new AbortController();
  const body = bodyOf(["data: 1\n\n"], { close: false });
  const failed = codeOf(all(readEvents(body.stream, { signal: abort.signal, idleMs: 1000, clock })));
  await clock.advance(1);
  abort.abort();
  assert.is(await failed, "aborted");
  assert.ok(body.cancelled());
  assert.is(clock.armed, 0);
});

test("a reader that goes away cancels the body", async () => {
  const body = bodyOf(["data: 1\n\n"], { close: false });
  for await (const { data } of readEvents(body.stream, options)) {
    assert.is(data, "1");
    break;
  }
  assert.ok(body.cancelled());
});

test("reads lines, empty ones left out, the last one with or without its end", async () => {
  assert.equal(await all(readLines(bodyOf(['{"a"', ':1}\r\n\n{"b":2}\n{"c', '":3}']).stream, options)), [
    '{"a":1}',
    '{"b":2}',
    '{"c":3}',
  ]);
});

test("reads the start of a body and no more", async () => {
  const body = bodyOf(["abc", "def", "ghi"], { close: false });
  assert.is(await readStart(body.stream, { ...options, maxBytes: 5 }), "abcde");
  assert.ok(body.cancelled());
});

test.run();
