import { test } from "uvu";
import * as assert from "uvu/assert";
import { createLogger, formatLine, parseLine, type LogRecord } from "../../src/kit/log.ts";

const time = Date.UTC(2026, 10, 21, 1, 52, 57, 17);
const record = (message: string, fields: LogRecord["fields"] = {}): LogRecord => ({
  time,
  level: "info",
  subsystem: "gateway",
  message,
  fields,
});

test("a line reads like a sentence", () => {
  assert.is(
    formatLine(record("listening on ws://127.0.0.1:18789", { pid: 12345 })),
    "2026-11-21T01:52:57.017Z info  gateway listening on ws://127.0.0.1:18789 pid=12345",
  );
});

test("what was formatted is parsed back, whatever the texts are", () => {
  const random = seeded(7);
  for (let round = 0; round < 3000; round++) {
    const fields = Object.fromEntries(
      Array.from({ length: random(4) }, (_, index) => [`k${index}.${random(9)}`, nasty(random)]),
    );
    const given = record(nasty(random), fields);
    const line = formatLine(given);
    assert.not.match(line, /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
    assert.equal(parseLine(line), given, line);
  }
});

test("a message cannot start a line of its own", () => {
  const line = formatLine(record("hello\n2026-11-21T01:52:57.017Z error gateway fake"));
  assert.is(line.split("\n").length, 1);
  assert.is(parseLine(line)?.level, "info");
});

test("a message cannot make up fields", () => {
  const parsed = parseLine(formatLine(record("login failed user=admin ok=true", { user: "eve" })));
  assert.equal(parsed?.fields, { user: "eve" });
  assert.is(parsed?.message, "login failed user=admin ok=true");
});

test("a value cannot make up fields", () => {
  const parsed = parseLine(formatLine(record("call", { method: 'x" user="admin' })));
  assert.equal(parsed?.fields, { method: 'x" user="admin' });
});

test("escape sequences for terminals are spelled out", () => {
  const line = formatLine(record("\u001b[2J\u009b2J\u202e"));
  assert.ok(line.endsWith(String.raw`"\u001b[2J\u009b2J\u202e"`), line);
});

test("a line of another program is not a record", () => {
  assert.is(parseLine("panic: out of memory"), undefined);
  assert.is(parseLine('{"level":"info"}'), undefined);
});

test("a long line is parsed in time that grows with its length only", () => {
  const line = `2026-11-21T01:52:57.017Z info  gateway ${" a".repeat(100_000)}${' k="'.repeat(20_000)}`;
  const started = performance.now();
  parseLine(line);
  assert.ok(performance.now() - started < 2000);
});

test("secrets are masked before any sink sees them", () => {
  const seen = logged((log) =>
    log.info("connect with token=abcdefghijklmnopqrstuvwxyz", {
      password: "hunter2",
      apiKey: "sk-abcdefghijklmnopqrstuvwxyz",
      nested: { token: "short", list: ["ghp_abcdefghijklmnopqrstuvwxyz"] },
      count: 3,
    }),
  );
  assert.not.match(JSON.stringify(seen), /hunter2|klmnop|short/);
  assert.is(seen?.fields["count"], 3);
});

test("anything may be logged: errors, cycles, big integers, nothing", () => {
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  const seen = logged((log) =>
    log.warn("odd", { error: new TypeError("no"), cycle, big: 1n, none: undefined, run: () => 1, nil: null }),
  );
  assert.is(seen?.fields["error"], "no");
  assert.is(seen?.fields["nil"], null);
  assert.not.ok("none" in (seen?.fields ?? {}));
  assert.ok(formatLine(seen ?? record("")).includes("big=1"));
});

test("endless text is cut", () => {
  const seen = logged((log) => log.info("x".repeat(100_000), { y: "y".repeat(100_000) }));
  assert.ok(formatLine(seen ?? record("")).length < 12_000);
});

test("a child names its subsystem", () => {
  assert.is(logged((log) => log.child("gateway/ws").info("open"))?.subsystem, "gateway/ws");
});

function logged(write: (log: ReturnType<typeof createLogger>) => void): LogRecord | undefined {
  let seen: LogRecord | undefined;
  write(createLogger(() => time, [(each) => (seen = each)]));
  return seen;
}

const alphabet = [
  "a",
  "Z",
  "9",
  " ",
  "  ",
  "=",
  '"',
  "\\",
  "\n",
  "\r\n",
  "\t",
  " key=",
  "\\n",
  "é",
  "🦞",
  "\u2028",
  "\ud800",
];
const odd = ["\u0000", "\u001b[31m", "\u009b", "\u202e", "\u{e0001}", "\u200d", "\ufeff", "✓", "level=error", "trace "];

function nasty(random: (below: number) => number): string {
  const parts = [...alphabet, ...odd];
  return Array.from({ length: random(8) }, () => parts[random(parts.length)] ?? "").join("");
}

/** The same numbers every time (Numerical Recipes' generator), so that a failure can be looked at. */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

test.run();
