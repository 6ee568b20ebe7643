import { test } from "uvu";
import * as assert from "uvu/assert";
import { edit } from "../../src/tools/edit.ts";
import { call, refusal, textOf, workspace, workspaceWith } from "./try.ts";

async function edited(text: string, oldText: string, newText: string): Promise<string | undefined> {
  const files = workspaceWith({ a: text });
  await call(edit, { path: "a", oldText, newText }, { files });
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(await files.readRange(`${workspace}/a`, 0, 1e6));
}

test("one piece is replaced, and the answer says where", async () => {
  const files = workspaceWith({ "a.md": "one\ntwo\nthree\n" });
  const result = await call(edit, { path: "a.md", oldText: "two", newText: "2\n2½" }, { files });
  assert.is(textOf(result), "Edited a.md at line 2.");
  assert.equal(result.details, {
    path: "a.md",
    firstChangedLine: 2,
    diff: "@@ line 2 @@\n one\n-two\n+2\n+2½\n three\n ",
  });
  assert.is(await files.read(`${workspace}/a.md`), "one\n2\n2½\nthree\n");
});

test("other spellings of the parameters are understood", async () => {
  const files = workspaceWith({ a: "x" });
  await call(edit, { file_path: "a", old_string: "x", new_string: "y" }, { files });
  assert.is(await files.read(`${workspace}/a`), "y");
});

test("line endings, the byte order mark and every other byte stay", async () => {
  assert.is(await edited("a\r\nb\r\nc\r\n", "b\nc", "B\nC\nD"), "a\r\nB\r\nC\r\nD\r\n");
  assert.is(await edited("a\r\nb\r\nc", "b\r\nc", "x"), "a\r\nx");
  assert.is(await edited("mixed\nlines\r\nhere\n", "mixed", "still mixed"), "still mixed\nlines\r\nhere\n");
  assert.is(await edited("\ufeffa\nb", "a\nb", "c"), "\ufeffc");
  assert.is(await edited("price: $1", "$1", "$& $$ $2"), "price: $& $$ $2");
  assert.is(await edited("🦞 a 🦞", " a", ""), "🦞 🦞");
});

test("a text that is there more than once is refused with where it is", async () => {
  const files = workspaceWith({ a: "x = 1\ny\nx = 1\n" });
  const message = await refusal(call(edit, { path: "a", oldText: "x = 1", newText: "z" }, { files }));
  assert.match(message, "oldText is 2 times in a (lines 1, 3)");
  assert.match(message, "give more of the text around");
  const overlapping = workspaceWith({ a: "aaa" });
  const twice = await refusal(call(edit, { path: "a", oldText: "aa", newText: "z" }, { files: overlapping }));
  assert.match(twice, "2 times");
});

test("a text that differs in white space alone is shown as it is", async () => {
  const files = workspaceWith({ a: "if (x) {\n\treturn  1;\n}\n" });
  const message = await refusal(call(edit, { path: "a", oldText: "if (x) {\n  return 1;\n}", newText: "" }, { files }));
  assert.match(message, "line 1 has it with other white space");
  assert.match(message, "if (x) {\n\treturn  1;\n}");
  assert.match(await refusal(call(edit, { path: "a", oldText: "nope", newText: "" }, { files })), "read it again");
});

test("nothing to look for, nothing to change and nothing to read are refused", async () => {
  const files = workspaceWith({ a: "x" });
  assert.match(await refusal(call(edit, { path: "a", oldText: "", newText: "y" }, { files })), "oldText is empty");
  assert.match(await refusal(call(edit, { path: "a", oldText: "x", newText: "x" }, { files })), "are the same");
  assert.match(await refusal(call(edit, { path: "b", oldText: "x", newText: "y" }, { files })), "use write to make it");
});

test("a file that is no UTF-8 text is not written back", async () => {
  const files = workspaceWith({ a: "x" });
  const bytes = Uint8Array.of(0x78, 0xff, 0xfe);
  const broken = { ...files, readRange: async () => bytes };
  assert.match(
    await refusal(call(edit, { path: "a", oldText: "x", newText: "y" }, { files: broken })),
    "no UTF-8 text",
  );
});

test("what somebody else wrote meanwhile is not lost", async () => {
  const files = workspaceWith({ a: "old" });
  let stats = 0;
  files.before = async (operation, path) => {
    if (operation === "stat" && path.endsWith("/a") && ++stats === 2) files.put(path, "theirs old");
  };
  assert.match(await refusal(call(edit, { path: "a", oldText: "old", newText: "new" }, { files })), "read it again");
  assert.is(await files.read(`${workspace}/a`), "theirs old");
});

test("the mode stays, and git's files are left alone", async () => {
  const files = workspaceWith();
  files.put(`${workspace}/run.sh`, "x", 0o755);
  files.put(`${workspace}/.git/config`, "x");
  await call(edit, { path: "run.sh", oldText: "x", newText: "y" }, { files });
  assert.is((await files.stat(`${workspace}/run.sh`))?.mode, 0o755);
  const git = call(edit, { path: ".git/config", oldText: "x", newText: "y" }, { files });
  assert.match(await refusal(git), "belongs to git");
});

test("a long diff is cut", async () => {
  const files = workspaceWith({ a: "x" });
  const result = await call(edit, { path: "a", oldText: "x", newText: "y\n".repeat(500) }, { files });
  const { diff } = result.details as { diff: string };
  assert.match(diff, /… \d+ more lines$/);
  assert.is(diff.split("\n").length, 61);
});

test("threat H a piece that was made to be hard to find is looked for in no time", async () => {
  const half = "a".repeat(125_000);
  const files = workspaceWith({ letters: "a".repeat(4_000_000), lines: "a\n".repeat(1_000_000) });
  const letters = call(edit, { path: "letters", oldText: `${half}b${half}`, newText: "x" }, { files });
  assert.match(await refusal(letters), "oldText is not in letters");
  const lines = `${"a \n".repeat(100_000)}b`;
  assert.match(
    await refusal(call(edit, { path: "lines", oldText: lines, newText: "x" }, { files })),
    "is not in lines",
  );
  const everywhere = call(edit, { path: "letters", oldText: "a".repeat(1_000_000), newText: "x" }, { files });
  assert.match(await refusal(everywhere), "is more than 10 times in letters");
});

test.run();
