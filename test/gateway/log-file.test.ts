import { test } from "uvu";
import * as assert from "uvu/assert";
import { openLogFile } from "../../src/gateway/log-file.ts";
import type { LogRecord } from "../../src/kit/log.ts";
import { scriptedHost } from "../support/host.ts";

const folder = "/home/me/.openclaw/logs";
const path = `${folder}/gateway.log`;

function setUp(limits = {}) {
  const host = scriptedHost();
  const file = openLogFile(host, path, limits);
  const say = (message: string): void => {
    const record: LogRecord = { time: host.clock.now(), level: "info", subsystem: "gateway", message, fields: {} };
    file.sink(record);
  };
  const write = async (message: string): Promise<void> => {
    say(message);
    await host.clock.advance(50);
  };
  const names = async (): Promise<readonly string[]> => host.files.list(folder);
  return { host, file, say, write, names };
}

test("lines are written together, soon after, to a file of the owner's alone", async () => {
  const { host, say } = setUp();
  say("one");
  say("two");
  assert.is(await host.files.read(path), undefined);
  await host.clock.advance(50);
  assert.match((await host.files.read(path)) ?? "", /gateway one\n.*gateway two\n$/);
  assert.is((await host.files.stat(path))?.mode, 0o600);
});

test("threat S a file that others could read is closed to them", async () => {
  const { host, write } = setUp();
  host.files.put(path, "old\n", 0o644);
  await write("new");
  assert.is((await host.files.stat(path))?.mode, 0o600);
  assert.match((await host.files.read(path)) ?? "", /^old\n/);
});

test("closing writes what is left, and nothing after it", async () => {
  const { host, file, say } = setUp();
  say("last words");
  await file.close();
  say("too late");
  await host.clock.advance(1000);
  assert.match((await host.files.read(path)) ?? "", /last words\n$/);
});

test("a full file is put aside under its day, the next one numbered", async () => {
  const { write, names } = setUp({ maxBytes: 100 });
  for (const letter of ["a", "b", "c"]) await write(letter.repeat(60));
  assert.equal(await names(), ["gateway-2026-11-21.log", "gateway-2026-11-21.log.1", "gateway.log"]);
});

test("the first line of a day begins a new file", async () => {
  const { host, write, names } = setUp();
  await write("yesterday");
  await host.clock.advance(24 * 3_600_000);
  await write("today");
  assert.equal(await names(), ["gateway-2026-11-21.log", "gateway.log"]);
  assert.match((await host.files.read(path)) ?? "", /gateway today\n$/);
});

test("only so many files are kept, the newest", async () => {
  const { host, write, names } = setUp({ maxBytes: 100, keep: 2 });
  host.files.put(`${folder}/gateway-notes.txt`, "not a log");
  for (let n = 0; n < 13; n++) await write(`${n} `.padEnd(60, "x"));
  assert.equal(await names(), [
    "gateway-2026-11-21.log.10",
    "gateway-2026-11-21.log.11",
    "gateway-notes.txt",
    "gateway.log",
  ]);
});

test("a file that somebody else put aside is begun anew", async () => {
  const { host, write } = setUp();
  await write("one");
  await host.files.rename(path, `${path}.old`);
  await write("two");
  assert.match((await host.files.read(path)) ?? "", /gateway two\n$/);
});

test("a folder that cannot be written is said once, and the lines arrive when it can", async () => {
  const { host, write } = setUp();
  host.files.before = () => {
    throw new Error("EROFS: read-only file system");
  };
  await write("one");
  await write("two");
  await host.clock.advance(20_000);
  assert.is(host.terminal.stderr.text, `cannot write the log file ${path}: EROFS: read-only file system\n`);
  host.files.before = undefined;
  await host.clock.advance(5000);
  assert.match((await host.files.read(path)) ?? "", /gateway one\n.*gateway two\n$/);
});

test("threat H a disk that does not answer costs bounded memory, and what was left out is counted", async () => {
  const { host, say, write } = setUp();
  host.files.before = () => {
    throw new Error("ENOSPC");
  };
  for (let n = 0; n < 700; n++) say("x".repeat(8000));
  await host.clock.advance(50);
  host.files.before = undefined;
  await host.clock.advance(5000);
  await write("again");
  const text = (await host.files.read(path)) ?? "";
  assert.ok(text.length < 5_000_000);
  assert.match(text, /lines left out: the disk was too slow count=\d+\n/);
  assert.match(text, /gateway again\n$/);
});

test.run();
