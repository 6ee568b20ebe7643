import { test } from "uvu";
import * as assert from "uvu/assert";
import { Failure } from "../../src/kit/error.ts";
import type { Log, Logs } from "../../src/store/log.ts";

/** What Logs are, in memory and on a disk. `open` makes them anew, empty. */
export function logsContract(name: string, open: () => Logs | Promise<Logs>): void {
  const it = (does: string, run: (logs: Logs) => Promise<void>): void =>
    test(`${name}: ${does}`, async () => run(await open()));

  it("a log never written is empty", async (logs) => {
    const log = await logs.open("a/b.jsonl");
    assert.is(log.size, 0);
    assert.is((await log.read(0, 100)).length, 0);
    await log.close();
  });

  it("appends follow each other; each answers where it begins, in bytes", async (logs) => {
    const log = await logs.open("a/b.jsonl");
    assert.is(await log.append(["é", "b"]), 0);
    assert.is(await log.append(["c"]), 5);
    assert.is(log.size, 7);
    assert.is(await textOf(log), "é\nb\nc\n");
    assert.is(new TextDecoder().decode(await log.read(3, 5)), "b\n");
    assert.is((await log.read(50, 60)).length, 0);
    await log.close();
  });

  it("appends that do not wait keep their order", async (logs) => {
    const log = await logs.open("log");
    const offsets = await Promise.all(Array.from({ length: 50 }, (_, index) => log.append([String(index + 10)])));
    assert.equal(
      offsets,
      Array.from({ length: 50 }, (_, index) => index * 3),
    );
    assert.is(await textOf(log), Array.from({ length: 50 }, (_, index) => `${index + 10}\n`).join(""));
    await log.close();
  });

  it("goes on where it was when it is opened again", async (logs) => {
    const first = await logs.open("log");
    await first.append(["1"]);
    await first.close();
    const second = await logs.open("log");
    assert.is(second.size, 2);
    assert.is(await second.append(["2"]), 2);
    assert.is(await textOf(second), "1\n2\n");
    await second.close();
  });

  it("a line that holds a line break is refused, and changes nothing", async (logs) => {
    const log = await logs.open("log");
    await log.append(["kept"]);
    assert.is(await codeOf(log.append(["a\nb"])), "invalid-request");
    assert.is(await textOf(log), "kept\n");
    await log.close();
  });

  it("moves, replaces and removes what nobody has open", async (logs) => {
    await write(logs, "a/one", ["1"]);
    await logs.move("a/one", "b/two");
    await logs.move("a/missing", "b/two");
    assert.is(await contentOf(logs, "a/one"), "");
    assert.is(await contentOf(logs, "b/two"), "1\n");
    await logs.replace("b/two", ["2", "3"]);
    assert.is(await contentOf(logs, "b/two"), "2\n3\n");
    await write(logs, "b/one", ["new"]);
    await logs.move("b/one", "b/two");
    assert.is(await contentOf(logs, "b/two"), "new\n");
    await logs.remove("b/two");
    await logs.remove("b/two");
    assert.is(await contentOf(logs, "b/two"), "");
  });

  it("refuses to open, move, replace or remove what is open", async (logs) => {
    const log = await logs.open("log");
    await log.append(["1"]);
    for (const attempt of [
      () => logs.open("log"),
      () => logs.move("log", "other"),
      () => logs.replace("log", []),
      () => logs.remove("log"),
    ])
      assert.is(await codeOf(attempt()), "internal");
    assert.is(await textOf(log), "1\n");
    await log.close();
  });

  it("threat M: a key that is no plain path is refused", async (logs) => {
    for (const key of ["../a", "/etc/passwd", "a//b", "a\\b", "", ".hidden", "a\u0000b", "con"])
      for (const attempt of [() => logs.open(key), () => logs.remove(key), () => logs.move("a", key)])
        assert.is(await codeOf(attempt()), "invalid-request", JSON.stringify(key));
  });
}

export async function textOf(log: Log): Promise<string> {
  return new TextDecoder().decode(await log.read(0, log.size));
}

export async function contentOf(logs: Logs, key: string): Promise<string> {
  const log = await logs.open(key);
  const text = await textOf(log);
  await log.close();
  return text;
}

export async function write(logs: Logs, key: string, lines: readonly string[]): Promise<void> {
  const log = await logs.open(key);
  await log.append(lines);
  await log.close();
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "fulfilled",
    (error: unknown) => Failure.from(error).code,
  );
}
