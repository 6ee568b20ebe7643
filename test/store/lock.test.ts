import { test } from "uvu";
import * as assert from "uvu/assert";
import { acquireLock, type Lock, type LockOwner } from "../../src/store/lock.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { scriptedHost, type ScriptedHost } from "../support/host.ts";
import { createMemoryFiles, Crash } from "../support/memory-files.ts";

const path = "/home/me/.openclaw/gateway.lock";
const info = { port: 18789, since: Date.UTC(2026, 10, 21), command: "clawlet gateway" };

test("the first holds it, the second learns who does", async () => {
  const [first, second] = machine(2);
  assert.ok((await acquireLock(first, path, info)).held);
  const lock = await acquireLock(second, path, { ...info, port: 19001 });
  assert.not(lock.held);
  assert.equal(ownerOf(lock), { ...info, pid: 1000, startTime: "start-1000" });
});

test("released, it is free at once", async () => {
  const [first, second] = machine(2);
  const lock = await acquireLock(first, path, info);
  if (lock.held) await lock.release();
  assert.equal(Object.keys(first.files.snapshot()), []);
  assert.ok((await acquireLock(second, path, info)).held);
});

test("a holder killed with -9 does not block the next start", async () => {
  const [first, second] = machine(2);
  await acquireLock(first, path, info);
  die(first, second);
  assert.ok((await acquireLock(second, path, info)).held);
});

test("another process that got the dead holder's number does not count as the holder", async () => {
  const [first, second] = machine(2);
  await acquireLock(first, path, info);
  second.processes.startTimes.set(1000, "much later");
  assert.ok((await acquireLock(second, path, info)).held);
});

test("a file without sense is waited for while young, and taken over after", async () => {
  const [only] = machine(1);
  only.files.put(path, "{");
  const lock = acquireLock(only, path, info);
  await only.clock.advance(1_000);
  assert.is(only.files.snapshot()[path], "{");
  await only.clock.advance(2_000);
  assert.ok((await lock).held);
});

test("of twenty that find a dead holder's file, interleaved at random, exactly one wins", async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const all = machine(21);
    const [dead, ...contenders] = all;
    assert.ok(dead);
    await acquireLock(dead, path, info);
    die(dead, ...contenders);
    dead.files.before = chance(seed);
    const locks = await race(contenders);
    dead.files.before = undefined;
    const winners = contenders.filter((_, index) => locks[index]?.held);
    assert.is(winners.length, 1, `seed ${seed}`);
    for (const lock of locks.filter((lock) => !lock.held))
      assert.is(ownerOf(lock)?.pid, winners[0]?.processes.pid, `seed ${seed}`);
    assert.equal(Object.keys(dead.files.snapshot()), [path], `seed ${seed}`);
  }
});

test("a contender killed at any point of its take-over does not block the rest", async () => {
  for (let point = 1; point < 10; point++) {
    const [dead, killed, ...contenders] = machine(8);
    assert.ok(dead && killed);
    await acquireLock(dead, path, info);
    die(dead, killed, ...contenders);
    killed.files.crashAfter(point);
    const attempt = await acquireLock(killed, path, info).catch((error: unknown) => error);
    if (!(attempt instanceof Error)) break; // past its last operation
    assert.instance(attempt, Crash);
    killed.files.recover();
    die(killed, ...contenders);
    killed.files.before = chance(point);
    const locks = await race(contenders);
    assert.is(locks.filter(({ held }) => held).length, 1, `killed at ${point}`);
  }
});

test("whoever holds it hears when the file is gone or another's, and then leaves it alone", async () => {
  const [first] = machine(1);
  const lock = await acquireLock(first, path, info);
  let lost = 0;
  if (lock.held) lock.onLost(() => lost++);
  await first.clock.advance(60_000);
  assert.is(lost, 0);
  first.files.put(path, "somebody else's");
  await first.clock.advance(60_000);
  assert.is(lost, 1);
  if (lock.held) await lock.release();
  assert.is(first.files.snapshot()[path], "somebody else's");
  assert.is(first.clock.armed, 0);
});

test("a lock names the port that its owner moved to, and is its owner's all the while", async () => {
  const [first, second] = machine(2);
  const lock = await acquireLock(first, path, info);
  assert.ok(lock.held);
  let lost = 0;
  lock.onLost(() => lost++);
  await lock.movedTo(20_000);
  await first.clock.advance(60_000);
  assert.is(lost, 0);
  assert.is(ownerOf(await acquireLock(second, path, info))?.port, 20_000);
  await lock.release();
  assert.is(first.files.snapshot()[path], undefined);
  first.files.put(path, "somebody else's");
  await lock.movedTo(30_000);
  assert.is(first.files.snapshot()[path], "somebody else's");
});

/** Processes 1000, 1001, ... on one machine: each sees all of them alive. */
function machine(count: number): readonly [ScriptedHost, ScriptedHost, ...ScriptedHost[]] {
  const clock = createFakeClock();
  const disk = createMemoryFiles(() => clock.now());
  const hosts = Array.from({ length: Math.max(count, 2) }, (_, index) =>
    scriptedHost({ clock, disk, pid: 1000 + index }),
  );
  for (const host of hosts)
    for (const other of hosts) {
      host.processes.living.add(other.processes.pid);
      host.processes.startTimes.set(other.processes.pid, `start-${other.processes.pid}`);
    }
  return hosts as unknown as readonly [ScriptedHost, ScriptedHost, ...ScriptedHost[]];
}

function die(host: ScriptedHost, ...witnesses: readonly ScriptedHost[]): void {
  for (const witness of witnesses) witness.processes.living.delete(host.processes.pid);
}

function ownerOf(lock: Lock): LockOwner | undefined {
  return lock.held ? undefined : lock.owner;
}

/** All of them at once; the clock goes on until everybody has an answer. */
async function race(contenders: readonly ScriptedHost[]): Promise<readonly Lock[]> {
  const answered = new Set<ScriptedHost>();
  const locks = contenders.map((contender) =>
    acquireLock(contender, path, info).finally(() => answered.add(contender)),
  );
  for (let round = 0; answered.size < contenders.length && round < 200; round++) await contenders[0]?.clock.advance(50);
  return Promise.all(locks);
}

/** Delays each disk operation by a few turns, the same for the same seed. */
function chance(seed: number): () => Promise<void> {
  let state = seed * 7919;
  return async () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    for (let turns = state % 7; turns > 0; turns--) await Promise.resolve();
  };
}

test.run();
