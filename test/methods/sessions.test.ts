import { test } from "uvu";
import * as assert from "uvu/assert";
import { sessionKey } from "../../src/session/key.ts";
import { failureOf, talkingApp, type Answer, type TalkingApp } from "../support/doubles.ts";
import { checkParams } from "../support/official.ts";

const keysOf = ({ sessions }: Answer): string[] => sessions.map(({ key }: Answer) => key.replace("agent:main:", ""));

/** Sessions of these names, the last one the newest, a minute apart. */
async function withSessions(...names: readonly string[]): Promise<TalkingApp> {
  const world = await talkingApp({
    config: { agents: { defaults: { model: "mock/m1" }, list: [{ id: "main" }, { id: "aide" }] } },
  });
  for (const name of names) {
    const key = name.startsWith("agent:") ? name : `agent:main:${name}`;
    const agentId = key.split(":")[1] ?? "main";
    await world.app.sessions.ensure(key, { agentId, derivedTitle: `About ${name}`, lastMessagePreview: "the end" });
    await world.host.clock.advance(60_000);
  }
  return world;
}

test("SC-020 no sessions, in the shape that clients page through", async () => {
  const { call, host } = await talkingApp();
  assert.equal(await call("sessions.list", { limit: 50 }), {
    ts: host.clock.now(),
    path: "/home/me/.openclaw/sessions/index.jsonl",
    count: 0,
    totalCount: 0,
    limitApplied: 50,
    nextOffset: null,
    hasMore: false,
    owners: [],
    defaults: {
      modelProvider: "mock",
      model: "m1",
      contextTokens: 100_000,
      thinkingLevels: [{ id: "off", label: "off" }],
      thinkingOptions: ["off"],
      thinkingDefault: "off",
    },
    sessions: [],
  });
});

test("sessions come newest first and in pages", async () => {
  const { call } = await withSessions("one", "two", "three");
  const first = await call("sessions.list", { limit: 2 });
  assert.equal(keysOf(first), ["three", "two"]);
  assert.equal([first.count, first.totalCount, first.hasMore, first.nextOffset], [2, 3, true, 2]);
  const second = await call("sessions.list", { limit: 2, offset: 2 });
  assert.equal([keysOf(second), second.hasMore, second.nextOffset], [["one"], false, null]);
});

test("sessions are found by agent, words, label, age, and whether they are archived", async () => {
  const { call } = await withSessions("one", "two", "agent:aide:three");
  await call("sessions.patch", { key: "one", label: "Garden" });
  await call("sessions.patch", { key: "two", archived: true });
  const tries: readonly (readonly [params: object, keys: readonly string[]])[] = [
    [{ agentId: "aide" }, ["agent:aide:three"]],
    [{ agentId: "main" }, ["one"]],
    [{ archived: true }, ["two"]],
    [{ label: "Garden" }, ["one"]],
    [{ search: "GARD" }, ["one"]],
    [{ search: "nothing" }, []],
    [{ requireLastInteraction: true }, []],
    [{ configuredAgentsOnly: true, agentId: "aide" }, ["agent:aide:three"]],
    [{ ownerId: "somebody" }, []],
    [{ boardFace: "dashboard" }, []],
  ];
  for (const [params, keys] of tries) {
    checkParams("sessions.list", params);
    assert.equal(keysOf(await call("sessions.list", params)), keys, JSON.stringify(params));
  }
});

test("titles and last words are there for those who ask", async () => {
  const { call } = await withSessions("one");
  const [bare] = (await call("sessions.list")).sessions;
  assert.equal([bare.displayName, bare.derivedTitle, bare.lastMessagePreview], ["About one", undefined, undefined]);
  const [full] = (await call("sessions.list", { includeDerivedTitles: true, includeLastMessage: true })).sessions;
  assert.equal([full.derivedTitle, full.lastMessagePreview], ["About one", "the end"]);
});

test("subscribing is remembered with the connection, and answers the list to those who ask for it", async () => {
  const { call, connection } = await talkingApp();
  assert.equal(await call("sessions.subscribe"), { subscribed: true });
  assert.ok(connection.subscriptions.has("sessions"));
  assert.is((await call("sessions.subscribe", { limit: 5 })).list.limitApplied, 5);
});

test("messages are subscribed to under the full key, and unsubscribed from under any form of it", async () => {
  const { call, connection } = await talkingApp();
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
  const { call, connection } = await talkingApp();
  for (let n = 0; n < 500; n++) await call("sessions.messages.subscribe", { key: `s${n}` });
  assert.match(await failureOf(call("sessions.messages.subscribe", { key: "one-more" })), "too many subscriptions");
  await call("sessions.messages.subscribe", { key: "s1" });
  assert.is(connection.subscriptions.size, 500);
});

test("one session is described, and one that is not there is null", async () => {
  const { call } = await withSessions("one");
  checkParams("sessions.describe", { key: "one" });
  const { session } = await call("sessions.describe", { key: "one" });
  assert.equal([session.key, session.isMain, session.classification], ["agent:main:one", false, "direct"]);
  assert.equal(await call("sessions.describe", { key: "zzzz" }), { session: null });
});

test("a session is resolved by key, id, label and the beginning of its id", async () => {
  const { call, app } = await withSessions("one", "two");
  await call("sessions.patch", { key: "one", label: "Garden" });
  const sessionId = app.sessions.get("agent:main:one")?.sessionId ?? "";
  const found = { ok: true, key: "agent:main:one", agentId: "main", displayName: "Garden" };
  for (const params of [{ key: "one" }, { sessionId }, { label: "Garden" }, { shortId: sessionId.slice(0, 8) }]) {
    checkParams("sessions.resolve", params);
    assert.equal(await call("sessions.resolve", params), found, JSON.stringify(params));
  }
  assert.is(await failureOf(call("sessions.resolve", { key: "zzz" })), "not-found: No session found: zzz");
  assert.equal(await call("sessions.resolve", { key: "zzz", allowMissing: true }), { ok: false });
  assert.match(await failureOf(call("sessions.resolve", { agentId: "main" })), "give exactly one of key");
  assert.match(await failureOf(call("sessions.resolve", { key: "one", label: "x" })), "give exactly one of key");
});

test("when several sessions fit, they are named, and words of the title choose", async () => {
  const { call, app } = await withSessions("one", "two");
  for (const name of ["one", "two"]) {
    await app.sessions.change(`agent:main:${name}`, () => ({ label: "Same" }), "test");
  }
  const { ok, candidates } = await call("sessions.resolve", { label: "Same", allowMissing: true });
  assert.equal([ok, candidates.map(({ key }: Answer) => key)], [false, ["agent:main:two", "agent:main:one"]]);
  assert.match(await failureOf(call("sessions.resolve", { label: "Same" })), "conflict: Multiple sessions found: Same");
  await app.sessions.change("agent:main:one", () => ({ displayName: "The long road" }), "test");
  assert.is((await call("sessions.resolve", { label: "Same", slugHint: "long-road" })).key, "agent:main:one");
});

test("previews have the last words of each session, and say which are not there", async () => {
  const { call, exchange } = await talkingApp();
  await exchange("one", "a  long\nquestion of many words", "yes");
  const params = { keys: ["one", "zzz"], maxChars: 20 };
  checkParams("sessions.preview", params);
  const { previews } = await call("sessions.preview", params);
  assert.equal(previews, [
    {
      key: "one",
      status: "ok",
      items: [
        { role: "user", text: "a long question of …" },
        { role: "assistant", text: "yes" },
      ],
    },
    { key: "zzz", status: "missing", items: [] },
  ]);
});

test("sessions.get has the messages alone", async () => {
  const { call, exchange } = await talkingApp();
  await exchange("main", "hello", "hi");
  const { messages } = await call("sessions.get", { key: "main" });
  assert.equal(
    messages.map(({ role }: Answer) => role),
    ["user", "assistant"],
  );
  assert.equal(await call("sessions.get", { key: "zzz" }), { messages: [] });
});

test("threat F lists and searches need to read", async () => {
  const { call } = await talkingApp();
  const nobody = { scopes: new Set(["operator.pairing"]) };
  for (const [name, params] of [
    ["sessions.list", {}],
    ["sessions.subscribe", {}],
    ["sessions.messages.subscribe", { key: "x" }],
    ["sessions.describe", { key: "x" }],
    ["sessions.resolve", { key: "x" }],
    ["sessions.preview", { keys: ["x"] }],
    ["sessions.get", { key: "x" }],
    ["sessions.search", { query: "x" }],
    ["status", {}],
  ] as const) {
    assert.is(await failureOf(call(name, params, nobody)), "forbidden: missing scope: operator.read", name);
  }
});

test("status counts sessions, in all and for each agent", async () => {
  const { call } = await withSessions("one", "two", "agent:aide:three");
  const { sessions } = await call("status");
  assert.is(sessions.count, 3);
  assert.equal(
    sessions.byAgent.map(({ agentId, count }: Answer) => [agentId, count]),
    [
      ["main", 2],
      ["aide", 1],
    ],
  );
  const [newest] = sessions.recent;
  assert.equal([newest.key, newest.age, newest.percentUsed], ["agent:aide:three", 60_000, 0]);
});

test("short keys are completed, full ones and sentinels stay", () => {
  const defaults = { agentId: "chief", mainKey: "home" };
  const full = ["main", "Notes", "agent:aide:x", "global", "unknown"].map((key) => sessionKey(key, defaults));
  assert.equal(full, ["agent:chief:home", "agent:chief:notes", "agent:aide:x", "global", "unknown"]);
});

test.run();
