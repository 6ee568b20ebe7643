import { test } from "uvu";
import * as assert from "uvu/assert";
import { talkingApp } from "../support/doubles.ts";
import { checkParams } from "../support/official.ts";

async function titled(items: readonly { id: string; name: string; input: string }[]): Promise<object> {
  const { call } = await talkingApp();
  const params = { sessionKey: "main", items };
  checkParams("chat.toolTitles", params);
  return (await call("chat.toolTitles", params)).titles;
}

const titles: readonly (readonly [name: string, input: object, title: string])[] = [
  ["exec", { command: "git fetch\n  --all", timeout: 5 }, "Exec: git fetch --all"],
  ["web_search", { query: "tides" }, "Web search: tides"],
  ["webFetch", { url: "https://example.org/a" }, "Web fetch: https://example.org/a"],
  ["exec", { command: "make", description: "Build it" }, "Exec: Build it"],
];
for (const [name, input, title] of titles) {
  test(`a call is titled "${title}"`, async () => {
    assert.equal(await titled([{ id: "a", name, input: JSON.stringify(input) }]), { a: title });
  });
}

test("a call whose arguments do not say what it is for has no title", async () => {
  const inputs = ["{}", '{"command":" "}', '{"command":1}', '"text"', '{"command":"cut o'];
  assert.equal(await titled(inputs.map((input, at) => ({ id: `${at}`, name: "exec", input }))), {});
});

test("threat M hostile ids and long texts stay titles", async () => {
  const input = JSON.stringify({ command: "🧪".repeat(500) });
  const found = Object.entries(
    await titled([
      { id: "__proto__", name: "n".repeat(200), input },
      { id: "b", name: "___", input },
    ]),
  );
  assert.equal(
    found.map(([id, title]) => [id, title.length <= 80]),
    [
      ["__proto__", true],
      ["b", true],
    ],
  );
});

test.run();
