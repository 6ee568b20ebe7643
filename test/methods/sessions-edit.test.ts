import { test } from "uvu";
import * as assert from "uvu/assert";
import { failureOf, rowOf, spec, talkingApp, type Answer } from "../support/doubles.ts";
import { checkEvent, checkParams } from "../support/official.ts";

const scopes = (scope: string) => ({ scopes: new Set([scope]) });

test("what is patched is in the answer, and null takes it back", async () => {
  const { call } = await talkingApp();
  const patch = { label: "Lab", icon: "🧪", color: "red", category: "work", pinned: true, sendPolicy: "deny" };
  checkParams("sessions.patch", { key: "lab", ...patch });
  const { ok, key, entry, resolved } = await call("sessions.patch", { key: "lab", ...patch });
  assert.equal([ok, key, resolved], [true, "agent:main:lab", { modelProvider: "mock", model: "m1" }]);
  for (const [field, value] of Object.entries(patch)) assert.is(entry[field], value, field);
  const none = { label: null, icon: null, color: null, category: null, pinned: false, sendPolicy: null };
  const { entry: bare } = await call("sessions.patch", { key: "lab", ...none });
  for (const field of Object.keys(none)) assert.ok(!bare[field], field);
});

test("a session is read, and marked unread again, unless somebody was faster", async () => {
  const { call } = await talkingApp();
  const params = { key: "main", agentId: "main", expectedMarkedUnreadAt: null, unread: false };
  checkParams("sessions.patch", params);
  assert.is((await call("sessions.patch", params)).entry.unread, false);
  const { entry } = await call("sessions.patch", { key: "main", unread: true });
  assert.is(entry.unread, true);
  assert.match(
    await failureOf(call("sessions.patch", params)),
    "conflict: agent:main:main was marked unread meanwhile",
  );
});

test("a model is chosen by reference, with a level that it has, and given up by null", async () => {
  const { call } = await talkingApp();
  const { entry, resolved } = await call("sessions.patch", { key: "main", model: "m2", thinkingLevel: "HIGH" });
  assert.equal(resolved, { modelProvider: "mock", model: "m2" });
  assert.equal([entry.thinkingLevel, entry.contextTokens, entry.modelOverrideSource], ["high", 50_000, "user"]);
  const back = await call("sessions.patch", { key: "main", model: null });
  assert.equal([back.resolved.model, back.entry.modelOverride], ["m1", undefined]);
  // The level that only the other model had went with it.
  assert.is(back.entry.thinkingLevel, undefined);
});

const refused: readonly (readonly [patch: object, failure: string])[] = [
  [{ model: "zzz" }, 'invalid-request: unknown model "zzz"'],
  [{ model: "forbidden" }, "invalid-request: model not allowed: mock/forbidden (agents.defaults.models)"],
  [{ thinkingLevel: "high" }, 'invalid-request: invalid thinkingLevel "high" for mock/m1 (use off)'],
  [{ label: "  " }, "invalid-request: invalid label: empty"],
  [{ label: "Taken" }, "conflict: label already in use: Taken"],
  [{ expectedSessionId: "x" }, "not-found: No session found: new"],
];
for (const [patch, failure] of refused) {
  test(`${JSON.stringify(patch)} is refused, and no session is made of it`, async () => {
    const { call, app } = await talkingApp({ models: [spec("m1"), spec("forbidden")] });
    await call("sessions.patch", { key: "old", label: "Taken" });
    const said = await failureOf(call("sessions.patch", { key: "new", ...patch }));
    assert.ok(said.startsWith(failure), said);
    assert.is(app.sessions.size, 1);
  });
}

test("threat F permissions that this gateway does not have are refused, not ignored", async () => {
  const { call } = await talkingApp();
  for (const patch of [
    { permissionMode: "read-only" },
    { execAsk: "always" },
    { toolOverrides: { webSearch: false } },
  ]) {
    assert.match(
      await failureOf(call("sessions.patch", { key: "main", ...patch })),
      "is not supported by this gateway",
    );
  }
  await call("sessions.patch", { key: "main", permissionMode: null, fastMode: false });
  const incognito = call("sessions.create", { incognito: true });
  assert.match(await failureOf(incognito), "is not supported by this gateway");
});

test("many sessions are patched with an outcome each", async () => {
  const { call } = await talkingApp();
  await call("sessions.patch", { key: "one", pinned: true });
  const targets = [{ key: "one" }, { key: "agent:nope:x" }, { key: "two", expectedSessionId: "x" }];
  const params = { targets, patch: { archived: true } };
  checkParams("sessions.patchMany", params);
  const { outcomes } = await call("sessions.patchMany", params);
  assert.equal(
    outcomes.map(({ ok }: Answer) => ok),
    [true, false, false],
  );
  assert.is(outcomes[1].error.message, 'Agent "nope" no longer exists in configuration');
});

test("threat F names and models are changed with write, everything else by an admin", async () => {
  const { call } = await talkingApp();
  const write = scopes("operator.write");
  await call("sessions.patch", { key: "x", label: "L", model: "m2", archived: true, fastMode: null }, write);
  for (const patch of [
    { verboseLevel: "on" },
    { sendPolicy: "allow" },
    { elevatedLevel: "full" },
    { execHost: null },
  ]) {
    const admin = "forbidden: missing scope: operator.admin";
    assert.is(await failureOf(call("sessions.patch", { key: "x", ...patch }, write)), admin);
    assert.is(await failureOf(call("sessions.patchMany", { targets: [{ key: "x" }], patch }, write)), admin);
  }
  for (const [name, params] of [
    ["sessions.reset", { key: "x" }],
    ["sessions.delete", { key: "x" }],
    ["sessions.compact", { key: "x" }],
    ["sessions.cleanup", {}],
    ["sessions.rewind", { sessionKey: "x", entryId: "1" }],
  ] as const) {
    assert.is(await failureOf(call(name, params, write)), "forbidden: missing scope: operator.admin", name);
  }
  for (const [name, params] of [
    ["sessions.patch", { key: "x", label: "M" }],
    ["sessions.create", {}],
    ["sessions.fork", { sessionKey: "x", entryId: "1" }],
    ["sessions.send", { key: "x", message: "y" }],
    ["sessions.steer", { sessionKey: "x", message: "y", idempotencyKey: "k" }],
    ["sessions.abort", { key: "x" }],
    ["sessions.delete", { key: "x", archivedOnly: true }],
  ] as const) {
    const failure = await failureOf(call(name, params, scopes("operator.read")));
    assert.is(failure, "forbidden: missing scope: operator.write", name);
  }
});

test("a reset ends what runs and begins another conversation", async () => {
  const { call, settle, app } = await talkingApp();
  await call("chat.send", { sessionKey: "main", message: "hello", idempotencyKey: "k" });
  await settle();
  const before = app.sessions.get("agent:main:main")?.sessionId;
  checkParams("sessions.reset", { key: "main", reason: "new" });
  const { ok, key, entry } = await call("sessions.reset", { key: "main", reason: "new" });
  assert.equal([ok, key, entry.previousSessionId], [true, "agent:main:main", before]);
  assert.is.not(entry.sessionId, before);
  assert.is(app.turns.run("k")?.status, "aborted");
  assert.is((await call("chat.history", { sessionKey: "main" })).totalMessages, 0);
});

test("a session is deleted once, its transcript set aside; the main one is not", async () => {
  const { call, app, exchange } = await talkingApp();
  await exchange("lab", "one", "1");
  const main = await failureOf(call("sessions.delete", { key: "main" }));
  assert.is(main, "invalid-request: Cannot delete the main session (agent:main:main).");
  const stale = call("sessions.delete", { key: "lab", expectedSessionId: "x" });
  assert.match(await failureOf(stale), "conflict: agent:main:lab is another conversation now");
  const unarchived = call("sessions.delete", { key: "lab", archivedOnly: true });
  assert.is(await failureOf(unarchived), "invalid-request: agent:main:lab is not archived: archive it first");
  const { deleted, archived } = await call("sessions.delete", { key: "lab" });
  assert.equal([deleted, archived.length, app.sessions.size], [true, 1, 0]);
  assert.match(archived[0], /\.deleted\./);
  assert.equal(await call("sessions.delete", { key: "lab" }), {
    ok: true,
    key: "agent:main:lab",
    deleted: false,
    archived: [],
  });
});

test("a compaction is announced at its beginning and its end", async () => {
  const { call, events, exchange, connection } = await talkingApp();
  await exchange("main", "one", "1");
  connection.subscriptions.add("messages:agent:main:main");
  const { compacted, tokensAfter } = await call("sessions.compact", { key: "main" });
  assert.equal([compacted, tokensAfter], [true, 10]);
  const told = events.filter(({ event }) => event === "session.operation");
  assert.equal(
    told.map(({ payload, to }) => [(payload as Answer).phase, to]),
    [
      ["start", 1],
      ["end", 1],
    ],
  );
  for (const { event, payload } of told) checkEvent(event, payload);
  assert.match(await failureOf(call("sessions.compact", { key: "zzz" })), "not-found: No session found: zzz");
});

test("a compaction to so many messages leaves the others out of the context, and in the history", async () => {
  const { call, app, exchange } = await talkingApp();
  for (const n of ["1", "2", "3"]) await exchange("main", n, n);
  assert.equal(await call("sessions.compact", { key: "main", maxLines: 10 }), {
    ok: true,
    key: "agent:main:main",
    compacted: false,
    kept: 6,
  });
  const { compacted, kept } = await call("sessions.compact", { key: "main", maxLines: 2 });
  assert.equal([compacted, kept], [true, 2]);
  const row = rowOf(app, "agent:main:main");
  assert.equal(
    (await app.sessions.transcript(row).context()).map(({ type }) => type),
    ["compaction", "message", "message"],
  );
  assert.is((await call("chat.history", { sessionKey: "main" })).messages.length, 7);
});

test("clean-up says what is too old or too many, and removes it when told to", async () => {
  const maintenance = { pruneAfter: "1d", maxEntries: 2 };
  const { call, app, host } = await talkingApp({ config: { session: { maintenance } } });
  const { clock } = host;
  for (const key of ["main", "ancient", "pinned"]) await call("sessions.patch", { key, pinned: key === "pinned" });
  await clock.advance(2 * 86_400_000);
  for (const key of ["a", "b", "c"]) await call("sessions.patch", { key, pinned: false });
  checkParams("sessions.cleanup", { enforce: false });
  const { dryRun, stores } = await call("sessions.cleanup", { enforce: false });
  const [{ beforeCount, afterCount, pruned, capped }] = stores;
  assert.equal([dryRun, beforeCount, afterCount, pruned, capped], [true, 6, 4, 1, 1]);
  assert.is(app.sessions.size, 6);
  await call("sessions.cleanup", { enforce: true, activeKey: "a" });
  const left = ["main", "ancient", "pinned", "a"].filter((key) => app.sessions.get(`agent:main:${key}`));
  assert.equal(left, ["main", "pinned", "a"]);
  const { stores: after } = await call("sessions.cleanup", { activeKey: "a" });
  assert.is(after[0].pruned, 0);
});

test("an age that cannot be read is named with what to write", async () => {
  const { call } = await talkingApp({ config: { session: { maintenance: { pruneAfter: "soon" } } } });
  assert.match(
    await failureOf(call("sessions.cleanup")),
    'config: session.maintenance.pruneAfter is "soon": write an age',
  );
});

test.run();
