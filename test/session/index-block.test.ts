import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Sessions } from "../../src/session/sessions.ts";
import { fixture, main, user, type Fixture } from "./fixture.ts";

const path = "/state/sessions/index.jsonl";
const names = Array.from({ length: 1100 }, (_, number) => `agent:main:${number}`);

test("a rewritten index is read as blocks: lists, ids, words and changes are as before", async () => {
  const { open } = await rewritten();
  const sessions = await open();
  assert.is(sessions.size, names.length);
  assert.equal(
    sessions.list({ limit: 2 }).rows.map(({ key, label }) => [key, label]),
    [
      ["agent:main:0", "again"],
      ["agent:main:1099", "é 1099"],
    ],
  );
  assert.is(sessions.list({ archived: true }).total, 1);
  assert.equal(keysOf(sessions, "1098"), ["agent:main:1098"]);
  const row = sessions.get("agent:main:7");
  assert.is(sessions.bySessionId(row?.sessionId ?? ""), row);
  await sessions.change("agent:main:7", () => ({ label: "seventh" }), "patch");
  await sessions.delete("agent:main:8");
  await sessions.close();
  const again = await open();
  assert.is(again.get("agent:main:7")?.label, "seventh");
  assert.is(again.get("agent:main:7")?.sessionId, row?.sessionId);
  assert.is(again.get("agent:main:8"), undefined);
  assert.is(again.size, names.length - 1);
});

test("lists by the time of the last change look no further than they must", async () => {
  const { open, clock } = await rewritten();
  const sessions = await open();
  clock.jump(5 * 60_000);
  await sessions.change("agent:main:3", () => ({ label: "now" }), "patch");
  assert.equal(sessions.list({ activeMinutes: 1 }), { rows: [sessions.get("agent:main:3")], total: 1 });
});

test("a byte that changed in a block costs its row alone, which comes back from its transcript", async () => {
  const { open, files } = await rewritten();
  files.put(path, ((await files.read(path)) ?? "").replace('"label":"é 5"', '"label":"x 5"'));
  const sessions = await open();
  assert.is(sessions.size, names.length);
  assert.is(sessions.get("agent:main:5")?.label, undefined);
  assert.is(sessions.get("agent:main:5")?.derivedTitle, "question 5");
  assert.is(sessions.get("agent:main:6")?.label, "é 6");
});

for (const [what, from, to, lines] of [
  ["beginning is", '{"block":{"bytes":', '{"block":{"bytes":1', [2]],
  // The heads tell nothing that the rows' own lines do not.
  ["heads are", '"lengths":[', '"lengths":[1,', []],
] as const) {
  test(`a block whose ${what} damaged is read line by line, and so are those behind it`, async () => {
    const { open, files, logged } = await rewritten();
    files.put(path, ((await files.read(path)) ?? "").replace(from, to));
    const sessions = await open();
    assert.is(sessions.size, names.length);
    assert.equal(
      names.filter((key) => sessions.get(key)?.label === undefined),
      [],
    );
    assert.equal(
      logged.filter(({ level }) => level === "warn").map(({ fields }) => fields?.["lines"]),
      lines,
    );
  });
}

test("an index that ends within a block keeps the rows that are there", async () => {
  const { open, files } = await rewritten();
  const lines = ((await files.read(path)) ?? "").split("\n");
  files.put(path, `${lines.slice(0, 500).join("\n")}\n`);
  const sessions = await open();
  assert.ok(sessions.size >= 498, String(sessions.size));
});

test("what was read as a line and is never asked for is written again as it was", async () => {
  const { open, files } = await rewritten();
  const before = (await files.read(path))?.split("\n").find((line) => line.includes('"label":"é 900"'));
  const sessions = await open();
  await churn(sessions);
  await sessions.close();
  const text = (await files.read(path)) ?? "";
  assert.is(
    text.split("\n").find((line) => line.includes('"label":"é 900"')),
    before,
  );
});

/** A state whose index was rewritten after everything was said in it but one last change. */
async function rewritten(): Promise<Fixture> {
  const made = fixture();
  const sessions = await made.open();
  for (const [number, key] of names.entries()) {
    made.clock.jump(1);
    await sessions.ensure(key, { agentId: "main", label: `é ${number}` });
  }
  const row = sessions.get("agent:main:5");
  if (row) await sessions.transcript(row).append([user("question 5")]);
  await sessions.ensure(main, { agentId: "main", archivedAt: 5 });
  await churn(sessions);
  await sessions.delete(main);
  await sessions.change("agent:main:1", () => ({ archivedAt: 5 }), "patch");
  made.clock.jump(1);
  await sessions.change("agent:main:0", () => ({ label: "again" }), "patch");
  await sessions.close();
  const text = (await made.files.read(path)) ?? "";
  assert.ok(text.startsWith('{"block":{'), text.slice(0, 80));
  return made;
}

/** Enough changes of one session for the index to be rewritten. */
async function churn(sessions: Sessions): Promise<void> {
  for (let turn = 0; turn < 1300; turn++)
    await sessions.change("agent:main:0", (row) => ({ label: `${turn}`, updatedAt: row.updatedAt }), "patch");
}

function keysOf(sessions: Sessions, search: string): readonly string[] {
  return sessions.list({ search }).rows.map(({ key }) => key);
}

test.run();
