import json5 from "json5";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { differences, mergePatch, same, withValue } from "../../src/config/differences.ts";
import { editText } from "../../src/config/edit.ts";
import { random, type Random } from "./random.ts";

const written = `{
  // who gets in
  gateway: {
    port: 1, // the port
    auth: { mode: "token" }, /* auth */
    bind: "lan" // last
  },
  agents: {},
  list: [1, 2],
}
`;

test("an edit keeps comments, quotes, indentation and trailing commas", () => {
  const after = structuredClone(json5.parse(written));
  Object.assign(after.gateway, { mode: "local", port: 2 });
  after.gateway.auth.token = "x";
  after.agents.defaults = { workspace: "w" };
  after.list.push(3);
  after.ui = true;
  assert.is(
    editText(written, json5.parse(written), after),
    `{
  // who gets in
  gateway: {
    port: 2, // the port
    auth: { mode: "token", token: "x" }, /* auth */
    bind: "lan", // last
    mode: "local"
  },
  agents: {
    defaults: {
      "workspace": "w"
    }
  },
  list: [1, 2, 3],
  ui: true,
}
`,
  );
});

test("plain JSON stays plain JSON", () => {
  const before = { a: { b: 1, c: 2 }, d: [1] };
  for (const text of [JSON.stringify(before), JSON.stringify(before, null, 2), JSON.stringify(before, null, "\t")]) {
    for (const after of [{ a: { b: 1 }, d: [1, 2] }, { a: {}, d: [1], e: { f: 1 } }, {}, { d: [] }]) {
      assert.equal(JSON.parse(editText(text, before, after) ?? ""), after);
    }
  }
});

test("a removed member takes its line along, and the comma before it when it was last", () => {
  const text = `{\n  "a": 1,\n  "b": 2\n}\n`;
  assert.is(editText(text, { a: 1, b: 2 }, { a: 1 }), `{\n  "a": 1\n}\n`);
  assert.is(editText(text, { a: 1, b: 2 }, { b: 2 }), `{\n  "b": 2\n}\n`);
});

test("a key that is there twice is changed where it counts and removed wherever it is", () => {
  const text = "{a: 1, b: 2, a: 3}";
  assert.equal(json5.parse(editText(text, { a: 3, b: 2 }, { a: 4, b: 2 }) ?? ""), { a: 4, b: 2 });
  assert.equal(json5.parse(editText(text, { a: 3, b: 2 }, { b: 2 }) ?? ""), { b: 2 });
});

test("after any edit the text has the wanted value and every comment that was not inside a replaced member", () => {
  for (let seed = 1; seed <= 4000; seed++) {
    const next = random(seed);
    const before = randomObject(next, 0);
    const text = layout(next, before);
    const after = mutate(next, before);
    const edited = editText(text, before, after);
    assert.ok(edited !== undefined, text);
    assert.ok(same(json5.parse(edited), after), `${seed}: ${text}\n-> ${edited}`);
    const replaced = differences(before, after).some(({ path }) => typeof withoutLast(before, path) === "object");
    if (!replaced) assert.equal(comments(edited), comments(text), `${seed}: ${text}\n-> ${edited}`);
  }
});

test("a merge patch deletes with null and replaces lists (RFC 7396)", () => {
  assert.equal(mergePatch({ a: { b: 1, c: 2 }, d: [1] }, { a: { b: null }, d: [2], e: { f: null } }), {
    a: { c: 2 },
    d: [2],
    e: {},
  });
  assert.equal(mergePatch([1], { a: 1 }), { a: 1 });
});

test("a path is set, appended or removed without touching its neighbours", () => {
  const root = { agents: { list: [{ id: "a" }, { id: "b" }] } };
  assert.equal(withValue(root, ["agents", "list", 1, "name"], "B"), {
    agents: { list: [{ id: "a" }, { id: "b", name: "B" }] },
  });
  assert.equal(withValue(root, ["agents", "list", 0], undefined), { agents: { list: [{ id: "b" }] } });
  assert.equal(withValue(undefined, ["x", 0, "y"], 1), { x: [{ y: 1 }] });
  assert.throws(() => withValue(root, ["agents", "list", "name"], 1), /"name" is not an item of a list of 2/);
});

test.run();

function comments(text: string): readonly string[] {
  return (text.match(/#\d+#/g) ?? []).toSorted();
}

/** The value that an edit at this path takes out of the text. */
function withoutLast(root: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((value, step) => (value as Record<string | number, unknown> | undefined)?.[step], root);
}

const keys = ["a", "b", "c d", "e.f", "ключ", "$x", 'q"t', "line\n"];

function randomValue(next: Random, depth: number): unknown {
  const kind = next(depth > 2 ? 3 : 6);
  if (kind === 0) return next(100);
  if (kind === 1) return ["", "//x", "a,b}", "\\", "'\""][next(5)];
  if (kind === 2) return [true, false, null][next(3)];
  if (kind === 3) return Array.from({ length: next(4) }, () => randomValue(next, depth + 1));
  return randomObject(next, depth + 1);
}

function randomObject(next: Random, depth: number): Record<string, unknown> {
  return Object.fromEntries(
    Array.from({ length: next(5) }, () => [keys[next(keys.length)] ?? "", randomValue(next, depth)]),
  );
}

function mutate(next: Random, value: unknown): unknown {
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    return [
      [...items, randomValue(next, 2)],
      items.slice(0, -1),
      items.map((item) => (next(3) ? item : mutate(next, item))),
    ][next(3)];
  }
  if (typeof value !== "object" || value === null) return randomValue(next, 2);
  const kept = Object.entries(value).flatMap(([key, child]): [string, unknown][] =>
    next(5) === 0 ? [] : [[key, next(4) ? child : mutate(next, child)]],
  );
  return Object.fromEntries(next(2) ? kept : [...kept, [keys[next(keys.length)] ?? "", randomValue(next, 1)]]);
}

/** The value as JSON5 with white space, comments, quotes and trailing commas at random. */
function layout(next: Random, value: unknown): string {
  let count = 0;
  const space = () =>
    ["", "", " ", "\n", "\n  ", `// #${count++}#\n`, ` /* #${count++}# */ `, `/* #${count++}#\n */`, "\r\n\t"][
      next(9)
    ] ?? "";
  const between = (items: readonly string[]) =>
    items.map((item, index) => item + space() + (index < items.length - 1 || next(2) ? `,${space()}` : "")).join("");
  const write = (child: unknown): string => {
    if (Array.isArray(child)) return `[${space()}${between(child.map(write))}]`;
    if (typeof child !== "object" || child === null) return JSON.stringify(child);
    const members = Object.entries(child).map(([key, inner]) => `${writeKey(key)}: ${write(inner)}`);
    return `{${space()}${between(members)}}`;
  };
  const writeKey = (key: string) =>
    /^[a-z$]+$/.test(key) && next(2) ? key : next(2) ? JSON.stringify(key) : `'${key.replaceAll("\n", "\\\n\\n")}'`;
  return space() + write(value) + space();
}
