import { test } from "uvu";
import * as assert from "uvu/assert";
import { Failure } from "../../src/kit/error.ts";
import { exportSession, importSession } from "../../src/session/export.ts";
import { assistant, fixture, main, said, user } from "./fixture.ts";

async function linesOf(lines: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const line of lines) all.push(line);
  return all;
}

test("a conversation that is exported and imported is the same again", async () => {
  const sessions = await fixture().open();
  const row = await sessions.ensure(main, { agentId: "main" });
  const transcript = sessions.transcript(row);
  const [, , third] = await transcript.append(Array.from({ length: 700 }, (_, number) => user(`${number}`)));
  await transcript.append([{ type: "compaction", summary: "s", firstKeptEntryId: third?.id ?? "", tokensBefore: 3 }]);
  const [, left] = await transcript.append([assistant("answer"), user("left behind")]);
  await transcript.rewind(left?.parentId ?? undefined);
  const lines = await linesOf(exportSession(sessions, main));
  assert.is(lines.length, 703);
  const copy = await importSession(sessions, { key: "agent:main:copy", agentId: "main", lines });
  assert.equal(said(await sessions.transcript(copy).page({ limit: 999 })), said(await transcript.page({ limit: 999 })));
  assert.equal(said(await sessions.transcript(copy).context()), said(await transcript.context()));
  assert.equal([copy.derivedTitle, copy.lastMessagePreview, copy.compactionCount], ["0", "answer", 1]);
});

test("lines that are damaged refuse the whole import, by their number", async () => {
  const sessions = await fixture().open();
  const row = await sessions.ensure(main, { agentId: "main" });
  await sessions.transcript(row).append([user("one"), user("two")]);
  const lines = await linesOf(exportSession(sessions, main));
  const changed = lines.map((line, index) => (index === 2 ? line.replace("two", "2wo") : line));
  for (const [bad, number] of [
    [changed, 3],
    [[...lines, "not json"], 4],
    [["[]"], 1],
    [['{"type":"message"}'], 1],
    [["{}"], 1],
  ] as const) {
    const error = Failure.from(
      await importSession(sessions, { key: "agent:main:new", agentId: "main", lines: bad }).catch(
        (thrown: unknown) => thrown,
      ),
    );
    assert.is(error.code, "invalid-request");
    assert.match(error.message, new RegExp(`^line ${number} `));
  }
  assert.is(sessions.size, 1);
});

test("nothing is imported over a session that is there, and nothing exported of one that is not", async () => {
  const sessions = await fixture().open();
  await sessions.ensure(main, { agentId: "main" });
  const code = (promise: Promise<unknown>) => promise.catch((error: unknown) => Failure.from(error).code);
  assert.is(await code(importSession(sessions, { key: main, agentId: "main", lines: [] })), "conflict");
  assert.is(await code(linesOf(exportSession(sessions, "agent:main:none"))), "not-found");
});

test.run();
