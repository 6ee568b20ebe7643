import { test } from "uvu";
import * as assert from "uvu/assert";
import { createFolderStore } from "../../src/store/folder.ts";
import { storeContract } from "../contract/store.ts";
import { createMemoryFiles, Crash } from "../support/memory-files.ts";

storeContract("folder", () => createFolderStore(createMemoryFiles(), "/state"));

test("an unchanged text is not written again", async () => {
  const files = createMemoryFiles();
  const store = createFolderStore(files, "/state");
  await store.change("a.json", () => "same");
  const before = files.operations;
  await store.change("a.json", () => "same");
  assert.is(files.operations, before);
});

test("threat S: files are 0600 and folders 0700", async () => {
  const files = createMemoryFiles();
  const store = createFolderStore(files, "/state");
  await store.change("secret/a.json", () => "x");
  await store.append("secret/log", ["x"]);
  assert.is((await files.stat("/state/secret"))?.mode, 0o700);
  assert.is((await files.stat("/state/secret/a.json"))?.mode, 0o600);
  assert.is((await files.stat("/state/secret/log"))?.mode, 0o600);
});

test("appends that wait together share one write", async () => {
  const files = createMemoryFiles();
  const store = createFolderStore(files, "/state");
  await store.append("log", ["first"]);
  const before = files.operations;
  await Promise.all(Array.from({ length: 100 }, (_, index) => store.append("log", [String(index)])));
  assert.is(files.operations, before + 1);
});

test("a torn last line is kept aside and never glued to the next", async () => {
  const files = createMemoryFiles();
  files.put("/state/log", `whole\n${"x".repeat(200_000)}`);
  const store = createFolderStore(files, "/state");
  await store.append("log", ["next"]);
  assert.is(await store.read("log"), "whole\nnext\n");
  assert.is(await store.read("log.torn"), "x".repeat(200_000));
});

test("a log that is one torn line starts empty", async () => {
  const files = createMemoryFiles();
  files.put("/state/log", "half a li");
  const store = createFolderStore(files, "/state");
  await store.append("log", ["next"]);
  assert.is(await store.read("log"), "next\n");
});

test("a failed append rejects everyone in its batch, and the next one works", async () => {
  const files = createMemoryFiles();
  const store = createFolderStore(files, "/state");
  await store.append("log", ["before"]);
  files.before = (operation) => {
    if (operation === "append") throw new Error("ENOSPC");
  };
  const results = await Promise.allSettled([store.append("log", ["a"]), store.append("log", ["b"])]);
  assert.equal(
    results.map(({ status }) => status),
    ["rejected", "rejected"],
  );
  files.before = undefined;
  await store.append("log", ["after"]);
  assert.is(await store.read("log"), "before\nafter\n");
});

test("kill -9 at any point loses nothing that was acknowledged, and leaves documents whole", async () => {
  for (let point = 1; point < 60; point++) {
    const files = createMemoryFiles();
    const acknowledged: string[] = [];
    let version = -1;
    files.crashAfter(point);
    const first = createFolderStore(files, "/state");
    try {
      for (let step = 0; step < 12; step++) {
        await first.append("log", [`line ${step}`]);
        acknowledged.push(`line ${step}`);
        await first.change("doc.json", () => JSON.stringify({ step }));
        version = step;
      }
    } catch (error) {
      assert.instance(error, Crash);
    }
    files.recover();
    const second = createFolderStore(files, "/state");
    await second.append("log", ["after"]);
    const lines = ((await second.read("log")) ?? "").split("\n").slice(0, -1);
    assert.equal(lines.slice(0, acknowledged.length), acknowledged, `killed at ${point}`);
    assert.is(lines.at(-1), "after");
    for (const line of lines) assert.match(line, /^(line \d+|after)$/);
    const document = JSON.parse((await second.read("doc.json")) ?? '{"step":-1}') as { step: number };
    assert.ok(document.step === version || document.step === version + 1, `killed at ${point}`);
    assert.equal(
      (await second.keys("")).filter((key) => !["log", "log.torn", "doc.json"].includes(key)),
      [],
    );
  }
});

test.run();
