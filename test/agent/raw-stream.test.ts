import { test } from "uvu";
import * as assert from "uvu/assert";
import { withRawStream } from "../../src/agent/raw-stream.ts";
import type { RunEvent, Runner } from "../../src/agent/runner.ts";
import { createLogger, type LogRecord } from "../../src/kit/log.ts";
import { createMemoryFiles } from "../support/memory-files.ts";

const path = "/home/a/logs/raw.jsonl";
const deltas = (...texts: readonly string[]): RunEvent[] =>
  texts.map((delta) => ({ type: "text", delta, text: delta, itemId: "one" }));

function recorded(events: readonly RunEvent[]) {
  const files = createMemoryFiles();
  const told: LogRecord[] = [];
  const log = createLogger(() => 0, [(line) => void told.push(line)]);
  const plain = {
    async run({ emit }: { emit: (event: RunEvent) => void }) {
      for (const event of events) emit(event);
      return {};
    },
  } as unknown as Runner;
  const seen: RunEvent[] = [];
  const runner = withRawStream(plain, { files, clock: { now: () => 7 }, log, path });
  const run = () => runner.run({ runId: "r", emit: (event: RunEvent) => void seen.push(event) } as never);
  return { files, told, seen, run };
}

/** Lets everything that waits for nothing but the memory disk happen. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 200; turn++) await Promise.resolve();
}

test("whoever watches the run sees it as without", async () => {
  const { seen, run } = recorded(deltas("a", "b"));
  await run();
  assert.equal(seen, deltas("a", "b"));
});

test("events stay in their order, a line each", async () => {
  const { files, run } = recorded([...deltas("a", "b"), { type: "retract", itemId: "one" }]);
  await run();
  await settled();
  const lines = (files.snapshot()[path] ?? "").trim().split("\n");
  assert.equal(
    lines.map((line) => [JSON.parse(line).event, JSON.parse(line).evtType, JSON.parse(line).delta]),
    [
      ["assistant_text_stream", "text_start", ""],
      ["assistant_text_stream", "text_delta", "a"],
      ["assistant_text_stream", "text_delta", "b"],
      ["assistant_retract", undefined, undefined],
    ],
  );
});

test("a disk that fails is told once, and the run goes on", async () => {
  const { files, told, seen, run } = recorded(deltas("a"));
  files.before = () => {
    throw new Error("ENOSPC");
  };
  await run();
  await settled();
  await run();
  await settled();
  assert.is(seen.length, 2);
  assert.equal(
    told.map(({ level }) => level),
    ["warn"],
  );
});

test.run();
