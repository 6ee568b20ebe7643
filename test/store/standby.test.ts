import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Failure } from "../../src/kit/error.ts";
import { createMemoryStore } from "../../src/store/memory.ts";
import { createMemoryLogs } from "../../src/store/memory-log.ts";
import { createStandbyLogs, createStandbyStore, type StateOwner } from "../../src/store/standby.ts";

test("reads while another owns the state, and refuses to write, naming who and where", async () => {
  const store = createStandbyStore(createMemoryStore({ a: "1" }), () => ({ pid: 77, port: 18789 }));
  assert.is(await store.read("a"), "1");
  assert.equal(await store.keys(""), ["a"]);
  for (const attempt of [store.change("a", () => "2"), store.append("log", ["x"])]) {
    const error = (await attempt.catch((thrown: unknown) => thrown)) as Failure;
    assert.is(error.code, "unavailable");
    assert.match(error.message, /stands by: pid 77 on port 18789 owns/);
    assert.equal(error.details, { ownerPid: 77, ownerPort: 18789 });
  }
  assert.is(await store.read("a"), "1");
});

test("writes as soon as the owner is gone", async () => {
  let owner: StateOwner | undefined = { pid: 77 };
  const store = createStandbyStore(createMemoryStore(), () => owner);
  owner = undefined;
  await store.change("a", () => "2");
  assert.is(await store.read("a"), "2");
});

test("logs are read while another owns the state, and writing them is refused", async () => {
  const inner = createMemoryLogs();
  await inner.replace("log", ["1"]);
  const logs = createStandbyLogs(inner, () => ({ pid: 77, port: 18789 }));
  const log = await logs.open("log");
  assert.is(new TextDecoder().decode(await log.read(0, log.size)), "1\n");
  for (const attempt of [
    log.append(["2"]),
    logs.move("log", "other"),
    logs.remove("log"),
    logs.replace("other", ["x"]),
  ]) {
    const error = (await attempt.catch((thrown: unknown) => thrown)) as Failure;
    assert.is(error.code, "unavailable");
    assert.match(error.message, /stands by: pid 77 on port 18789 owns/);
  }
  assert.is(log.size, 2);
});

test("a log that was opened while another wrote it must be opened again to be written", async () => {
  let owner: StateOwner | undefined = { pid: 77 };
  const logs = createStandbyLogs(createMemoryLogs(), () => owner);
  const stale = await logs.open("log");
  owner = undefined;
  const error = (await stale.append(["x"]).catch((thrown: unknown) => thrown)) as Failure;
  assert.is(error.code, "unavailable");
  await stale.close();
  const log = await logs.open("log");
  await log.append(["x"]);
  assert.is(log.size, 2);
});

test.run();
