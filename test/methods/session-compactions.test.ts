import { test } from "uvu";
import * as assert from "uvu/assert";
import { methods } from "../../src/methods/index.ts";
import { failureOf, rowOf, talkingApp, type Answer } from "../support/doubles.ts";
import { checkParams } from "../support/official.ts";

const key = "agent:main:main";
const textsOf = ({ messages }: Answer): readonly string[] =>
  messages.map((message: Answer) => message.content.map((part: Answer) => part.text).join(""));

/** Two exchanges, a compaction that keeps the second, and a third. */
async function compacted() {
  const talking = await talkingApp();
  const { call, exchange } = talking;
  await exchange("main", "one", "1");
  const kept = await exchange("main", "two", "2");
  await call("sessions.compact", { key: "main", maxLines: 2 });
  await exchange("main", "three", "3");
  const { checkpoints } = await call("sessions.compaction.list", { key: "main" });
  return { ...talking, kept, checkpoints, checkpointId: checkpoints[0].checkpointId as string };
}

test("compactions are listed with what they say, what they kept, and where they stand", async () => {
  const { app, kept, checkpoints, checkpointId } = await compacted();
  checkParams("sessions.compaction.list", { key: "main" });
  const { sessionId } = rowOf(app, key);
  const [{ createdAt, tokensBefore, ...checkpoint }] = checkpoints;
  assert.ok(createdAt > 0 && tokensBefore >= 0);
  assert.equal(checkpoint, {
    checkpointId,
    sessionKey: key,
    sessionId,
    reason: "manual",
    summary: "Earlier messages were left out.",
    firstKeptEntryId: kept[0],
    preCompaction: { sessionId, leafId: kept[1] },
    postCompaction: { sessionId, leafId: checkpointId, entryId: checkpointId },
  });
  assert.is(checkpoints.length, 1);
});

test("a session goes back to before a compaction, and what came after it is a branch", async () => {
  const { call, app, checkpointId } = await compacted();
  const params = { key: "main", checkpointId };
  checkParams("sessions.compaction.restore", params);
  const restored = await call("sessions.compaction.restore", params);
  const { sessionId } = rowOf(app, key);
  assert.equal([restored.key, restored.sessionId, restored.checkpoint.checkpointId], [key, sessionId, checkpointId]);
  assert.equal(textsOf(await call("chat.history", { sessionKey: "main" })), ["one", "1", "two", "2"]);
  assert.equal(
    (await app.sessions.transcript(rowOf(app, key)).context()).map(({ type }) => type),
    ["message", "message", "message", "message"],
  );
  assert.equal((await call("sessions.compaction.list", { key: "main" })).checkpoints, []);
  const { branches } = await call("sessions.branches.list", { sessionKey: "main" });
  await call("sessions.branches.switch", { sessionKey: "main", leafEntryId: branches[1].leafEntryId });
  assert.is((await call("sessions.compaction.list", { key: "main" })).checkpoints.length, 1);
});

test("a new session begins from before a compaction, and the old one stays", async () => {
  const { call, app, checkpointId } = await compacted();
  const params = { key: "main", checkpointId };
  checkParams("sessions.compaction.branch", params);
  const made = await call("sessions.compaction.branch", params);
  assert.equal([made.sourceKey, made.entry.key, made.entry.sessionId], [key, made.key, made.sessionId]);
  assert.is.not(made.sessionId, rowOf(app, key).sessionId);
  assert.equal(textsOf(await call("chat.history", { sessionKey: made.key })), ["one", "1", "two", "2"]);
  assert.equal(textsOf(await call("chat.history", { sessionKey: "main" })).slice(-2), ["three", "3"]);
});

test("what is no compaction of this conversation is refused, and so is a restoration while it answers", async () => {
  const { call, settle, checkpointId, kept } = await compacted();
  for (const id of [kept[0], "ffffffff", "../../x"]) {
    for (const name of ["branch", "restore"]) {
      const refused = failureOf(call(`sessions.compaction.${name}`, { key: "main", checkpointId: id }));
      assert.match(await refused, /^not-found: .* is no compaction of agent:main:main/);
    }
  }
  assert.match(await failureOf(call("sessions.compaction.list", { key: "none" })), "not-found: No session found");
  await call("chat.send", { sessionKey: "main", message: "wait", idempotencyKey: "k" });
  await settle();
  const refused = failureOf(call("sessions.compaction.restore", { key: "main", checkpointId }));
  assert.match(await refused, `conflict: ${key} is answering`);
});

test("threat F a restoration is an admin's, a branch a writer's; neither is advertised", async () => {
  const { call, checkpointId } = await compacted();
  const params = { key: "main", checkpointId };
  const restore = call("sessions.compaction.restore", params, { scopes: new Set(["operator.write"]) });
  assert.is(await failureOf(restore), "forbidden: missing scope: operator.admin");
  const branch = call("sessions.compaction.branch", params, { scopes: new Set(["operator.read"]) });
  assert.is(await failureOf(branch), "forbidden: missing scope: operator.write");
  const ours = methods.filter(({ name }) => name.startsWith("sessions.compaction."));
  assert.equal(
    ours.map((each) => "unlisted" in each && each.unlisted),
    [true, true, true],
  );
});

test.run();
