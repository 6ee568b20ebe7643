import { test } from "uvu";
import * as assert from "uvu/assert";
import { read } from "../../src/tools/read.ts";
import { createMemoryFiles } from "../support/memory-files.ts";
import { call, refusal, textOf, workspace, workspaceWith } from "./try.ts";

/** A disk whose files have these bytes, as texts in which each character is a byte. */
function withBytes(bytes: string) {
  const files = workspaceWith({ file: bytes });
  const raw = Uint8Array.from(bytes, (character) => character.charCodeAt(0));
  return {
    ...files,
    readRange: async (_: string, start: number, end: number) => raw.slice(start, end),
    stat: async () => ({ kind: "file" as const, size: raw.length, modifiedAt: 0, mode: 0o600, inode: "1" }),
  };
}

test("a small text is shown as it is, by relative and by absolute path, and under another name of the parameter", async () => {
  const files = workspaceWith({ "notes/a.md": "one\r\ntwo\n" });
  for (const path of ["notes/a.md", "./notes//a.md", "notes\\a.md", `${workspace}/notes/a.md`])
    assert.is(textOf(await call(read, { path }, { files })), "one\ntwo", path);
  assert.is(textOf(await call(read, { file_path: "notes/a.md", offset: null }, { files })), "one\ntwo");
});

test("offset and limit show a part and say how to go on", async () => {
  const files = workspaceWith({ a: "1\n2\n3\n4\n" });
  const part = await call(read, { path: "a", offset: 2, limit: 2 }, { files });
  assert.is(textOf(part), "2\n3\n\n[Lines 2 to 3. There is more: go on with offset=4.]");
  assert.equal(part.details, { path: "a", firstLine: 2, lastLine: 3, truncated: true });
  assert.is(textOf(await call(read, { path: "a", offset: 4 }, { files })), "4");
  assert.match(
    await refusal(call(read, { path: "a", offset: 5 }, { files })),
    "offset 5 is past the end: a has 4 lines",
  );
});

test("a long text is read on from where it was cut, and nothing is lost between", async () => {
  const lines = Array.from({ length: 5000 }, (_, index) => `line ${index} ${"ä".repeat(index % 60)}`);
  const files = workspaceWith({ a: lines.join("\n") });
  const seen: string[] = [];
  for (let offset: number | undefined = 1; offset !== undefined;) {
    const text = textOf(await call(read, { path: "a", offset }, { files }));
    assert.ok(new TextEncoder().encode(text).length < 51 * 1024 + 200);
    const [body = "", note] = text.split("\n\n[");
    seen.push(...body.split("\n"));
    assert.ok(body.split("\n").length <= 2000);
    const next: string | undefined = /offset=(\d+)/.exec(note ?? "")?.[1];
    offset = next === undefined ? undefined : Number(next);
  }
  assert.equal(seen, lines);
});

test("a line without an end is shown as far as there is room, and what follows it can be read", async () => {
  const files = workspaceWith({ a: `${"é".repeat(600_000)}\nlast` });
  const text = textOf(await call(read, { path: "a" }, { files }));
  assert.match(text, "[Line 1 is longer than 50 KB: this is its beginning.]");
  assert.match(text, "go on with offset=2");
  assert.ok(text.length < 52 * 1024);
  assert.is(textOf(await call(read, { path: "a", offset: 2 }, { files })), "last");
});

test("a character on the edge of a window is whole", async () => {
  const files = workspaceWith({ a: `${"x".repeat(100)}\n`.repeat(2595) + `${"x".repeat(48)}🦞\nend` });
  assert.is(textOf(await call(read, { path: "a", offset: 2596 }, { files })), `${"x".repeat(48)}🦞\nend`);
});

test("an empty file is said to be empty", async () => {
  assert.is(textOf(await call(read, { path: "a" }, { files: workspaceWith({ a: "" }) })), "[The file is empty.]");
});

test("pictures are known by their first bytes, whatever their name, and come as base64", async () => {
  for (const [bytes, mimeType] of [
    ["\u0089PNG\r\n\u001a\nrest", "image/png"],
    ["\u00ff\u00d8\u00ff\u00e0rest", "image/jpeg"],
    ["GIF89a\u0000", "image/gif"],
    ["RIFF\u0000\u0000\u0000\u0000WEBPVP8 ", "image/webp"],
  ] as const) {
    const { content } = await call(read, { path: "file" }, { files: withBytes(bytes) });
    assert.equal(content[1], { type: "image", mimeType, data: btoa(bytes), fileName: "file" });
  }
});

test("a picture above 5 MB and a binary file are refused with their size", async () => {
  const big = `\u0089PNG\r\n\u001a\n${"x".repeat(5 * 1024 * 1024)}`;
  assert.match(await refusal(call(read, { path: "file" }, { files: withBytes(big) })), "more than the 5 MB");
  const binary = call(read, { path: "file" }, { files: withBytes("PK\u0003\u0004\u0000") });
  assert.match(await refusal(binary), "file is a binary file of 5 bytes");
});

test("a folder is answered with what is in it, a missing file with what to do", async () => {
  const files = workspaceWith({ "notes/a.md": "", "notes/b.md": "" });
  assert.match(
    await refusal(call(read, { path: "notes" }, { files })),
    "notes is no file, but a folder with a.md, b.md",
  );
  assert.match(await refusal(call(read, { path: "nope.md" }, { files })), "there is no file nope.md in the workspace");
});

test("an aborted run reads no more", async () => {
  const files = workspaceWith({ a: "text" });
  assert.match(await refusal(call(read, { path: "a" }, { files, signal: AbortSignal.abort() })), /abort/i);
});

test("threat M a file that is replaced by a link while it is read is not shown", async () => {
  const files = createMemoryFiles();
  files.put(`${workspace}/a`, "mine");
  const swapped = { ...files, readRange: async () => ((isSwapped = true), new TextEncoder().encode("a stranger's")) };
  let isSwapped = false;
  const realPath = async (path: string) => (isSwapped && path.endsWith("/a") ? "/etc/passwd" : files.realPath(path));
  const answer = call(read, { path: "a" }, { files: { ...swapped, realPath } });
  assert.match(await refusal(answer), "a was replaced while it was being read");
});

test.run();
