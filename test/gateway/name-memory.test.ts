import { test } from "uvu";
import * as assert from "uvu/assert";
import { unnumbered } from "../../src/discovery/names.ts";
import { createNameMemory } from "../../src/gateway/name-memory.ts";
import { createLogger } from "../../src/kit/log.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { createMemoryFiles } from "../support/memory-files.ts";

const path = "/home/me/.openclaw/announced.json";
const vm = { instance: "vm (OpenClaw)", hostname: "vm" };
const day = 24 * 3_600_000;

test("the numbers of a conflict are those of the next start", async () => {
  const { memory, again } = setUp();
  await memory.keep(vm, { instance: 2, hostname: 1 });
  await memory.keep(vm, { instance: 3, hostname: 2 });
  assert.equal(await again().recall(vm), { instance: 3, hostname: 2 });
});

test("without a conflict there are none", async () => {
  assert.equal(await setUp().memory.recall(vm), unnumbered);
});

test("a name that is another one now has its own", async () => {
  const { memory } = setUp();
  await memory.keep(vm, { instance: 3, hostname: 2 });
  assert.equal(await memory.recall({ ...vm, instance: "attic" }), { instance: 1, hostname: 2 });
});

test("a week later the plain name is tried again, and also when the clock was set back by more", async () => {
  const { memory, clock } = setUp();
  await memory.keep(vm, { instance: 2, hostname: 2 });
  clock.jump(7 * day);
  assert.equal(await memory.recall(vm), { instance: 2, hostname: 2 });
  clock.jump(1);
  assert.equal(await memory.recall(vm), unnumbered);
  clock.jump(-15 * day);
  assert.equal(await memory.recall(vm), unnumbered);
});

test("threat H: a number that somebody forced on us is not gone back to", async () => {
  const { memory } = setUp();
  await memory.keep(vm, { instance: 4711, hostname: 1 });
  assert.equal(await memory.recall(vm), unnumbered);
});

for (const text of ["", "{", "[]", '{"instance":{"name":"vm (OpenClaw)","number":-1},"at":0}'])
  test(`a file of ${JSON.stringify(text)} is none`, async () => {
    const { memory, files } = setUp();
    await files.makeFolder("/home/me/.openclaw");
    await files.write(path, text);
    assert.equal(await memory.recall(vm), unnumbered);
  });

test("a disk that refuses is a line in the log", async () => {
  const { memory, lines } = setUp({
    read: () => Promise.reject(new Error("EIO")),
    write: () => Promise.reject(new Error("ENOSPC")),
  });
  assert.equal(await memory.recall(vm), unnumbered);
  await memory.keep(vm, unnumbered);
  assert.equal(lines, ["the announced name could not be read", "the announced name could not be kept"]);
});

function setUp(broken: object = {}) {
  const clock = createFakeClock();
  const files = { ...createMemoryFiles(), ...broken };
  const lines: string[] = [];
  const log = createLogger(() => clock.now(), [({ message }) => void lines.push(message)]);
  const again = () => createNameMemory({ files, clock }, path, log);
  return { memory: again(), again, files, clock, lines };
}

test.run();
