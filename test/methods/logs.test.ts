import { test } from "uvu";
import * as assert from "uvu/assert";
import { formatLine } from "../../src/kit/log.ts";
import { scriptedApp } from "../support/app.ts";

const path = "/home/me/.openclaw/logs/gateway.log";
const start = Date.UTC(2026, 10, 21);

interface Tail {
  readonly file: string;
  readonly cursor: number;
  readonly size: number;
  readonly lines: readonly string[];
  readonly truncated: boolean;
  readonly reset: boolean;
}

const entry = (message: string, fields = {}, at = 0): string =>
  `${formatLine({ time: start + at, level: "info", subsystem: "gateway/ws", message, fields })}\n`;

function setUp(text?: string) {
  const { call, host } = scriptedApp(text === undefined ? {} : { files: { [path]: text } });
  const tail = async (params = {}): Promise<Tail> => (await call("logs.tail", params)) as Tail;
  return { host, tail };
}

const messages = ({ lines }: Tail) => lines.map((line) => (JSON.parse(line) as { message: string }).message);

test("no log file is an empty log", async () => {
  const { cursor, size, lines } = await setUp().tail();
  assert.equal({ cursor, size, lines }, { cursor: 0, size: 0, lines: [] });
});

test("a line has the shape that existing clients take apart", async () => {
  const [line = ""] = (await setUp(entry("open", { conn: 7 })).tail()).lines;
  const { _meta, ...record } = JSON.parse(line) as { _meta: Record<string, unknown> };
  assert.equal(record, {
    0: '{"subsystem":"gateway/ws"}',
    1: "open conn=7",
    time: "2026-11-21T00:00:00.000Z",
    hostname: "test-host",
    message: "open conn=7",
  });
  assert.equal([_meta["logLevelName"], _meta["logLevelId"], _meta["runtime"]], ["INFO", 3, "node"]);
});

test("following gives each line once", async () => {
  const { tail, host } = setUp(entry("one") + entry("two"));
  const first = await tail();
  assert.equal(messages(first), ["one", "two"]);
  assert.equal((await tail({ cursor: first.cursor })).lines, []);
  const file = await host.files.open(path);
  await file.append(entry("three"));
  const second = await tail({ cursor: first.cursor });
  assert.equal(messages(second), ["three"]);
  assert.is(second.cursor, second.size);
});

test("a line that is still being written waits for its end", async () => {
  const whole = entry("whole");
  const { tail, host } = setUp(whole + entry("half").slice(0, 30));
  const first = await tail();
  assert.equal(messages(first), ["whole"]);
  assert.is(first.cursor, whole.length);
  const file = await host.files.open(path);
  await file.append(entry("half").slice(30));
  assert.equal(messages(await tail({ cursor: first.cursor })), ["half"]);
});

test("only the end of a large file is read, from a line's start", async () => {
  const { tail, host } = setUp(Array.from({ length: 2000 }, (_, n) => entry(`line ${n}`)).join(""));
  let read = 0;
  const disk = { ...host.files };
  Object.assign(host.files, {
    read: () => Promise.reject(new Error("read whole")),
    readRange: (name: string, from: number, to: number) => {
      read += to - from;
      return disk.readRange(name, from, to);
    },
  });
  const end = await tail({ maxBytes: 1000 });
  assert.ok(read <= 1001);
  assert.is(messages(end).at(-1), "line 1999");
  assert.ok(messages(end).every((message) => /^line \d+$/.test(message)));
  assert.is(end.truncated, true);
});

test("maxBytes that ends exactly between two lines keeps the line", async () => {
  const { tail } = setUp(entry("one") + entry("two"));
  assert.equal(messages(await tail({ maxBytes: entry("two").length })), ["two"]);
});

test("the newest lines are kept when there are more than the limit", async () => {
  const result = await setUp(entry("one") + entry("two") + entry("three")).tail({ limit: 2 });
  assert.equal(messages(result), ["two", "three"]);
  assert.is(result.truncated, true);
});

test("a file that began anew is read from its start and says so", async () => {
  const result = await setUp(entry("new")).tail({ cursor: 100_000 });
  assert.equal(messages(result), ["new"]);
  assert.is(result.reset, true);
});

test("a line longer than what was asked for does not stop the following", async () => {
  const { tail } = setUp(entry("x".repeat(500)));
  const result = await tail({ maxBytes: 100 });
  assert.equal(result.lines, []);
  assert.is(result.cursor, result.size);
});

test("SC-199 sinceMs asks for the last so many milliseconds", async () => {
  const { tail, host } = setUp(entry("old") + entry("new", {}, 1000));
  await host.clock.advance(60_500);
  assert.equal(messages(await tail({ sinceMs: 60_000 })), ["new"]);
});

test("threat G secrets do not leave, whoever wrote the line", async () => {
  const secret = "canarycanarycanary";
  const text = `${entry("given")}panic with token=${secret}\n2026-11-21T00:00:00.000Z info  old said apiKey=${secret}\n`;
  const { lines } = await setUp(text).tail();
  assert.is(lines.length, 3);
  assert.not.match(lines.join(), new RegExp(secret));
});

test.run();
