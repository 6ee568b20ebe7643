import { test } from "uvu";
import * as assert from "uvu/assert";
import { ensureWorkspace } from "../../src/agent/workspace.ts";
import { createMemoryFiles } from "../support/memory-files.ts";

const folder = "/home/me/clawd";

test("a new workspace gets every file, and the ritual of the first run", async () => {
  const files = createMemoryFiles();
  assert.is(await ensureWorkspace({ files }, folder, "person"), true);
  const made = (await files.list(folder)).join(" ");
  assert.is(made, "AGENTS.md BOOTSTRAP.md HEARTBEAT.md IDENTITY.md SOUL.md TOOLS.md USER.md");
});

test("a workspace that is whole is looked at before an answer, and not written to", async () => {
  const files = createMemoryFiles();
  await ensureWorkspace({ files }, folder, "person");
  const { operations } = files;
  for (let turn = 0; turn < 10; turn++) assert.is(await ensureWorkspace({ files }, folder, "person"), false);
  assert.is(files.operations, operations);
});

test("a file that somebody deleted comes back, what is there stays, and the ritual is over", async () => {
  const files = createMemoryFiles();
  files.put(`${folder}/SOUL.md`, "mine");
  assert.is(await ensureWorkspace({ files }, folder, "person"), false);
  assert.is(await files.read(`${folder}/SOUL.md`), "mine");
  assert.ok((await files.list(folder)).includes("AGENTS.md"));
  assert.not((await files.list(folder)).includes("BOOTSTRAP.md"));
});

test.run();
