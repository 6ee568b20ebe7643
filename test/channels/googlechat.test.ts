import { test } from "uvu";
import * as assert from "uvu/assert";
import * as v from "valibot";
import { googlechat } from "../../src/channels/googlechat.ts";
import { channelContract } from "../contract/channel.ts";
import { scriptedContext } from "../support/channel-context.ts";
import { startOfTime } from "../support/fake-clock.ts";
import { accountTests, failure } from "../support/networks/account.ts";
import {
  googleChatDouble,
  googleKeys,
  messageEvent,
  type GoogleChatDouble,
  space,
  us,
  user,
} from "../support/networks/googlechat.ts";

const keys = await googleKeys();
const network = (): GoogleChatDouble => googleChatDouble(keys);
channelContract("SC-021 googlechat", { kind: async () => googlechat, network });

const { it, open } = accountTests(googlechat, network);
const group = "SPACE";
const mention = (name: string): object => ({ type: "USER_MENTION", userMention: { user: { name, type: "BOT" } } });

it("people are told by their ids, and a chat with one is known by its space", async ({ double, context, channel }) => {
  await double.tell(messageEvent({}), channel);
  const [message] = context.received;
  assert.equal(message?.peer, { kind: "direct", id: space, name: "Ann" });
  assert.equal([message?.sender.id, message?.sender.aliases], [user, ["1001"]]);
  assert.equal([message?.to, message?.at], [{ to: space, thread: undefined }, startOfTime + 123]);
});

it("an answer to a message of a group goes to its thread", async ({ double, context, channel }) => {
  await double.tell(messageEvent({ text: "@us hi", argumentText: " hi", annotations: [mention(us)] }, group), channel);
  const [message] = context.received;
  assert.equal([message?.peer.kind, message?.text, message?.mentioned], ["group", "hi", true]);
  const to = message?.to ?? { to: "" };
  await channel.send(
    to,
    { text: "**yes** [x](https://a.example/x) <users/all>" },
    { key: "k", signal: context.context.signal },
  );
  const [method, path, body] = double.asked[0] ?? [];
  assert.is(method, "POST");
  assert.match(path ?? "", /messageReplyOption=REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD/);
  assert.equal(body, {
    text: "*yes* <https://a.example/x|x> <\u200busers/all>",
    thread: { name: `${space}/threads/t1` },
  });
});

it("threat L once our own user is known, another app's name is none of ours", async ({ double, context, channel }) => {
  await double.tell(messageEvent({ name: `${space}/messages/1`, annotations: [mention("users/3")] }, group), channel);
  await channel.send({ to: space }, { text: "x" }, { key: "k", signal: context.context.signal });
  assert.is(context.kept.get("bot-user"), us);
  await double.tell(messageEvent({ name: `${space}/messages/2`, annotations: [mention("users/3")] }, group), channel);
  await double.tell(messageEvent({ name: `${space}/messages/3`, annotations: [mention(us)] }, group), channel);
  assert.equal(
    context.received.map(({ mentioned }) => mentioned),
    [true, false, true],
  );
});

it("threat K only Chat's own tokens for us open the webhook", async ({ double, context, channel }) => {
  const seconds = startOfTime / 1000;
  const wrong = [
    "none" as const,
    "forged" as const,
    { aud: "https://them.example" },
    { iss: "https://evil.example" },
    { email: "somebody@p.iam.gserviceaccount.com" },
    { email_verified: false },
    { exp: seconds - 301 },
  ];
  for (const claims of wrong)
    assert.is((await double.tell(messageEvent({}), channel, claims)).status, 401, JSON.stringify(claims));
  assert.equal(context.received, []);
});

test("threat K a project's number is an audience of its own", async () => {
  const { open } = accountTests(googlechat, () => googleChatDouble(keys, "project-number"));
  const { double, context, channel } = await open();
  assert.is((await double.tell(messageEvent({}), channel, { iss: "https://accounts.google.com" })).status, 401);
  assert.is((await double.tell(messageEvent({}), channel)).status, 200);
  assert.is(context.received.length, 1);
  await channel.close();
});

it("other events and messages of no known form are passed over; what is no event is refused", async ({
  double,
  context,
  channel,
}) => {
  assert.is((await double.tell({ type: "ADDED_TO_SPACE", space: {} }, channel)).status, 200);
  assert.is((await double.tell(messageEvent({ sender: { name: "Ann" } }), channel)).status, 200);
  assert.is((await double.tell({ no: "type" }, channel)).status, 400);
  assert.equal(context.received, []);
});

it("a message that is sent again with its key is there once, and is changed and taken back", async ({
  double,
  context,
  channel,
}) => {
  const options = { key: "k", signal: context.context.signal };
  const first = await channel.send({ to: user }, { text: "once" }, options);
  const second = await channel.send({ to: user }, { text: "once" }, options);
  assert.equal([first, double.sent], [second, ["once"]]);
  await channel.edit?.({ to: user }, first.id, "twice");
  await channel.remove?.({ to: user }, first.id);
  assert.equal(
    double.asked.slice(2).map(([method, path, body]) => [method, path, body?.text]),
    [
      ["PATCH", `${first.id}?updateMask=text`, "twice"],
      ["DELETE", first.id, undefined],
    ],
  );
  assert.is((await failure(channel.remove?.({ to: user }, "../../users"))).code, "invalid-request");
});

it("a token is asked for once, and again when it is refused", async ({ double, context, channel }) => {
  const send = (key: string): Promise<unknown> =>
    channel.send({ to: space }, { text: key }, { key, signal: context.context.signal });
  await Promise.all([send("a"), send("b")]);
  assert.is(double.granted, 1);
  double.forgetTokens();
  await send("c");
  assert.is(double.granted, 2);
  await context.clock.advance(3_600_000);
  await send("d");
  assert.is(double.granted, 3);
});

it("a file is fetched through Chat; one of Drive is left to its owner", async ({ double, context, channel }) => {
  const attachment = [
    { contentName: "a.png", contentType: "image/png", attachmentDataRef: { resourceName: "a+b/c" } },
    { contentName: "b", contentType: "text/plain", driveDataRef: { driveFileId: "1" } },
  ];
  await double.tell(messageEvent({ attachment }), channel);
  const [file, ...more] = context.received[0]?.attachments ?? [];
  assert.equal([file?.kind, file?.fileName, more.length], ["image", "a.png", 0]);
  const bytes = await file?.load({ maxBytes: 10, signal: context.context.signal });
  assert.is(new TextDecoder().decode(bytes), "file");
});

test("an account without a whole service account does not open, and shows nothing of it", async () => {
  const { double } = await open();
  for (const serviceAccount of [undefined, "", "{", { client_email: "us@p.example", private_key: "" }]) {
    const given = v.parse(googlechat.settings, { ...double.settings, serviceAccount });
    const { code, message = "" } = await failure(googlechat.open(given, scriptedContext().context));
    assert.is(code, "config");
    assert.match(message, /channels.googlechat.serviceAccount/);
  }
});

test("a recipient is a space, a thread of it or a person", () => {
  assert.equal(googlechat.target(`googlechat:${user}`), { to: user });
  assert.equal(googlechat.target(`${space}/threads/t1`), { to: space, thread: `${space}/threads/t1` });
  for (const written of ["", "ann@b.example", "spaces/a/../b", "spaces/a?x"])
    assert.throws(() => googlechat.target(written), /users\/1234567890/);
});

test.run();
