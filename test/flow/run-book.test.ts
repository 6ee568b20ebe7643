import { test } from "uvu";
import * as assert from "uvu/assert";
import { openJournal } from "../../src/flow/journal.ts";
import { createRunBook, type Run } from "../../src/flow/run-book.ts";
import type { RunState } from "../../src/flow/turns.ts";
import { createLogger } from "../../src/kit/log.ts";
import { noUsage } from "../../src/session/message.ts";
import { createMemoryLogs } from "../../src/store/memory-log.ts";
import { createFakeClock } from "../support/fake-clock.ts";

async function open() {
  const clock = createFakeClock();
  return createRunBook(clock, await openJournal({ logs: createMemoryLogs(), log: createLogger(() => 0, []) }));
}

test("of runs that are over the last thousand are known, however many there were", async () => {
  const book = await open();
  for (let number = 0; number < 10_000; number++) {
    book.add(run(`r${number}`));
    book.end(ended(`r${number}`, "hello"));
  }
  assert.is(book.load().count, 0);
  assert.is(known(book, 10_000), 1000);
  assert.is(book.state("r9999")?.status, "ok");
});

test("fewer are known when they said very much, and the last one always", async () => {
  const book = await open();
  const megabyte = "x".repeat(1024 * 1024);
  for (let number = 0; number < 100; number++) book.end(ended(`r${number}`, megabyte));
  assert.is(known(book, 100), 16);
  book.end(ended("r100", megabyte.repeat(20)));
  assert.is(known(book, 101), 1);
  assert.is(book.state("r100")?.status, "ok");
});

function known(book: Awaited<ReturnType<typeof open>>, runs: number): number {
  return Array.from({ length: runs }, (_, number) => book.state(`r${number}`)).filter(Boolean).length;
}

function run(runId: string): Run {
  const origin = { channel: "webchat", sender: "cli", scopes: ["operator.write"] };
  const content = [{ type: "text" as const, text: "hello" }];
  return {
    input: { runId, sessionKey: "agent:main:main", agentId: "main", content, commands: true, origin },
    acceptedAt: 1,
    sessionId: "s1",
    afterSeq: 0,
    attempts: 0,
    mode: "collect",
    together: "",
    queued: false,
    startedAt: undefined,
    written: false,
  };
}

function ended(runId: string, text: string): RunState {
  const said = { payloads: [{ text }], stopReason: "stop", usage: noUsage, provider: "clawlet", model: "gateway" };
  const outcome = { status: "ok" as const, ...said };
  return { runId, sessionKey: "agent:main:main", agentId: "main", status: "ok", acceptedAt: 1, outcome };
}

test.run();
