import { test } from "uvu";
import * as assert from "uvu/assert";
import { memoryGet, memorySearch } from "../../src/tools/memory.ts";
import { call, refusal, textOf, workspace, workspaceWith } from "./try.ts";

const notes = {
  "MEMORY.md":
    "# What stays true\n\nThe cat is called Mizzi. She eats at seven.\n\n## Trains\n\nThe train to Graz leaves at 7:25.\n",
  "memory/2026-11-20.md": "# Friday\n\nThe vet said that the cat is well.\n\nRené liked the café.\n",
  "memory/old/2025-01-02.md": "A concatenation of words about Graz.\n",
  "memory/picture.png": "cat",
  "notes.md": "The cat is not in the memory.\n",
};

async function found(query: string, files = workspaceWith(notes), more: object = {}): Promise<readonly string[]> {
  const { details } = await call(memorySearch, { query, ...more }, { files });
  const { results } = details as { results: { path: string; startLine: number; endLine: number }[] };
  return results.map(({ path, startLine, endLine }) => `${path}:${startLine}-${endLine}`);
}

test("passages with the words are found in MEMORY.md and the memory folder alone, with their lines", async () => {
  assert.equal([...(await found("cat"))].toSorted(), ["MEMORY.md:1-3", "memory/2026-11-20.md:1-5"]);
  assert.equal(await found("train graz"), ["MEMORY.md:5-7", "memory/old/2025-01-02.md:1-1"]);
  const result = await call(memorySearch, { query: "train" }, { files: workspaceWith(notes) });
  assert.is(textOf(result), "MEMORY.md:5-7\n## Trains\n\nThe train to Graz leaves at 7:25.");
});

test("neither case nor accents count, a word is found by its beginning, and scripts without spaces by each character", async () => {
  assert.equal(await found("RENE CAFE"), ["memory/2026-11-20.md:1-5"]);
  assert.equal(await found("friday"), ["memory/2026-11-20.md:1-5"]);
  assert.equal(await found("2026-11-20"), ["memory/2026-11-20.md:1-5"]);
  assert.equal(await found("concat"), ["memory/old/2025-01-02.md:1-1"]);
  const japanese = workspaceWith({ "memory/a.md": "猫の名前はミケです。", "memory/b.md": "犬が好きです。" });
  assert.equal((await found("猫の名前", japanese))[0], "memory/a.md:1-1");
});

test("nothing found, and what cannot be looked for, is said", async () => {
  const files = workspaceWith(notes);
  assert.is(
    textOf(await call(memorySearch, { query: "zebra" }, { files })),
    "Nothing in 3 files has these words: try others.",
  );
  assert.match(textOf(await call(memorySearch, { query: "?!" }, { files })), "Nothing in 3 files");
  assert.match(textOf(await call(memorySearch, { query: "x" }, { files: workspaceWith() })), "Nothing in 0 files");
  const large = workspaceWith({ "MEMORY.md": "cat", "memory/large.md": "cat ".repeat(200_000) });
  assert.match(
    textOf(await call(memorySearch, { query: "cat" }, { files: large })),
    /^MEMORY\.md:1-1\ncat\n\n\[1 more file/,
  );
});

test("as many passages as asked for, those with more and rarer words first", async () => {
  const many = workspaceWith({
    "memory/a.md": Array.from({ length: 30 }, (_, at) => `# ${at}\n\nred`).join("\n"),
    "memory/b.md": "red and blue",
  });
  assert.is((await found("red", many)).length, 6);
  assert.is((await found("red", many, { limit: 20 })).length, 20);
  assert.is((await found("red blue", many))[0], "memory/b.md:1-1");
});

test("a long line is found to its end, in the part that has the words", async () => {
  const files = workspaceWith({
    "memory/a.md": `# Talk\n\nassistant: ${"and so on ".repeat(300)}zebra ${"x".repeat(2000)}`,
  });
  const result = await call(memorySearch, { query: "zebra" }, { files });
  assert.match(textOf(result), /^memory\/a\.md:3-3\n.* zebra$/);
  assert.ok(textOf(result).length < 800);
});

test("threat M, P: a link out of the workspace is not searched, and only files of the memory are shown", async () => {
  const files = workspaceWith(notes);
  files.put("/home/me/secret.md", "the cat knows the password");
  const linked = {
    ...files,
    realPath: (path: string) =>
      path === `${workspace}/memory/2026-11-20.md` ? Promise.resolve("/home/me/secret.md") : files.realPath(path),
  };
  assert.equal(await found("password", linked), []);
  assert.match(await refusal(call(memoryGet, { path: "notes.md" }, { files })), "notes.md is not of the memory");
  assert.match(await refusal(call(memoryGet, { path: "memory/../notes.md" }, { files })), "goes up with");
  assert.match(await refusal(call(memoryGet, { path: "memory/none.md" }, { files })), "there is no memory/none.md");
});

test("lines of a file are shown, with how to go on", async () => {
  const files = workspaceWith(notes);
  assert.is(
    textOf(await call(memoryGet, { path: "MEMORY.md", from: 5, lines: 3 }, { files })).split("\n\n[")[0],
    "## Trains\n\nThe train to Graz leaves at 7:25.",
  );
  assert.is(
    textOf(await call(memoryGet, { path: "memory/2026-11-20.md", lines: 1 }, { files })),
    "# Friday\n\n[There is more: go on with from=2.]",
  );
});

test.run();
