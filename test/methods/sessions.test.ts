import { test } from "uvu";
import * as assert from "uvu/assert";
import { sessionKey } from "../../src/session/key.ts";
import { scriptedApp } from "../support/app.ts";

test("SC-020 no sessions, in the shape that clients page through", async () => {
  const { call, host } = scriptedApp();
  assert.equal(await call("sessions.list", { limit: 50 }), {
    ts: host.clock.now(),
    path: "/home/me/.openclaw/agents/main/sessions/sessions.json",
    count: 0,
    totalCount: 0,
    limitApplied: 50,
    nextOffset: null,
    hasMore: false,
    owners: [],
    defaults: { modelProvider: "anthropic", model: "claude-opus-4-5", contextTokens: 200_000 },
    sessions: [],
  });
});

test("subscribing is remembered with the connection, and answers the list to those who ask for it", async () => {
  const { call, connection } = scriptedApp();
  assert.equal(await call("sessions.subscribe"), { subscribed: true });
  assert.ok(connection.subscriptions.has("sessions"));
  const answer = (await call("sessions.subscribe", { limit: 5 })) as { list: { limitApplied: number } };
  assert.is(answer.list.limitApplied, 5);
});

test("messages are subscribed to under the full key, and unsubscribed from under any form of it", async () => {
  const { call, connection } = scriptedApp();
  assert.equal(await call("sessions.messages.subscribe", { key: "main" }), {
    subscribed: true,
    key: "agent:main:main",
  });
  assert.equal([...connection.subscriptions], ["messages:agent:main:main"]);
  assert.equal(await call("sessions.messages.unsubscribe", { key: "agent:main:main" }), {
    subscribed: false,
    key: "agent:main:main",
  });
  assert.is(connection.subscriptions.size, 0);
});

test("threat H a connection watches a bounded number of sessions", async () => {
  const { call, connection } = scriptedApp();
  for (let n = 0; n < 500; n++) await call("sessions.messages.subscribe", { key: `s${n}` });
  try {
    await call("sessions.messages.subscribe", { key: "one-more" });
    assert.unreachable();
  } catch (error) {
    assert.match(String(error), /too many subscriptions/);
  }
  await call("sessions.messages.subscribe", { key: "s1" });
  assert.is(connection.subscriptions.size, 500);
});

test("short keys are completed, full ones and sentinels stay", () => {
  const defaults = { agentId: "chief", mainKey: "home" };
  const full = ["main", "Notes", "agent:aide:x", "global", "unknown"].map((key) => sessionKey(key, defaults));
  assert.equal(full, ["agent:chief:home", "agent:chief:notes", "agent:aide:x", "global", "unknown"]);
});

test.run();
