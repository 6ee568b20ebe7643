import { test } from "uvu";
import * as assert from "uvu/assert";
import { shareLogs } from "../../src/budget/shared-logs.ts";
import { createFolderLogs } from "../../src/store/folder-log.ts";
import type { Log } from "../../src/store/log.ts";
import { createMemoryLogs } from "../../src/store/memory-log.ts";
import { createMemoryFiles } from "../support/memory-files.ts";

const write = (text: string) => (log: Log) => log.append([text]);
const length = async (log: Log) => log.size;

test("many users at a time, and one right after another, find the log open", async () => {
  const shared = shareLogs(createMemoryLogs());
  for (let round = 0; round < 5; round++) {
    const before = shared.using("a", write("x"));
    const beside = shared.using("a", write("y"));
    await Promise.race([before, beside]);
    await Promise.all([before, beside, shared.using("a", write("z"))]);
  }
  assert.is(await shared.using("a", length), 30);
});

test("nothing stays open", async () => {
  const logs = createMemoryLogs();
  const shared = shareLogs(logs);
  await Promise.all([shared.using("a", write("x")), shared.using("a", write("y"))]);
  await logs.remove("a");
});

test("a log that could not be opened, or work that failed, does not stop the next", async () => {
  const files = createMemoryFiles();
  const shared = shareLogs(createFolderLogs(files, "/state"));
  files.putFolder("/state");
  files.before = () => {
    throw new Error("broken disk");
  };
  for (const text of ["x", "y"])
    try {
      await shared.using("a", write(text));
      assert.unreachable();
    } catch (error) {
      assert.match(String(error), /broken disk/);
    }
  files.before = undefined;
  await shared.using("a", write("z"));
  assert.is(await shared.using("a", length), 2);
});

test.run();
