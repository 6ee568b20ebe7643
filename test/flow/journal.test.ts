import { test } from "uvu";
import * as assert from "uvu/assert";
import { openJournal, type Journal, type Settled } from "../../src/flow/journal.ts";
import { createLogger } from "../../src/kit/log.ts";
import { createFolderLogs } from "../../src/store/folder-log.ts";
import { createMemoryLogs } from "../../src/store/memory-log.ts";
import type { Logs } from "../../src/store/log.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { createMemoryFiles } from "../support/memory-files.ts";

const clock = createFakeClock();
const log = createLogger(() => 0, []);
const day = 24 * 3600_000;

function taken(runId: string, text = "hello") {
  return {
    input: {
      runId,
      sessionKey: "agent:main:main",
      agentId: "main",
      content: [{ type: "text" as const, text }],
      commands: true,
      origin: { channel: "webchat", sender: "cli", scopes: ["operator.write"] },
    },
    acceptedAt: clock.now(),
    sessionId: "s1",
    afterSeq: 4,
  };
}

function settled(runId: string, endedAt = clock.now()): Settled {
  return { runId, sessionKey: "agent:main:main", agentId: "main", status: "ok", acceptedAt: 1, endedAt };
}

const open = (logs: Logs): Promise<Journal> => openJournal({ logs, log });
const ids = (journal: Journal): readonly string[] => journal.pending().map(({ input }) => input.runId);

test("what was taken and not settled is there after a restart, in order, with all that was said", async () => {
  const logs = createMemoryLogs();
  const first = await open(logs);
  await first.take(taken("a"));
  await first.take(taken("b"));
  await first.take(taken("c"));
  await first.begin(["a", "b"]);
  await first.begin(["a"]);
  await first.stop(["c"]);
  await first.settle([settled("b")]);
  await first.close();
  const again = await open(logs);
  assert.equal(ids(again), ["a", "c"]);
  assert.equal(again.pending()[0], { ...taken("a"), attempts: 2, stopped: false });
  assert.is(again.pending()[1]?.stopped, true);
  assert.equal(again.settled("b"), settled("b"));
  assert.is(again.settled("a"), undefined);
});

test("settled runs are known for a day and while there are not too many", async () => {
  const logs = createMemoryLogs();
  const journal = await open(logs);
  await journal.settle([settled("old", clock.now() - day - 1)]);
  await journal.settle([settled("new")]);
  assert.is(journal.settled("old"), undefined);
  await journal.settle(Array.from({ length: 5001 }, (_, n) => settled(`n${n}`)));
  assert.is(journal.settled("new"), undefined);
  assert.ok(journal.settled("n5000"));
});

test("what was settled last is known after any time in which the gateway was away", async () => {
  const logs = createMemoryLogs();
  const away = createFakeClock(clock.now() - 30 * day);
  const first = await open(logs);
  await first.settle([settled("long ago", away.now() - day - 1), settled("last", away.now())]);
  await first.close();
  const again = await open(logs);
  assert.ok(again.settled("last"));
  assert.is(again.settled("long ago"), undefined);
});

test("it stays small, whatever goes through it", async () => {
  const logs = createMemoryLogs();
  const journal = await open(logs);
  const text = "x".repeat(6_200);
  await journal.take(taken("kept"));
  for (let n = 0; n < 100; n++) {
    await Promise.all([journal.take(taken(`a${n}`, text)), journal.take(taken(`b${n}`, text))]);
    await Promise.all([journal.settle([settled(`a${n}`)]), journal.settle([settled(`b${n}`)])]);
  }
  await journal.close();
  const again = await open(logs);
  assert.equal(ids(again), ["kept"]);
  // The first was written down again and again, among many in one line.
  assert.equal([again.settled("a0"), again.settled("b99")], [settled("a0"), settled("b99")]);
  await again.close();
  const file = await logs.open("runs/journal.jsonl");
  assert.ok(file.size < 512 * 1024, String(file.size));
});

test("damaged lines do not hide the sound ones", async () => {
  const logs = createMemoryLogs();
  const journal = await open(logs);
  await journal.take(taken("a"));
  await journal.close();
  const file = await logs.open("runs/journal.jsonl");
  await file.append(["not json", '{"op":"take"}', '{"op":"begin","runIds":["a"]}']);
  await file.close();
  const again = await open(logs);
  assert.equal(ids(again), ["a"]);
});

test("kill -9 at any write keeps what was acknowledged, and what was settled stays so", async () => {
  for (let crash = 1; crash < 60; crash++) {
    const files = createMemoryFiles(() => clock.now());
    const acknowledged: string[] = [];
    const ended: string[] = [];
    files.crashAfter(crash);
    try {
      const journal = await open(createFolderLogs(files, "/state"));
      for (let n = 0; n < 6; n++) {
        await journal.take(taken(`r${n}`, "x".repeat(56_000)));
        acknowledged.push(`r${n}`);
        if (n % 2 === 0) continue;
        await journal.settle([settled(`r${n}`)]);
        ended.push(`r${n}`);
      }
    } catch (error) {
      assert.match(String(error), /Crash/);
    }
    files.recover();
    const again = await open(createFolderLogs(files, "/state"));
    const known = new Set(ids(again));
    for (const id of acknowledged) assert.ok(known.has(id) || again.settled(id), `${id} lost at ${crash}`);
    for (const id of ended) assert.not.ok(known.has(id), `${id} is back at ${crash}`);
    await again.take(taken("later"));
    assert.ok(ids(again).includes("later"));
  }
});

test.run();
