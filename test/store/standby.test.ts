import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Failure } from "../../src/kit/error.ts";
import { createMemoryStore } from "../../src/store/memory.ts";
import { createStandbyStore, type StateOwner } from "../../src/store/standby.ts";

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

test.run();
