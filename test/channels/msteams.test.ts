import { test } from "uvu";
import * as assert from "uvu/assert";
import * as v from "valibot";
import { msteams } from "../../src/channels/msteams.ts";
import { channelContract } from "../contract/channel.ts";
import { scriptedContext } from "../support/channel-context.ts";
import { startOfTime } from "../support/fake-clock.ts";
import { accountTests, failure } from "../support/networks/account.ts";
import {
  conversation,
  inChannel,
  messageActivity,
  person,
  serviceUrl,
  signIn,
  teamsDouble,
  teamsKeys,
  type TeamsDouble,
} from "../support/networks/msteams.ts";

const keys = await teamsKeys();
const network = (): TeamsDouble => teamsDouble(keys);
channelContract("SC-021 msteams", { kind: async () => msteams, network });

const { it, open } = accountTests(msteams, network);
const named = (text: string, id = `28:${signIn.appId}`): object => ({
  type: "mention",
  text,
  mentioned: { id, name: "Us" },
});

it("people are told by their object ids, and a chat with one by him", async ({ double, context, channel }) => {
  await double.tell(messageActivity({}), channel);
  const [message] = context.received;
  assert.equal(message?.peer, { kind: "direct", id: person, name: "Ann" });
  assert.equal([message?.sender.id, message?.sender.aliases], [person, ["29:1person"]]);
  assert.equal([message?.to, message?.at], [{ to: conversation, thread: undefined }, startOfTime + 123]);
});

it("in a channel our name is left out of the text, and the answer goes to the thread", async ({
  double,
  context,
  channel,
}) => {
  const entities = [named("<at>Us</at>"), named("<at>Bob</at>", "29:bob")];
  const text = "<at>Us</at> ask&nbsp;<at>Bob</at> if 1 &lt; 2";
  await double.tell(messageActivity({ ...inChannel(), text, entities }), channel);
  await double.tell(messageActivity({ ...inChannel("17"), id: "18", text: "more" }), channel);
  const [first, second] = context.received;
  assert.equal([first?.text, first?.mentioned, second?.mentioned], ["ask @Bob if 1 < 2", true, false]);
  assert.equal(first?.peer, { kind: "channel", id: "19:channel@thread.tacv2", name: undefined });
  assert.equal([first?.thread, second?.thread], [undefined, { kind: "thread", id: "17" }]);
  assert.is(first?.teamId, "19:team@thread.tacv2");
  const options = { key: "k", signal: context.context.signal };
  await channel.send(first?.to ?? { to: "" }, { text: "**yes**" }, options);
  assert.equal(double.asked[0], [
    "POST",
    "19:channel@thread.tacv2;messageid=1795219200000/activities",
    { type: "message", textFormat: "markdown", text: "**yes**" },
  ]);
});

it("threat K only the Bot Framework's tokens for Teams and for us open the webhook", async ({
  double,
  context,
  channel,
}) => {
  const wrong = [
    "none" as const,
    "forged" as const,
    "unendorsed" as const,
    { aud: "another" },
    { iss: "https://sts.windows.net/" },
    { exp: startOfTime / 1000 - 301 },
  ];
  for (const claims of wrong)
    assert.is((await double.tell(messageActivity({}), channel, claims)).status, 401, JSON.stringify(claims));
  assert.equal(context.received, []);
});

it("threat N a service that is not Microsoft's, or not the token's, is neither believed nor asked", async ({
  double,
  context,
  channel,
}) => {
  assert.is(
    (await double.tell(messageActivity({ serviceUrl: "https://smba.trafficmanager.net/amer/" }), channel)).status,
    403,
  );
  const places = [
    "https://evil.trafficmanager.net/",
    "https://smba.trafficmanager.net.evil.example/",
    "http://smba.trafficmanager.net/emea/",
    "https://smba.trafficmanager.net:8443/emea/",
    "https://user@smba.trafficmanager.net/",
    "https://169.254.169.254/",
  ];
  for (const place of places)
    assert.is(
      (await double.tell(messageActivity({ serviceUrl: place }), channel, { serviceurl: place })).status,
      403,
      place,
    );
  assert.equal([context.received, context.kept.get("conversations")?.includes("evil")], [[], false]);
});

test("threat N a service that was changed on the disk is given no token", async () => {
  const { double, channel, context } = await open();
  const kept = JSON.stringify([[conversation, { serviceUrl: "https://evil.example/" }]]);
  const given = v.parse(msteams.settings, double.settings);
  const other = scriptedContext({ ...double.reached, kept: { conversations: kept } });
  const account = await msteams.open(given, other.context);
  const sending = account.send({ to: conversation }, { text: "hi" }, { key: "k", signal: context.context.signal });
  assert.is((await failure(sending)).code, "config");
  await Promise.all([channel.close(), account.close()]);
});

it("threat C messages of another tenant are refused", async ({ double, context, channel }) => {
  const channelData = { tenant: { id: "00000000-2222-3333-4444-555555555555" } };
  assert.is((await double.tell(messageActivity({ channelData }), channel)).status, 403);
  assert.equal(context.received, []);
});

test("where a conversation is answered outlives the account", async () => {
  const { double, context, channel } = await open();
  await double.tell(
    messageActivity({
      conversation: { conversationType: "groupChat", id: "19:new@thread.v2", tenantId: signIn.tenantId },
    }),
    channel,
  );
  await channel.close();
  const later = scriptedContext({ ...double.reached, kept: Object.fromEntries(context.kept) });
  const again = await msteams.open(v.parse(msteams.settings, double.settings), later.context);
  const options = { key: "k", signal: later.context.signal };
  await again.send(msteams.target("conversation:19:new@thread.v2"), { text: "still here" }, options);
  assert.equal(double.sent, ["still here"]);
  assert.is((await failure(again.send({ to: "19:unknown@thread.v2" }, { text: "x" }, options))).code, "not-found");
  await again.close();
});

it("a picture goes with its message, and another file is named at least", async ({ double, context, channel }) => {
  const media = [
    { data: new Uint8Array([1, 2, 3]), mimeType: "image/png", fileName: "a.png" },
    { data: new Uint8Array([1]), mimeType: "application/pdf", fileName: "b.pdf" },
  ];
  const options = { key: "k", signal: context.context.signal };
  await channel.send({ to: `user:${person}` }, { text: "see", media, replyTo: "in-1" }, options);
  const [, path, body] = double.asked[0] ?? [];
  assert.is(path, `${conversation}/activities/in-1`);
  assert.is(body.text, "see\n\n(not sent: b.pdf)");
  assert.equal(body.attachments, [
    { contentType: "image/png", contentUrl: "data:image/png;base64,AQID", name: "a.png" },
  ]);
});

it("a message is changed and taken back, and typing is shown", async ({ double, channel }) => {
  const to = { to: conversation };
  await channel.edit?.(to, "out-1", "new");
  await channel.remove?.(to, "out-1");
  await channel.typing?.(to);
  assert.equal(double.asked, [
    ["PUT", `${conversation}/activities/out-1`, { type: "message", textFormat: "markdown", text: "new", id: "out-1" }],
    ["DELETE", `${conversation}/activities/out-1`, undefined],
    ["POST", `${conversation}/activities`, { type: "typing" }],
  ]);
});

it("threat A files are fetched with a token from Teams alone, without one from SharePoint, and from nowhere else", async ({
  double,
  context,
  channel,
}) => {
  const shared = (downloadUrl: string): object => ({
    contentType: "application/vnd.microsoft.teams.file.download.info",
    name: "a.pdf",
    content: { downloadUrl, uniqueId: "1", fileType: "pdf" },
  });
  const attachments = [
    { contentType: "image/*", contentUrl: `${serviceUrl}v3/attachments/1/views/original` },
    shared("https://files-of-us.sharepoint.com/download?tempauth=x"),
    shared("https://files-of-us.sharepoint.com.evil.example/"),
    { contentType: "image/png", contentUrl: "https://evil.example/a.png" },
    { contentType: "text/html", content: "<p>hi</p>" },
  ];
  await double.tell(messageActivity({ attachments }), channel);
  const options = { maxBytes: 10, signal: context.context.signal };
  const [picture, file, elsewhere, evil, ...more] = context.received[0]?.attachments ?? [];
  assert.is(new TextDecoder().decode(await picture?.load(options)), "picture");
  assert.is(new TextDecoder().decode(await file?.load(options)), "file");
  for (const bad of [elsewhere, evil]) assert.is((await failure(bad?.load(options))).code, "invalid-request");
  assert.equal(more, []);
});

it("other activities and messages of no known form are passed over; what is none is refused", async ({
  double,
  context,
  channel,
}) => {
  assert.is((await double.tell(messageActivity({ type: "conversationUpdate" }), channel)).status, 200);
  assert.is((await double.tell(messageActivity({ from: "Ann" }), channel)).status, 200);
  assert.is((await double.tell(messageActivity({ channelId: "emulator" }), channel)).status, 400);
  assert.equal(context.received, []);
});

test("channels of teams count as groups, and a port of its own is accepted and not opened", () => {
  const teams = { "19:team": { channels: { "19:channel@thread.tacv2": { requireMention: false } } } };
  const given = v.parse(msteams.settings, { ...signIn, teams, webhook: { port: 3978, path: "/api/messages" } });
  assert.is(msteams.policy(given).groups.rooms["19:channel@thread.tacv2"]?.requireMention, false);
});

test("a recipient is a conversation, a thread of it or a person by his object id", () => {
  assert.equal(msteams.target("conversation:19:a@thread.tacv2;messageid=12"), {
    to: "19:a@thread.tacv2",
    thread: "12",
  });
  assert.equal(msteams.target(`user:${person.toUpperCase()}`), { to: `user:${person}` });
  for (const written of ["", "user:Ann", "19:a/../b", "ann@b.example"])
    assert.throws(() => msteams.target(written), /conversation:19/);
});

test.run();
