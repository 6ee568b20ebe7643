import { test } from "uvu";
import * as assert from "uvu/assert";
import { failureOf, rowOf, talkingApp, type Answer } from "../support/doubles.ts";
import { checkParams } from "../support/official.ts";

const key = "agent:main:main";
const textsOf = ({ messages }: Answer): readonly string[] =>
  messages.map((message: Answer) => message.content.map((part: Answer) => part.text).join(""));
const history = async ({ call }: Awaited<ReturnType<typeof talkingApp>>) =>
  textsOf(await call("chat.history", { sessionKey: "main" }));

/** A conversation whose second question was asked twice. */
async function rewritten() {
  const talking = await talkingApp();
  const { call, exchange } = talking;
  await exchange("main", "one", "1");
  const [second] = await exchange("main", "two", "2");
  await call("sessions.rewind", { sessionKey: "main", entryId: second });
  await exchange("main", "other two", "other 2");
  return talking;
}

test("a session that nobody wrote to has no branches, and one that never went back has one", async () => {
  const { call, exchange } = await talkingApp();
  checkParams("sessions.branches.list", { sessionKey: "main" });
  assert.equal(await call("sessions.branches.list", { sessionKey: "main" }), { branches: [] });
  const [, answer] = await exchange("main", "one", "1");
  const { branches } = await call("sessions.branches.list", { sessionKey: "main" });
  assert.equal(
    branches.map(({ leafEntryId, headline, messageCount, active }: Answer) => [
      leafEntryId,
      headline,
      messageCount,
      active,
    ]),
    [[answer, "one", 2, true]],
  );
});

test("what a rewind left behind is gone back to, told to whoever watches, and left again", async () => {
  const talking = await rewritten();
  const { call, app } = talking;
  const told: string[] = [];
  app.sessions.onChange(({ row, reason }) => void told.push(`${row.key} ${reason}`));
  const { branches } = await call("sessions.branches.list", { sessionKey: "main" });
  assert.equal(
    branches.map(({ headline, active }: Answer) => [headline, active]),
    [
      ["other two", true],
      ["two", false],
    ],
  );
  const params = { sessionKey: "main", leafEntryId: branches[1].leafEntryId };
  checkParams("sessions.branches.switch", params);
  assert.equal(await call("sessions.branches.switch", params), {});
  assert.equal(await history(talking), ["one", "1", "two", "2"]);
  assert.is(rowOf(app, key).lastMessagePreview, "2");
  assert.equal(told, [`${key} branch-switch`]);
  assert.equal(await call("sessions.branches.switch", params), {}, "the same again changes nothing");
  await call("sessions.branches.switch", { sessionKey: "main", leafEntryId: branches[0].leafEntryId });
  assert.equal(await history(talking), ["one", "1", "other two", "other 2"]);
});

test("the conversation goes on from the branch that it was switched to", async () => {
  const talking = await rewritten();
  const { call, exchange } = talking;
  const { branches } = await call("sessions.branches.list", { sessionKey: "main" });
  await call("sessions.branches.switch", { sessionKey: "main", leafEntryId: branches[1].leafEntryId });
  await exchange("main", "three", "3");
  assert.equal(await history(talking), ["one", "1", "two", "2", "three", "3"]);
});

test("a message is taken back and written anew as often as one likes", async () => {
  const talking = await rewritten();
  const { call, exchange } = talking;
  for (const text of ["third two", "fourth two"]) {
    const { messages } = await call("chat.history", { sessionKey: "main" });
    await call("sessions.rewind", { sessionKey: "main", entryId: messages[2].__openclaw.id });
    await exchange("main", text, "2");
  }
  assert.equal(await history(talking), ["one", "1", "fourth two", "2"]);
  const { branches } = await call("sessions.branches.list", { sessionKey: "main" });
  assert.equal(
    branches.map(({ headline }: Answer) => headline),
    ["fourth two", "third two", "other two", "two"],
  );
});

test("a conversation is not switched while it answers, nor to what is no leaf, nor where there is none", async () => {
  const { call, settle, running } = await rewritten();
  const { branches } = await call("sessions.branches.list", { sessionKey: "main" });
  const params = { sessionKey: "main", leafEntryId: branches[1].leafEntryId };
  const { messages } = await call("chat.history", { sessionKey: "main" });
  for (const leafEntryId of [messages[0].__openclaw.id, "ffffffff", "../../x"]) {
    const refused = await failureOf(call("sessions.branches.switch", { sessionKey: "main", leafEntryId }));
    assert.match(refused, /^not-found: .* is no end of a branch/);
  }
  assert.match(
    await failureOf(call("sessions.branches.switch", { ...params, sessionKey: "none" })),
    "No session found",
  );
  await call("chat.send", { sessionKey: "main", message: "wait", idempotencyKey: "k" });
  await settle();
  assert.match(await failureOf(call("sessions.branches.switch", params)), `conflict: ${key} is answering`);
  await running[0]?.end("done");
  await settle();
  await call("sessions.branches.switch", params);
});

test("threat F branches are read by readers, and chosen by admins alone", async () => {
  const { call } = await rewritten();
  const read = { scopes: new Set(["operator.read"]) };
  const write = { scopes: new Set(["operator.write"]) };
  assert.is((await call("sessions.branches.list", { sessionKey: "main" }, read)).branches.length, 2);
  const refused = await failureOf(
    call("sessions.branches.switch", { sessionKey: "main", leafEntryId: "ffffffff" }, write),
  );
  assert.is(refused, "forbidden: missing scope: operator.admin");
});

test.run();
