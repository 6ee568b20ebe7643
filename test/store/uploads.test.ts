import { test } from "uvu";
import * as assert from "uvu/assert";
import { Failure } from "../../src/kit/error.ts";
import { createLogger, type LogRecord } from "../../src/kit/log.ts";
import { createFolderLogs } from "../../src/store/folder-log.ts";
import { createFolderStore } from "../../src/store/folder.ts";
import { createUploads } from "../../src/store/uploads.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { createMemoryFiles } from "../support/memory-files.ts";

function machine() {
  const clock = createFakeClock();
  const files = createMemoryFiles(() => clock.now());
  const records: LogRecord[] = [];
  const log = createLogger(() => clock.now(), [(record) => void records.push(record)]);
  const [logs, store] = [createFolderLogs(files, "/state"), createFolderStore(files, "/state")];
  const left = () => Object.keys(files.snapshot()).length;
  return { clock, files, records, left, uploads: createUploads({ logs, store, clock, log }) };
}

const never = new AbortController().signal;

async function all(lines: AsyncIterable<string>): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const line of lines) found.push(line);
  return found;
}

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "done",
    (error: unknown) => Failure.from(error).code,
  );

test("pieces come together in order, empty lines too, and can be gone through twice; then they are gone", async () => {
  const { uploads, left } = machine();
  const id = uploads.begin(never);
  await Promise.all([uploads.add(id, ["one", ""]), uploads.add(id, ["drei ☃"])]);
  assert.is(left(), 1);
  const twice = await uploads.finish(id, async (lines) => [await all(lines()), await all(lines())]);
  assert.equal(twice, [
    ["one", "", "drei ☃"],
    ["one", "", "drei ☃"],
  ]);
  assert.is(left(), 0);
  assert.is(await codeOf(uploads.add(id, ["late"])), "not-found");
});

test("an upload without lines has none", async () => {
  const { uploads } = machine();
  const id = uploads.begin(never);
  assert.equal(await uploads.finish(id, (lines) => all(lines())), []);
});

test("what fails at its end leaves nothing", async () => {
  const { uploads, left } = machine();
  const id = uploads.begin(never);
  await uploads.add(id, ["one"]);
  const refused = uploads.finish(id, () => Promise.reject(new Failure("conflict", "no")));
  assert.equal([await codeOf(refused), left()], ["conflict", 0]);
});

test("an upload is given up when nothing comes for ten minutes, and when who sends it is gone", async () => {
  const { uploads, clock, left } = machine();
  const abort = new AbortController();
  const [slow, cut] = [uploads.begin(never), uploads.begin(abort.signal)];
  await Promise.all([uploads.add(slow, ["a"]), uploads.add(cut, ["b"])]);
  await clock.advance(599_000);
  await uploads.add(slow, ["c"]);
  abort.abort();
  await clock.advance(599_000);
  assert.is(left(), 1);
  assert.is(await codeOf(uploads.add(cut, ["d"])), "not-found");
  await clock.advance(2000);
  assert.equal([await codeOf(uploads.add(slow, ["e"])), left()], ["not-found", 0]);
});

test("threat H only a few uploads go on at once, and a disk that is full ends one", async () => {
  const { uploads, files, left } = machine();
  const ids = Array.from({ length: 4 }, () => uploads.begin(never));
  assert.throws(
    () => uploads.begin(never),
    (error: unknown) => Failure.from(error).code === "unavailable",
  );
  await uploads.add(ids[0] ?? "", ["a"]);
  files.before = (operation) => {
    if (operation === "append") throw new Error("ENOSPC: no space left on device");
  };
  assert.is(await codeOf(uploads.add(ids[0] ?? "", ["b"])), "internal");
  files.before = undefined;
  assert.is(left(), 0);
  assert.type(uploads.begin(never), "string");
});

test("a start removes what a process before it left, and a close what is under way", async () => {
  const { uploads, files, left } = machine();
  files.put("/state/unfinished/left.lines", "half");
  files.put("/state/kept.jsonl", "{}\n");
  await uploads.sweep();
  await uploads.add(uploads.begin(never), ["a"]);
  assert.is(left(), 2);
  await uploads.close();
  assert.equal(Object.keys(files.snapshot()), ["/state/kept.jsonl"]);
});

test.run();
