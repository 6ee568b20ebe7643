import { test } from "uvu";
import * as assert from "uvu/assert";
import { Failure } from "../../src/kit/error.ts";
import type { Store } from "../../src/store/store.ts";

/** What every Store does. `name` goes before each test's name. */
export function storeContract(name: string, open: () => Store): void {
  const it = (does: string, run: (store: Store) => Promise<void>): void => test(`${name}: ${does}`, () => run(open()));

  it("has nothing under a key never written", async (store) => {
    assert.is(await store.read("a/b.json"), undefined);
    assert.equal(await store.keys(""), []);
  });

  it("reads what was changed and what was appended", async (store) => {
    await store.change("a/b.json", (old) => `${String(old)}!`);
    await store.append("a/log.jsonl", ["1", "2"]);
    await store.append("a/log.jsonl", ["3"]);
    assert.is(await store.read("a/b.json"), "undefined!");
    assert.is(await store.read("a/log.jsonl"), "1\n2\n3\n");
  });

  it("removes a key whose text becomes undefined", async (store) => {
    await store.change("gone", () => "x");
    await store.change("gone", () => undefined);
    assert.is(await store.read("gone"), undefined);
    assert.equal(await store.keys(""), []);
  });

  it("runs edits of one key one at a time", async (store) => {
    await Promise.all(Array.from({ length: 20 }, () => store.change("count", (old) => String(Number(old ?? "0") + 1))));
    assert.is(await store.read("count"), "20");
  });

  it("an edit that throws changes nothing and stops nothing", async (store) => {
    await store.change("k", () => "kept");
    const failed = store.change("k", () => {
      throw new Error("no");
    });
    const next = store.change("k", (old) => `${String(old)} and more`);
    assert.is(await failed.then(String, (error: Error) => error.message), "no");
    await next;
    assert.is(await store.read("k"), "kept and more");
  });

  it("keeps the order of appends made without waiting, and of a change between them", async (store) => {
    const log = Array.from({ length: 50 }, (_, index) => String(index));
    await Promise.all(log.map((line) => store.append("log", [line])));
    assert.is(await store.read("log"), log.map((line) => `${line}\n`).join(""));
    await Promise.all([store.change("log", () => "start\n"), store.append("log", ["end"])]);
    assert.is(await store.read("log"), "start\nend\n");
  });

  it("lists keys by prefix, sorted, across folders", async (store) => {
    for (const key of ["b", "a/2", "a/1", "a/deep/er", "ab"]) await store.change(key, () => "x");
    assert.equal(await store.keys(""), ["a/1", "a/2", "a/deep/er", "ab", "b"]);
    assert.equal(await store.keys("a"), ["a/1", "a/2", "a/deep/er", "ab"]);
    assert.equal(await store.keys("a/"), ["a/1", "a/2", "a/deep/er"]);
    assert.equal(await store.keys("a/deep/e"), ["a/deep/er"]);
    assert.equal(await store.keys("../"), []);
  });

  it("threat M: refuses every key that is not a plain path of names", async (store) => {
    for (const key of hostileKeys)
      for (const attempt of [store.read(key), store.change(key, () => "x"), store.append(key, ["x"])]) {
        const error = await attempt.then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        assert.instance(error, Failure, `accepted ${JSON.stringify(key)}`);
      }
    assert.equal(await store.keys(""), []);
  });

  it("refuses a line that would forge a second one", async (store) => {
    const error = await store.append("log", ["a\nb"]).catch((thrown: unknown) => thrown);
    assert.instance(error, Failure);
    assert.is(await store.read("log"), undefined);
  });
}

const hostileKeys = [
  "",
  "/",
  "/etc/passwd",
  "..",
  "../x",
  "a/../b",
  "a/./b",
  "a//b",
  "a/",
  ".hidden",
  "a\\b",
  "C:\\x",
  "\\\\server\\share",
  "file:///etc/passwd",
  "a\0b",
  "a b",
  "a%2f..%2fb",
  "nul",
  "COM1.json",
  "a/con",
  "dot.",
  "ü",
  "x".repeat(201),
  "a/".repeat(300) + "a",
];
