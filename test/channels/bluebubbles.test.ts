import { test } from "uvu";
import * as assert from "uvu/assert";
import * as v from "valibot";
import { bluebubbles } from "../../src/channels/bluebubbles.ts";
import { channelContract } from "../contract/channel.ts";
import { scriptedContext } from "../support/channel-context.ts";
import { accountTests, failure } from "../support/networks/account.ts";
import { blueBubblesDouble, chat, group, handle, messageEvent, signIn } from "../support/networks/bluebubbles.ts";

channelContract("SC-021 bluebubbles", { kind: async () => bluebubbles, network: blueBubblesDouble });

const { it } = accountTests(bluebubbles, blueBubblesDouble);
const bare = accountTests(bluebubbles, () => blueBubblesDouble({ hasHelper: false }));
const to = { to: chat };

it("people are told by their addresses, and groups by their ids", async ({ double, context, channel }) => {
  await double.tell(messageEvent({}), channel);
  await double.tell(messageEvent({ guid: "in-2", chats: [{ guid: group, displayName: "Home" }] }), channel);
  const [direct, grouped] = context.received;
  assert.equal(direct?.peer, { kind: "direct", id: handle, name: undefined });
  assert.equal(direct?.sender, { id: handle, aliases: [chat, `chat_guid:${chat}`] });
  assert.equal(
    [grouped?.peer, grouped?.sender],
    [
      { kind: "group", id: group, name: "Home" },
      { id: handle, aliases: [] },
    ],
  );
  assert.equal([direct?.to, grouped?.to], [to, { to: group }]);
});

it("threat K only the password opens the webhook, and no error or line of the log has it", async ({
  double,
  context,
  channel,
}) => {
  for (const query of ["", "?password=", "?password=wrong", "?guid=wrong", `?PASSWORD=${signIn.password}`])
    assert.is((await double.tell(messageEvent({}), channel, query)).status, 401, query);
  assert.is((await double.tell(messageEvent({}), channel, `?guid=${signIn.password}`)).status, 200);
  assert.is(context.received.length, 1);
  assert.not.ok(JSON.stringify(context.log).includes(signIn.password));
});

test("a password that the server does not take ends in `failed`, and is not shown", async () => {
  const wrong = "wrong-password-of-the-test";
  const { context, channel } = await bare.open({ password: wrong });
  assert.is(context.states.at(-1)?.state, "failed");
  await channel.close();
  assert.not.ok(JSON.stringify(context.states).includes(signIn.password));
});

it("tapbacks, what the owner of the Mac wrote, and other events are passed over", async ({
  double,
  context,
  channel,
}) => {
  await double.tell(messageEvent({ associatedMessageGuid: "p:0/x", associatedMessageType: "love" }), channel);
  await double.tell(messageEvent({ isFromMe: true }), channel);
  await double.tell(messageEvent({ itemType: 2 }), channel);
  await double.tell(messageEvent({ chats: "none" }), channel);
  await double.tell({ type: "typing-indicator", data: { display: true } }, channel);
  assert.is((await double.tell({ no: "type" }, channel)).status, 400);
  assert.equal(context.received, []);
});

it("files are fetched from the Mac, and an answer to what we said counts as named", async ({
  double,
  context,
  channel,
}) => {
  const sent = await channel.send(to, { text: "ours" }, { key: "k", signal: context.context.signal });
  const attachments = [{ guid: "at-1", mimeType: "image/heic", transferName: "a.heic", totalBytes: 4 }];
  await double.tell(messageEvent({ attachments, text: "\ufffclook", threadOriginatorGuid: sent.id }), channel);
  const [message] = context.received;
  assert.equal([message?.text, message?.mentioned, message?.quoted], ["look", true, { id: sent.id }]);
  const [file] = message?.attachments ?? [];
  assert.equal([file?.kind, file?.fileName, file?.size], ["image", "a.heic", 4]);
  const bytes = await file?.load({ maxBytes: 4, signal: context.context.signal });
  assert.is(new TextDecoder().decode(bytes), "file");
});

it("a message whose answer was lost is sent again and arrives once", async ({ double, context, channel }) => {
  const media = [{ data: new Uint8Array([1]), mimeType: "image/png", fileName: "a.png" }];
  const send = (): Promise<{ id: string }> =>
    channel.send(to, { text: "**see**", media }, { key: "k", signal: context.context.signal });
  double.loseNext();
  assert.is((await failure(send())).code, "timeout");
  await send();
  assert.equal(double.sent, ["see", "a.png"]);
});

it("a message is changed, taken back and answered, and typing is shown", async ({ double, context, channel }) => {
  const { id } = await channel.send(to, { text: "hi", replyTo: "in-1" }, { key: "k", signal: context.context.signal });
  await channel.edit?.(to, id, "**new**");
  await channel.remove?.(to, id);
  await channel.react?.(to, "in-1", "❤️");
  await channel.react?.(to, "in-1", "");
  await channel.react?.(to, "in-1", "");
  await channel.typing?.(to);
  const [text, ...rest] = double.asked;
  assert.equal([text?.[1].selectedMessageGuid, text?.[1].method], ["in-1", "private-api"]);
  const react = (reaction: string): object => ({ chatGuid: chat, selectedMessageGuid: "in-1", reaction, partIndex: 0 });
  assert.equal(rest, [
    [`message/${id}/edit`, { editedMessage: "new", backwardsCompatibilityMessage: "Edited to: new", partIndex: 0 }],
    [`message/${id}/unsend`, { partIndex: 0 }],
    ["message/react", react("love")],
    ["message/react", react("-love")],
    [`chat/${chat}/read`, undefined],
    [`chat/${chat}/typing`, undefined],
  ]);
});

bare.it(
  "a Mac without the private API sends by AppleScript, and says what it cannot do",
  async ({ double, context, channel }) => {
    await channel.send(to, { text: "hi", replyTo: "in-1" }, { key: "k", signal: context.context.signal });
    await channel.typing?.(to);
    assert.equal([double.asked.length, double.asked[0]?.[1].selectedMessageGuid], [1, undefined]);
    const { code, message = "" } = await failure(channel.edit?.(to, "out-1", "x"));
    assert.is(code, "forbidden");
    assert.match(message, /private API/);
  },
);

test("threat K an account without its password does not open", async () => {
  for (const key of Object.keys(signIn)) {
    const given = v.parse(bluebubbles.settings, { ...signIn, [key]: undefined });
    assert.is((await failure(bluebubbles.open(given, scriptedContext().context))).code, "config");
  }
});

test("a recipient is a number, a mail address or a chat", () => {
  assert.equal(bluebubbles.target("bluebubbles:+1 (555) 123-4567"), to);
  assert.equal(bluebubbles.target("Ann.B@Example.com"), { to: "iMessage;-;ann.b@example.com" });
  assert.equal(bluebubbles.target(`chat_guid:${group}`), { to: group });
  for (const written of ["", "ann", "chat_guid:x", "iMessage;-;a/../b", "a@b@c"])
    assert.throws(() => bluebubbles.target(written), /chat_guid:iMessage/);
});

test.run();
