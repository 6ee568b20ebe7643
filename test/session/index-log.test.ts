import { test } from "uvu";
import * as assert from "uvu/assert";
import { createLogger } from "../../src/kit/log.ts";
import { openIndexLog } from "../../src/session/index-log.ts";
import { newRow } from "../../src/session/row.ts";
import type { SessionRow } from "../../src/session/sessions.ts";
import type { Logs } from "../../src/store/log.ts";
import { createMemoryLogs } from "../../src/store/memory-log.ts";

const quiet = createLogger(() => 0, []);
const row = (name: string): SessionRow => newRow(`agent:main:${name}`, { agentId: "main" }, 0);

async function openRows(logs: Logs) {
  const rows = new Map<string, SessionRow>();
  const live = () => ({ size: rows.size, rows: rows.values() });
  const index = await openIndexLog(logs, { log: quiet, live });
  const write = (made: SessionRow): Promise<void> => index.write([made], () => void rows.set(made.key, made));
  return { write, index };
}

test("what is refused while the index is rewritten is not found in the new one either, and what was taken is", async () => {
  const logs = createMemoryLogs();
  const damaged = await logs.open("sessions/index.jsonl");
  await damaged.append(["no row at all"]);
  await damaged.close();
  // The first row that comes then has the index rewritten; while the new one is begun, others are written.
  let begun = (): void => undefined;
  const isBegun = new Promise<void>((resolve) => (begun = resolve));
  let go = (): void => undefined;
  const goOn = new Promise<void>((resolve) => (go = resolve));
  const open: Logs["open"] = async (key) => {
    const file = await logs.open(key);
    if (key.includes("next")) {
      begun();
      await goOn;
    }
    const append = file.append.bind(file);
    const refusing = async (lines: readonly string[]): Promise<number> => {
      if (!key.includes("next") && lines.some((line) => line.includes("refused")))
        throw new Error("no space left on device");
      return append(lines);
    };
    return Object.defineProperty(file, "append", { value: refusing });
  };
  const { write, index } = await openRows({ ...logs, open });
  await write(row("first"));
  await isBegun;
  await write(row("taken"));
  const failure = await write(row("refused")).catch(String);
  assert.is(failure, "Error: no space left on device");
  go();
  await index.close();
  const again = await openRows(logs);
  const found = again.index.rows.map(({ key }) => key).toSorted();
  assert.equal(found, ["agent:main:first", "agent:main:taken"]);
});

test.run();
