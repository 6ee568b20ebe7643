import { test } from "uvu";
import * as assert from "uvu/assert";
import * as v from "valibot";
import { line } from "../../src/channels/line.ts";
import { channelContract } from "../contract/channel.ts";
import { scriptedContext } from "../support/channel-context.ts";
import { accountTests, failure } from "../support/networks/account.ts";
import { group, lineDouble, messageEvent, signIn, user } from "../support/networks/line.ts";
import { call } from "../support/networks/webhook-caller.ts";

channelContract("SC-021 line", { kind: async () => line, network: lineDouble });

const { it } = accountTests(line, lineDouble);
const inGroup = { type: "group", userId: user, groupId: group };

it("people and groups are told by their ids, and known by their names", async ({ double, context, channel }) => {
  await double.tell([messageEvent({ type: "text", id: "1", text: "hi" })], channel);
  await double.tell([messageEvent({ type: "text", id: "2", text: "hi all" }, inGroup)], channel);
  const [direct, grouped] = context.received;
  assert.equal(
    [direct?.peer, direct?.sender],
    [
      { kind: "direct", id: user, name: "Ann" },
      { id: user, name: "Ann" },
    ],
  );
  assert.equal(grouped?.peer, { kind: "group", id: group, name: "Home" });
  assert.equal(grouped?.to, { to: group });
  const asked = context.requests.length;
  await double.tell([messageEvent({ type: "text", id: "3", text: "again" }, inGroup)], channel);
  assert.is(context.requests.length, asked, "names are asked for once");
});

it("being named counts, and so does an answer to what we said", async ({ double, context, channel }) => {
  const sent = await channel.send({ to: group }, { text: "ours" }, { key: "k", signal: context.context.signal });
  const mention = { mentionees: [{ index: 0, length: 3, type: "user", userId: "U0", isSelf: true }] };
  const other = { mentionees: [{ index: 0, length: 4, type: "user", userId: user, isSelf: false }] };
  await double.tell(
    [
      messageEvent({ type: "text", id: "1", text: "@us", mention }, inGroup),
      messageEvent({ type: "text", id: "2", text: "@ann", mention: other }, inGroup),
      messageEvent({ type: "text", id: "3", text: "yes", quotedMessageId: sent.id }, inGroup),
    ],
    channel,
  );
  assert.equal(
    context.received.map(({ mentioned }) => mentioned),
    [true, false, true],
  );
});

it("files are fetched from LINE, places are read, and nobody's address is visited", async ({
  double,
  context,
  channel,
}) => {
  const { signal } = context.context;
  await double.tell(
    [
      messageEvent({ type: "image", id: "40", contentProvider: { type: "line" } }),
      messageEvent({ type: "video", id: "41", contentProvider: { type: "line" } }),
      messageEvent({
        type: "image",
        id: "42",
        contentProvider: { type: "external", originalContentUrl: "http://10.0.0.1/" },
      }),
      messageEvent({ type: "location", id: "43", title: "Home", address: "1 Way", latitude: 1, longitude: 2 }),
    ],
    channel,
  );
  const [picture, film, elsewhere, place] = context.received;
  const bytes = await picture?.attachments?.[0]?.load({ maxBytes: 10, signal });
  assert.is(new TextDecoder().decode(bytes), "picture");
  assert.is((await failure(film?.attachments?.[0]?.load({ maxBytes: 10, signal }))).code, "unavailable");
  assert.equal(elsewhere?.attachments, []);
  assert.is(place?.text, "[location] Home, 1 Way, 1, 2");
});

it("what is not a message for us is passed over, and a bad one does not hold up the next", async ({
  double,
  context,
  channel,
}) => {
  const events = [
    { type: "follow", source: { type: "user", userId: user } },
    { ...messageEvent({ type: "text", id: "1", text: "standby" }), mode: "standby" },
    messageEvent({ type: "text", id: 7, text: "no id" }),
    messageEvent({ type: "text", id: "2", text: "nobody" }, { type: "group", groupId: group }),
    messageEvent({ type: "text", id: "3", text: "good" }),
  ];
  assert.is((await double.tell(events, channel)).status, 200);
  assert.equal(
    context.received.map(({ text }) => text),
    ["good"],
  );
});

it("threat K what is not signed with the channel's secret is refused", async ({ double, context, channel }) => {
  const event = messageEvent({ type: "text", id: "1", text: "hi" });
  for (const secret of ["", "another"]) assert.is((await double.tell([event], channel, secret)).status, 401);
  assert.equal(context.received, []);
});

it("threat H a body is cut off before it is looked at", async ({ channel }) => {
  let pulled = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulled++;
      controller.enqueue(new Uint8Array(16 * 1024));
    },
  });
  const init = { method: "POST", body, duplex: "half", headers: { "x-line-signature": "x" } };
  const response = await call(channel, new Request("https://us.example/line/webhook", init));
  assert.is(response.status, 400);
  assert.ok(pulled < 20, `${pulled} pieces`);
});

it("a message whose answer was lost is sent again and arrives once", async ({ double, context, channel }) => {
  const send = (): Promise<{ id: string }> =>
    channel.send({ to: user }, { text: "once" }, { key: "k", signal: context.context.signal });
  double.loseNext();
  assert.is((await failure(send())).code, "unavailable");
  assert.is((await send()).id, "1001");
  assert.equal(double.sent, ["once"]);
});

it("Markdown becomes plain text, and the message that is answered is shown", async ({ double, context, channel }) => {
  await double.tell([messageEvent({ type: "text", id: "77", text: "hi" })], channel);
  const text = "**bold** [site](https://a.example/x)\n- one\n```js\n*x*\n```";
  await channel.send({ to: user }, { text, replyTo: "77" }, { key: "k", signal: context.context.signal });
  const plain = "bold site (https://a.example/x)\n• one\n\n*x*";
  assert.equal(double.pushed, [{ to: user, type: "text", text: plain, quoteToken: "quote-me" }]);
});

it("a month's messages that are used up are not waited for", async ({ double, context, channel }) => {
  double.answerNext(Response.json({ message: "You have reached your monthly limit." }, { status: 429 }));
  const sending = channel.send({ to: user }, { text: "hi" }, { key: "k", signal: context.context.signal });
  assert.is((await failure(sending)).code, "forbidden");
});

it("typing is shown to one person alone", async ({ context, channel }) => {
  const asked = context.requests.length;
  await channel.typing?.({ to: user });
  await channel.typing?.({ to: group });
  assert.is(context.requests.length, asked + 1);
});

test("threat K an account without its secret does not open", async () => {
  for (const key of Object.keys(signIn)) {
    const given = v.parse(line.settings, { ...signIn, [key]: "" });
    assert.is((await failure(line.open(given, scriptedContext().context))).code, "config");
  }
});

test("a recipient is an id of LINE, with or without its kind", () => {
  assert.equal(line.target(` group:${group} `), { to: group });
  for (const written of ["", "ann", `U${"z".repeat(32)}`, `${user}/..`])
    assert.throws(() => line.target(written), /U4af/);
});

test.run();
