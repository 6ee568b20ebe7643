import { test } from "uvu";
import * as assert from "uvu/assert";
import * as v from "valibot";
import { nextcloudTalk } from "../../src/channels/nextcloud-talk.ts";
import { channelContract } from "../contract/channel.ts";
import { scriptedContext } from "../support/channel-context.ts";
import { accountTests, failure } from "../support/networks/account.ts";
import { noteActivity, reader, signIn, talkDouble, token } from "../support/networks/nextcloud-talk.ts";

channelContract("SC-021 nextcloud-talk", { kind: async () => nextcloudTalk, network: talkDouble });

const { it, open } = accountTests(nextcloudTalk, talkDouble);
const to = { to: token };

it("people are told by their ids, and what placeholders stand for is read", async ({ double, context, channel }) => {
  const parameters = {
    "mention-user1": { type: "user", id: "bob", name: "Bob" },
    file: { type: "file", name: "a.png" },
  };
  await double.tell(noteActivity({ text: "{mention-user1} see {file} {unknown} {constructor}", parameters }), channel);
  const [message] = context.received;
  assert.is(message?.text, "@Bob see a.png {unknown} {constructor}");
  assert.equal(message?.sender, { id: "users/ann", name: "Ann", aliases: ["ann"] });
  assert.equal(message?.peer, { kind: "group", id: token, name: "Team" });
});

it("threat L a guest's name is not a user's", async ({ double, context, channel }) => {
  await double.tell(noteActivity({ actor: "guests/ann" }), channel);
  assert.equal(context.received[0]?.sender, { id: "guests/ann", name: "Ann", aliases: [] });
});

it("threat K what is not signed by the bot's secret, or comes from another Nextcloud, is refused", async ({
  double,
  context,
  channel,
}) => {
  const wrong = [
    { secret: "" },
    { secret: "another" },
    { backend: "https://evil.example/next" },
    { backend: "" },
    { random: "short" },
  ];
  for (const changed of wrong)
    assert.is((await double.tell(noteActivity({}), channel, changed)).status, 401, JSON.stringify(changed));
  assert.equal(context.received, []);
});

it("what bots say, reactions and joins are passed over", async ({ double, context, channel }) => {
  await double.tell(noteActivity({ actor: "bots/bot-1" }), channel);
  await double.tell({ ...noteActivity({}), type: "Like" }, channel);
  await double.tell(noteActivity({ more: { name: "user_added" } }), channel);
  assert.is((await double.tell({ no: "type" }, channel)).status, 400);
  assert.equal(context.received, []);
});

it("an answer to what a bot said counts as named", async ({ double, context, channel }) => {
  const inReplyTo = { actor: { type: "Application", id: "bots/bot-1" }, object: { type: "Note", id: "6" } };
  await double.tell(noteActivity({ more: { inReplyTo } }), channel);
  const [message] = context.received;
  assert.equal([message?.mentioned, message?.quoted], [true, { id: "6", sender: "bots/bot-1" }]);
});

it(
  "a room with one person is known by a user who may look it up, once",
  async ({ double, context, channel }) => {
    await double.tell(noteActivity({ id: "1" }), channel);
    await double.tell(noteActivity({ id: "2" }), channel);
    assert.equal(
      context.received.map(({ peer }) => peer.kind),
      ["direct", "direct"],
    );
    assert.is(context.requests.filter(({ url }) => url.pathname.includes("/room/")).length, 1);
  },
  reader,
);

it(
  "a message of a room that cannot be looked up waits until it can",
  async ({ double, context, channel }) => {
    double.room = { status: 503 };
    assert.is((await double.tell(noteActivity({}), channel)).status, 503);
    assert.equal(context.received, []);
    double.room = { type: 1 };
    await context.clock.advance(60_000);
    assert.is(context.received[0]?.peer.kind, "direct");
  },
  reader,
);

it(
  "a room that nobody may look up is a group",
  async ({ double, context, channel }) => {
    double.room = { status: 401 };
    assert.is((await double.tell(noteActivity({}), channel)).status, 200);
    assert.is(context.received[0]?.peer.kind, "group");
  },
  reader,
);

it("an answer is Markdown, shows what it answers, and has the same reference when it is sent again", async ({
  double,
  context,
  channel,
}) => {
  const options = { key: "k", signal: context.context.signal };
  const first = await channel.send(to, { text: "**yes** @all", replyTo: "7" }, options);
  const second = await channel.send(to, { text: "**yes**", replyTo: "not-a-number" }, options);
  assert.is(first.id, second.id);
  assert.equal(double.said, [
    { message: "**yes** @\u200ball", referenceId: first.id, replyTo: 7 },
    { message: "**yes**", referenceId: first.id },
  ]);
});

it("a reaction takes the place of the one before, and is taken away", async ({ double, channel }) => {
  for (const emoji of ["👀", "✅", ""]) await channel.react?.(to, "7", emoji);
  assert.equal(double.reactions, ["POST 7 👀", "DELETE 7 👀", "POST 7 ✅", "DELETE 7 ✅"]);
});

test("a room that does not take the bot's word says nothing of the account", async () => {
  const { channel, context } = await open({ botSecret: "wrong-secret-of-the-test" });
  const sending = channel.send(to, { text: "hi" }, { key: "k", signal: context.context.signal });
  const { code, message = "" } = await failure(sending);
  assert.is(code, "forbidden");
  assert.match(message, /not enabled there, or channels.nextcloud-talk.botSecret/);
  assert.is(context.states.at(-1)?.state, "ready");
  await channel.close();
});

test("threat K an account without its secret does not open", async () => {
  for (const key of Object.keys(signIn)) {
    const given = v.parse(nextcloudTalk.settings, { ...signIn, [key]: undefined });
    assert.is((await failure(nextcloudTalk.open(given, scriptedContext().context))).code, "config");
  }
});

test("rooms are groups of the policy, and a recipient is a room's token", () => {
  const given = v.parse(nextcloudTalk.settings, { ...signIn, rooms: { [token]: { requireMention: false } } });
  assert.is(nextcloudTalk.policy(given).groups.rooms[token]?.requireMention, false);
  assert.equal(nextcloudTalk.target(`nextcloud-talk:room:${token}`), to);
  for (const written of ["", "a/../b", "a b c d", "room:"])
    assert.throws(() => nextcloudTalk.target(written), /room:a1b2c3d4/);
});

test.run();
