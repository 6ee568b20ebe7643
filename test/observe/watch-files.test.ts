import { test } from "uvu";
import * as assert from "uvu/assert";
import { createFileWatch } from "../../src/observe/watch-files.ts";
import { createFolderLogs } from "../../src/store/folder-log.ts";
import { createFolderStore } from "../../src/store/folder.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { createMemoryFiles } from "../support/memory-files.ts";

test("writes of logs and documents are told when they are on the disk, and open files are counted", async () => {
  const told: string[] = [];
  const watch = createFileWatch(createFakeClock(), (kind) => told.push(kind));
  const files = watch.over(createMemoryFiles());
  const log = await createFolderLogs(files, "/state").open("journal");
  assert.is(watch.open(), 0);
  await log.append(["{}"]);
  assert.is(watch.open(), 1);
  await createFolderStore(files, "/state").change("document", () => "{}");
  assert.equal(told, ["append", "replace"]);
  assert.is(new TextDecoder().decode(await log.read(0, 10)).trim(), "{}");
  await log.close();
  assert.is(watch.open(), 0);
});

test("a write that failed is not told as one that is on the disk", async () => {
  const told: string[] = [];
  const watch = createFileWatch(createFakeClock(), (kind) => told.push(kind));
  const broken = { ...createMemoryFiles(), write: () => Promise.reject(new Error("disk full")) };
  const failed = await watch
    .over(broken)
    .write("/state/x", "y")
    .catch((error: unknown) => error);
  assert.match(String(failed), "disk full");
  assert.equal(told, []);
});

test.run();
