import { test } from "uvu";
import * as assert from "uvu/assert";
import { write } from "../../src/tools/write.ts";
import { Crash } from "../support/memory-files.ts";
import { call, refusal, textOf, workspace, workspaceWith } from "./try.ts";

test("a new file comes with its folders, readable by its owner alone", async () => {
  const files = workspaceWith();
  const result = await call(write, { path: "memory/2026/a.md", content: "hi é" }, { files });
  assert.is(textOf(result), "Created memory/2026/a.md (5 bytes).");
  assert.equal(result.details, { path: "memory/2026/a.md", bytes: 5, created: true });
  assert.is(await files.read(`${workspace}/memory/2026/a.md`), "hi é");
  assert.is((await files.stat(`${workspace}/memory/2026/a.md`))?.mode, 0o600);
});

test("a file that was there is replaced and keeps its mode, but never the bits that lend its owner's rights", async () => {
  const files = workspaceWith();
  files.put(`${workspace}/run.sh`, "old", 0o4755);
  const result = await call(write, { file_path: "run.sh", content: "new" }, { files });
  assert.is(textOf(result), "Replaced run.sh (3 bytes).");
  assert.is((await files.stat(`${workspace}/run.sh`))?.mode, 0o755);
});

test("a crash at any point leaves the old text or the new one", async () => {
  for (let at = 1; ; at++) {
    const files = workspaceWith({ a: "old" });
    files.crashAfter(at);
    let crashed = false;
    try {
      await call(write, { path: "a", content: "new text" }, { files });
    } catch (error) {
      assert.instance(error, Crash);
      crashed = true;
    }
    files.recover();
    assert.ok(["old", "new text"].includes((await files.read(`${workspace}/a`)) ?? ""));
    if (!crashed) break;
  }
});

test("a folder is not replaced, and too much text is refused", async () => {
  const files = workspaceWith({ "notes/a": "" });
  assert.match(await refusal(call(write, { path: "notes", content: "" }, { files })), "notes is no file, but a folder");
  const much = call(write, { path: "a", content: "x".repeat(5 * 1024 * 1024 + 1) }, { files });
  assert.match(await refusal(much), "more than 5 MB");
});

test("threat P what belongs to git is not written", async () => {
  const files = workspaceWith();
  files.putFolder(`${workspace}/.git/hooks`);
  for (const path of [".git/hooks/pre-commit", ".git/config", "sub/.GIT/config", ".git"])
    assert.match(await refusal(call(write, { path, content: "x" }, { files })), "belongs to git", path);
  await call(write, { path: ".gitignore", content: "x" }, { files });
});

test("threat P what is the gateway's own is not written, wherever the workspace is", async () => {
  const files = workspaceWith({ "config.json": "{}" });
  files.put("/home/me/.openclaw/openclaw.json", "{}");
  const at = "/home/me";
  for (const path of [
    ".openclaw/openclaw.json",
    ".openclaw/new/file",
    ".openclaw",

    "clawd/config.json",
  ])
    assert.match(
      await refusal(call(write, { path, content: "x" }, { files, at })),
      "belongs to the gateway itself",
      path,
    );
  await call(write, { path: ".openclaw-notes/a", content: "x" }, { files, at });
  const below = "/home/me/.openclaw/workspace";
  files.putFolder(below);
  await call(write, { path: "a", content: "x" }, { files, at: below });
});

test("an aborted run writes nothing", async () => {
  const files = workspaceWith();
  await refusal(call(write, { path: "a", content: "x" }, { files, signal: AbortSignal.abort() }));
  assert.equal(files.snapshot(), {});
});

test.run();
