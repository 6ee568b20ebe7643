import { test } from "uvu";
import * as assert from "uvu/assert";
import { type Included, includedFrom, resolveIncludes } from "../../src/config/include.ts";
import { createMemoryFiles } from "../support/memory-files.ts";

test("an included file takes the place of the object; keys beside it win", async () => {
  const { value, files } = await included(
    { a: { $include: "./a.json5", x: 2 } },
    { "a.json5": "{ x: 1, y: { z: 1 } }" },
  );
  assert.equal(value, { a: { x: 2, y: { z: 1 } } });
  assert.equal(files, ["/conf/a.json5"]);
});

test("a list of files is merged in order, later ones win", async () => {
  const { value } = await included(
    { $include: ["a.json", "b.json"] },
    { "a.json": '{"o":{"x":1,"y":1},"l":[1,2]}', "b.json": '{"o":{"y":2},"l":[3]}' },
  );
  assert.equal(value, { o: { x: 1, y: 2 }, l: [3] });
});

test("an included list stands alone", async () => {
  const list = { "l.json": "[1, 2]" };
  assert.equal((await included({ a: { $include: "l.json" } }, list)).value, { a: [1, 2] });
  assert.match(problem(await included({ a: { $include: "l.json", x: 1 } }, list)), "no keys may stand beside $include");
});

test("includes are relative to the file that holds them", async () => {
  const { value } = await included(
    { $include: "sub/a.json" },
    { "sub/a.json": '{"$include":"../b.json"}', "b.json": '{"b":1}' },
  );
  assert.equal(value, { b: 1 });
});

test("a missing file is named and costs only its own place", async () => {
  const result = await included({ a: { $include: "./missing.json5" }, b: 1 }, {});
  assert.equal(result.value, { a: {}, b: 1 });
  assert.equal(result.findings[0]?.path, ["a"]);
  assert.is(problem(result), "Failed to read include file: ./missing.json5 (resolved: /conf/missing.json5)");
});

test("a circle is named", async () => {
  const result = await included({ $include: "a.json" }, { "a.json": '{"$include":"main.json"}', "main.json": "{}" });
  assert.is(problem(result), "Circular include detected: /conf/main.json -> /conf/a.json -> /conf/main.json");
});

test("nesting and number of files are bounded", async () => {
  const deep = Object.fromEntries(
    Array.from({ length: 12 }, (_, index) => [`${index}.json`, `{"$include":"${index + 1}.json"}`]),
  );
  assert.match(problem(await included({ $include: "0.json" }, deep)), "nested deeper than 10 files");
  const wide = { "a.json": "{}" };
  assert.match(
    problem(await included({ $include: Array.from({ length: 65 }, () => "a.json") }, wide)),
    "at most 64 are read",
  );
});

test("a file that is too large, a folder or not JSON5 is refused", async () => {
  assert.match(
    problem(await included({ $include: "a" }, { a: `"${"x".repeat(2 * 1024 * 1024)}"` })),
    "at most 2097152 are read",
  );
  assert.match(problem(await included({ $include: "sub" }, { "sub/a": "{}" })), "is not a file");
  assert.match(problem(await included({ $include: "a" }, { a: "{ oops" })), /^\/conf\/a: JSON5 parse failed/);
  assert.match(problem(await included({ $include: "a" }, { a: '{"__proto__":{}}' })), "not allowed");
  assert.match(problem(await included({ $include: 5 }, {})), "$include is 5; name a file");
});

test("threat M: nothing outside the folder is read or told about", async () => {
  const outside = { "../secret.json": '{"canary":1}', "../confidential/a.json": '{"canary":1}' };
  for (const path of [
    "../secret.json",
    "/secret.json",
    "sub/../../secret.json",
    "../confidential/a.json",
    "..\\secret.json",
    "/etc/none",
    "a\0.json",
  ]) {
    const result = await included({ $include: path }, outside);
    assert.not.match(JSON.stringify(result), "canary");
    assert.match(problem(result), /leads outside \/conf|name a file/, path);
  }
});

test("threat M: a link that leads outside is not followed", async () => {
  const result = await included(
    { $include: "link.json" },
    { "link.json": '{"canary":1}' },
    { "/conf/link.json": "/etc/passwd" },
  );
  assert.not.match(JSON.stringify(result), "canary");
  assert.match(problem(result), "leads outside /conf");
});

test("another folder may be allowed", async () => {
  const { value } = await included({ $include: "/shared/a.json" }, { "../shared/a.json": '{"a":1}' }, {}, [
    "/conf",
    "/shared",
  ]);
  assert.equal(value, { a: 1 });
});

test("it is known which values an include brought", async () => {
  const parsed = { a: { $include: "a.json", own: 1 } };
  const { value: source, origins } = await included(parsed, { "a.json": '{"x":{"y":1}}' });
  const from = (...path: string[]) => includedFrom(path, { parsed, source, origins });
  assert.equal(from("a", "x", "y"), ["/conf/a.json"]);
  assert.equal(from("a"), ["/conf/a.json"]);
  assert.is(from("a", "own"), undefined);
  assert.is(from("a", "new"), undefined);
  assert.is(from("b"), undefined);
});

test.run();

/** The value with its includes, its file being /conf/main.json; `links` says where paths really are. */
async function included(
  value: unknown,
  texts: Readonly<Record<string, string>>,
  links: Readonly<Record<string, string>> = {},
  roots: readonly string[] = ["/conf"],
): Promise<Included> {
  const files = createMemoryFiles(() => 0);
  files.putFolder("/conf");
  files.put("/conf/main.json", "{}");
  for (const [name, text] of Object.entries(texts)) files.put(new URL(name, "file:///conf/").pathname, text);
  const realPath = files.realPath.bind(files);
  Object.assign(files, { realPath: async (path: string) => links[path] ?? realPath(path) });
  return resolveIncludes(value, { files, file: "/conf/main.json", roots });
}

function problem({ findings }: Included): string {
  return findings[0]?.message ?? "";
}
