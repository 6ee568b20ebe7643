import { test } from "uvu";
import * as assert from "uvu/assert";
import * as v from "valibot";
import { createLogger } from "../../src/kit/log.ts";
import { openLedger } from "../../src/store/ledger.ts";
import type { Logs } from "../../src/store/log.ts";
import { createMemoryLogs } from "../../src/store/memory-log.ts";

const schema = v.object({ op: v.picklist(["add", "drop"]), id: v.number(), text: v.string() });
type Line = v.InferOutput<typeof schema>;

/** A ledger of numbers that were added and not dropped. */
async function openNumbers(logs: Logs) {
  const numbers = new Map<number, string>();
  const said: string[] = [];
  const ledger = await openLedger<Line>({
    logs,
    key: "numbers.jsonl",
    name: "the record of numbers",
    log: createLogger(() => 0, [({ message }) => void said.push(message)]),
    schema,
    apply: ({ op, id, text }) => void (op === "add" ? numbers.set(id, text) : numbers.delete(id)),
    clear: () => numbers.clear(),
    state: () => [...numbers].map(([id, text]) => ({ op: "add", id, text })),
  });
  return { ledger, numbers, said };
}

/** Logs that take their time, as a disk does: what was appended before they are closed is written first. */
function asOnDisk(logs: Logs, appended: () => void): Logs {
  const open: Logs["open"] = async (key) => {
    const file = await logs.open(key);
    let last: Promise<unknown> = Promise.resolve();
    return {
      get size() {
        return file.size;
      },
      read: (start, end) => file.read(start, end),
      async append(lines) {
        const before = last;
        const written = new Promise((resolve) => setTimeout(resolve, 0))
          .then(() => before)
          .then(() => file.append(lines));
        last = written;
        void written.then(appended);
        return written;
      },
      async close() {
        await last;
        await file.close();
      },
    };
  };
  return { ...logs, open };
}

/** As long as it takes for a ledger to be made smaller every few dozen lines. */
const text = "x".repeat(6_200);
const add = (id: number): Line => ({ op: "add", id, text });
const drop = (id: number): Line => ({ op: "drop", id, text: "" });

test("what is written while it is made smaller is there when it is opened again, whenever that comes", async () => {
  for (let turns = 0; turns < 16; turns++) {
    let appended = (): void => undefined;
    const logs = asOnDisk(createMemoryLogs(), () => appended());
    const { ledger } = await openNumbers(logs);
    for (let id = 0; id < 40; id++) await ledger.write([add(id), drop(id)]);
    // The next line is the one too many; another comes so many turns after it is on the disk.
    const late = new Promise<void>((resolve, reject) => {
      appended = () => {
        appended = () => undefined;
        void after(turns).then(() => ledger.write([add(1)]).then(resolve, reject));
      };
    });
    await Promise.all([ledger.write([{ op: "drop", id: 0, text: text.repeat(3) }]), late]);
    await ledger.close();
    assert.equal([...(await openNumbers(logs)).numbers.keys()], [1], `${turns} turns later`);
  }
});

async function after(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await Promise.resolve();
}

test("a log that cannot be opened after it was made smaller fails who writes, and is opened for who writes next", async () => {
  const logs = createMemoryLogs();
  let failing = 0;
  const open = async (key: string) => {
    if (failing-- > 0) throw new Error("too many open files");
    return logs.open(key);
  };
  const { ledger, said } = await openNumbers({ ...logs, open });
  failing = 2;
  const outcomes: string[] = [];
  for (let id = 0; id < 60; id++)
    await ledger.write([add(id), drop(id)]).then(
      () => outcomes.push("written"),
      (error: unknown) => outcomes.push(String(error)),
    );
  const refused = outcomes.filter((outcome) => outcome !== "written");
  assert.equal(refused, ["Error: too many open files"]);
  assert.equal(said, ["the record of numbers could not be opened again; it is tried with the next line"]);
  await ledger.write([add(1000)]);
  await ledger.close();
  assert.equal([...(await openNumbers(logs)).numbers.keys()], [1000]);
});

test("a log that could not be opened again is not opened by a line that comes after the end", async () => {
  const logs = createMemoryLogs();
  let isFailing = false;
  const open = async (key: string) => {
    if (isFailing) throw new Error("too many open files");
    return logs.open(key);
  };
  const { ledger, said } = await openNumbers({ ...logs, open });
  for (let id = 0; said.length === 0; id++) {
    // Its next opening is the one after it was made smaller, which whoever writes then is told of.
    await ledger.write([add(id), drop(id)]).catch(() => undefined);
    isFailing = true;
  }
  await ledger.close();
  isFailing = false;
  const late = await ledger.write([add(1000)]).catch((error: unknown) => String(error));
  assert.match(String(late), /the record of numbers is closed/);
  assert.equal([...(await openNumbers(logs)).numbers.keys()], []);
});

test.run();
