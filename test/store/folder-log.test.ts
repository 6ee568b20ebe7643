import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { files as disk } from "../../adapters/machine/files.ts";
import { createFolderLogs } from "../../src/store/folder-log.ts";
import { contentOf, logsContract, textOf } from "../contract/logs.ts";
import { Crash, createMemoryFiles } from "../support/memory-files.ts";

const root = mkdtempSync(join(tmpdir(), "clawlet-logs-"));
let made = 0;

logsContract("folder", () => createFolderLogs(createMemoryFiles(), "/state"));
logsContract("disk", () => createFolderLogs(disk, `${root}/${made++}`));

test("appends that come while one is written share the next write", async () => {
  const files = createMemoryFiles();
  const log = await createFolderLogs(files, "/state").open("log");
  await log.append(["first"]);
  const before = files.operations;
  await Promise.all(Array.from({ length: 100 }, (_, index) => log.append([String(index)])));
  assert.is(files.operations, before + 1);
});

test("an append asks the disk for nothing but the write", async () => {
  const files = createMemoryFiles();
  const log = await createFolderLogs(files, "/state").open("log");
  await log.append(["first"]);
  const asked: string[] = [];
  files.before = (operation) => void asked.push(operation);
  await log.append(["second"]);
  assert.equal(asked, ["append"]);
});

test("a torn last line is not read, and is kept aside before the next is written", async () => {
  const files = createMemoryFiles();
  files.put("/state/log", `whole\n${"x".repeat(200_000)}`);
  const log = await createFolderLogs(files, "/state").open("log");
  assert.is(log.size, 6);
  assert.is(await textOf(log), "whole\n");
  assert.is(files.operations, 0);
  await log.append(["next"]);
  assert.is(await files.read("/state/log"), "whole\nnext\n");
  assert.is(await files.read("/state/log.torn"), "x".repeat(200_000));
});

test("what a full disk took of a write is cut before the next one", async () => {
  const files = createMemoryFiles();
  const log = await createFolderLogs(files, "/state").open("log");
  await log.append(["before"]);
  // The disk takes two of three lines, and says that it failed.
  files.crashAfter(1);
  const failed = await Promise.allSettled([log.append(["a", "b", "c"]), log.append(["d"])]);
  assert.equal(
    failed.map(({ status }) => status),
    ["rejected", "rejected"],
  );
  files.recover();
  assert.is(log.size, 7);
  assert.is(await log.append(["after"]), 7);
  assert.is(await files.read("/state/log"), "before\nafter\n");
});

test("while the disk refuses to be mended nothing is written, and everything is afterwards", async () => {
  const files = createMemoryFiles();
  const log = await createFolderLogs(files, "/state").open("log");
  await log.append(["before"]);
  files.crashAfter(1);
  for (let turn = 0; turn < 3; turn++)
    assert.instance(await log.append(["lost"]).catch((error: unknown) => error), Crash);
  files.recover();
  await log.append(["after"]);
  assert.is(await files.read("/state/log"), "before\nafter\n");
});

test("threat S: logs are 0600 in folders of 0700", async () => {
  const files = createMemoryFiles();
  const logs = createFolderLogs(files, "/state");
  const log = await logs.open("a/log");
  await log.append(["x"]);
  await log.close();
  await logs.replace("a/other", ["x"]);
  assert.is((await files.stat("/state/a"))?.mode, 0o700);
  assert.is((await files.stat("/state/a/log"))?.mode, 0o600);
  assert.is((await files.stat("/state/a/other"))?.mode, 0o600);
});

test("kill -9 at any point loses nothing that was acknowledged", async () => {
  for (let point = 1; point < 40; point++) {
    const files = createMemoryFiles();
    const acknowledged: string[] = [];
    files.crashAfter(point);
    try {
      const log = await createFolderLogs(files, "/state").open("log");
      for (let step = 0; step < 30; step++) {
        await log.append([`line ${step}`]);
        acknowledged.push(`line ${step}`);
      }
    } catch (error) {
      assert.instance(error, Crash);
    }
    files.recover();
    const logs = createFolderLogs(files, "/state");
    const log = await logs.open("log");
    await log.append(["after"]);
    await log.close();
    const lines = (await contentOf(logs, "log")).split("\n").slice(0, -1);
    assert.equal(lines.slice(0, acknowledged.length), acknowledged, `killed at ${point}`);
    assert.is(lines.at(-1), "after");
    assert.ok(lines.length <= acknowledged.length + 2);
  }
});

test.after(() => rmSync(root, { recursive: true, force: true }));
test.run();
