import { test } from "uvu";
import * as assert from "uvu/assert";
import * as v from "valibot";
import type { Channel, Inbound, Outbound } from "../../src/channels/channel.ts";
import { discord } from "../../src/channels/discord.ts";
import { Failure } from "../../src/kit/error.ts";
import { channelContract } from "../contract/channel.ts";
import { scriptedContext, type ContextOptions, type ScriptedContext } from "../support/channel-context.ts";
import { settle } from "../support/fake-clock.ts";
import { discordDouble, privateMessage, refusal, type DiscordDouble } from "../support/networks/discord.ts";

channelContract("discord", {
  kind: async () => discord,
  network() {
    const double = discordDouble();
    return {
      problems: double.problems,
      reached: reached(double),
      settings: { token: double.token },
      recipient: "user:42",
      get sent() {
        return double.messages.map(({ content }) => content);
      },
      write: (text) => double.write(text),
      revoke: () => double.revoke(),
      drop: () => double.drop(),
      limit: (seconds) => double.limit(seconds),
    };
  },
});

test("a private message, one in a channel and one in a thread are told apart", async () => {
  const { double, context } = await open();
  double.channels.set("70", { type: 0, name: "general" });
  double.channels.set("71", { type: 11, name: "a thread", parent_id: "70" });
  double.event("MESSAGE_CREATE", privateMessage({ content: "private" }));
  double.event("MESSAGE_CREATE", said({ content: "channel" }));
  double.event("MESSAGE_CREATE", said({ content: "thread", channel_id: "71" }));
  await settle();
  assert.equal(
    context.received.map(({ peer, thread, guildId, to }) => [peer.kind, peer.id, peer.name, thread?.id, guildId, to]),
    [
      ["direct", "42", undefined, undefined, undefined, { to: "user:42" }],
      ["channel", "70", "#general", undefined, "7", { to: "channel:70", thread: undefined }],
      ["channel", "70", "#general", "71", "7", { to: "channel:70", thread: "71" }],
    ],
  );
  const asked = double.calls.length;
  double.event("MESSAGE_CREATE", said({ content: "again", channel_id: "71" }));
  await settle();
  assert.is(double.calls.length, asked);
  double.event("THREAD_UPDATE", { id: "71" });
  double.event("MESSAGE_CREATE", said({ content: "moved", channel_id: "71" }));
  await settle();
  assert.is(double.calls.length, asked + 2);
  context.end();
});

test("we are named by our id and by an answer to us, not by a role, everybody, or our name as text", async () => {
  const { double, context } = await open();
  const us = { id: double.bot.id, username: "Clawlet", bot: true };
  const bo = { id: "43", username: "bo", global_name: "Bo" };
  const say = (content: string, more: object = {}): void =>
    void double.event("MESSAGE_CREATE", said({ content, ...more }));
  say("<@900> ask <@43> or <@!44>", { mentions: [us, bo] });
  say("<@&900> hello <a:wave:12>", { mention_roles: ["900"] });
  say("@everyone @Clawlet", { mention_everyone: true });
  say("yes", {
    type: 19,
    referenced_message: { id: "8", author: us, content: "or?" },
    message_reference: { message_id: "8" },
  });
  say("", { sticker_items: [{ id: "1", name: "lobster" }] });
  say("somebody joined", { type: 7 });
  say("");
  await settle();
  assert.equal(
    context.received.map(({ text, mentioned }) => [text, mentioned]),
    [
      ["ask @Bo or @44", true],
      ["@role hello :wave:", false],
      ["@everyone @Clawlet", false],
      ["yes", true],
      ["<sticker lobster>", false],
    ],
  );
  assert.equal(context.received[3]?.quoted, { id: "8", text: "or?", sender: "Clawlet" });
  context.end();
});

test("other programs and webhooks are marked as such, and our own messages are nothing", async () => {
  const { double, context } = await open();
  double.event("MESSAGE_CREATE", privateMessage({ content: "a", author: { id: "1", username: "x", bot: true } }));
  double.event("MESSAGE_CREATE", privateMessage({ content: "b", author: { id: "2", username: "x" }, webhook_id: "2" }));
  double.event("MESSAGE_CREATE", privateMessage({ content: "c", author: { id: double.bot.id, username: "Clawlet" } }));
  await settle();
  assert.equal(
    context.received.map(({ text, sender }) => [text, sender.isBot]),
    [
      ["a", true],
      ["b", true],
    ],
  );
  context.end();
});

test("a connection that breaks is resumed where it was, and nothing is missed", async () => {
  const { double, context } = await open();
  double.write("one");
  await settle();
  double.drop();
  await settle();
  double.write("while we were away");
  await context.clock.advance(2000);
  assert.equal(textsOf(context), ["one", "while we were away"]);
  assert.equal(startsOf(double), ["identify", "resume"]);
  context.end();
});

test("the next process resumes what this one left behind, however it ended", async () => {
  const first = await open();
  first.double.write("one");
  await settle();
  first.context.end();
  await first.channel.close();
  first.double.write("while nobody was there");
  const second = await openAt(first.double, Object.fromEntries(first.context.kept));
  assert.equal(textsOf(second.context), ["while nobody was there"]);
  assert.equal(startsOf(first.double), ["identify", "resume"]);
  assert.equal(second.context.states.at(-1), { state: "ready", self: { id: "900", name: "Clawlet" } });
  second.context.end();
});

test("a session that Discord has forgotten is begun anew", async () => {
  const { double, context } = await open();
  double.forget();
  double.drop();
  await context.clock.advance(10_000);
  assert.equal(startsOf(double), ["identify", "resume", "identify"]);
  assert.is(context.states.at(-1)?.state, "ready");
  for (const code of [4007, 4009]) {
    double.close(code);
    await context.clock.advance(30_000);
    assert.is(startsOf(double).at(-1), "identify");
  }
  for (const code of [4000, 4008]) {
    double.close(code);
    await context.clock.advance(60_000);
    assert.is(startsOf(double).at(-1), "resume");
  }
  context.end();
});

test("who does not acknowledge heartbeats is gone, and is connected again", async () => {
  const { double, context } = await open();
  await context.clock.advance(100_000);
  assert.equal(startsOf(double), ["identify"]);
  assert.ok(double.heard.filter(({ op }) => op === 1).length >= 2);
  double.fallSilent();
  await context.clock.advance(130_000);
  assert.ok(startsOf(double).includes("resume"));
  context.end();
});

test("Discord may ask for a heartbeat and for another connection", async () => {
  const { double, context } = await open();
  double.say({ op: 1 });
  await settle();
  assert.is(double.heard.at(-1)?.op, 1);
  double.say({ op: 7 });
  await context.clock.advance(5000);
  assert.equal(startsOf(double), ["identify", "resume"]);
  context.end();
});

test("an intent that is switched off is named, and nothing is tried until somebody switches it on", async () => {
  const { double, context } = await open();
  double.close(4014);
  await settle();
  const state = context.states.at(-1);
  assert.match(state?.state === "failed" ? state.reason : "", /Message Content Intent/);
  const asked = context.requests.length;
  await context.clock.advance(3_600_000);
  assert.is(context.requests.length, asked);
  context.end();
});

test("a message is sent once though its answer is lost, and calls nobody", async () => {
  const { double, context, channel } = await open();
  double.channels.set("70", { type: 0, name: "general" });
  double.next("POST /channels/70/messages", () => refusal(502, "Bad Gateway"));
  await sendTo(channel, context, "channel:70", { text: "@everyone hello", replyTo: "12" });
  await sendTo(channel, context, "channel:70", { text: "@everyone hello", replyTo: "12" });
  assert.equal(
    double.messages.map(({ channel: where, replyTo }) => [where, replyTo]),
    [["70", "12"]],
  );
  await channel.send(
    { to: "channel:70", thread: "71" },
    { text: "there" },
    { key: "k2", signal: context.context.signal },
  );
  assert.is(double.messages.at(-1)?.channel, "71");
  assert.equal(double.problems, []);
  context.end();
});

test("a private channel is opened once, and known from who wrote in it", async () => {
  const { double, context, channel } = await open();
  await sendTo(channel, context, "user:43", { text: "one" });
  await sendTo(channel, context, "user:43", { text: "two" });
  double.write("hello");
  await settle();
  await sendTo(channel, context, "user:42", { text: "three" });
  assert.is(double.calls.filter(({ path }) => path === "/users/@me/channels").length, 1);
  assert.equal(
    double.messages.map(({ channel: where }) => where),
    ["543", "543", "542"],
  );
  context.end();
});

test("files go with the message, and those that come are loaded from where Discord keeps them alone", async () => {
  const { double, context, channel } = await open();
  const data = new Uint8Array([1, 2, 3]);
  await sendTo(channel, context, "user:42", {
    text: "see",
    media: [{ data, mimeType: "image/png", fileName: "a.png" }],
  });
  assert.equal(double.messages[0]?.files, [{ name: "a.png", bytes: data }]);

  double.files.set("/attachments/1/2/a.png", data);
  const at = (url: string): object => ({ id: "1", filename: "a.png", content_type: "image/png", size: 3, url });
  const urls = [
    "https://cdn.discordapp.com/attachments/1/2/a.png?ex=1",
    "https://cdn.discordapp.com.evil.example/a",
    "http://169.254.169.254/",
  ];
  double.event("MESSAGE_CREATE", privateMessage({ attachments: urls.map(at) }));
  await settle();
  const [good, ...bad] = context.received[0]?.attachments ?? [];
  const options = { maxBytes: 3, signal: context.context.signal };
  assert.equal([good?.kind, good?.size, await good?.load(options)], ["image", 3, data]);
  for (const attachment of bad) assert.is((await failureOf(attachment.load(options))).code, "invalid-request");
  assert.equal(double.problems, []);
  context.end();
});

test("a message of ours is changed, taken back and reacted to", async () => {
  const { double, context, channel } = await open();
  const to = { to: "channel:70" };
  const { id } = await sendTo(channel, context, "channel:70", { text: "one" });
  await channel.edit?.(to, id, "two");
  assert.is(double.messages[0]?.content, "two");
  await channel.react?.(to, id, "👀");
  assert.is(double.calls.at(-1)?.path, `/channels/70/messages/${id}/reactions/${encodeURIComponent("👀")}/@me`);
  await channel.react?.(to, id, "");
  assert.is(double.calls.at(-1)?.method, "DELETE");
  await channel.typing?.(to);
  await channel.remove?.(to, id);
  await channel.remove?.(to, id);
  assert.equal(double.messages, []);
  assert.equal(double.problems, []);
  context.end();
});

test("a route whose limit is used up is left alone, and other routes are not", async () => {
  const { double, context, channel } = await open();
  const headers = { "x-ratelimit-remaining": "0", "x-ratelimit-reset-after": "9.5" };
  double.next("POST /channels/70/messages", () => Response.json({ id: "1" }, { headers }));
  await sendTo(channel, context, "channel:70", { text: "one" });
  const asked = context.requests.length;
  const error = await failureOf(sendTo(channel, context, "channel:70", { text: "two" }));
  assert.equal([error.code, error.retryAfterMs, context.requests.length], ["rate-limited", 9500, asked]);
  await sendTo(channel, context, "channel:71", { text: "elsewhere" });
  await context.clock.advance(9500);
  await sendTo(channel, context, "channel:70", { text: "two" });
  assert.equal(
    double.messages.map(({ content }) => content),
    ["elsewhere", "two"],
  );

  const limited = { message: "You are being rate limited.", retry_after: 20.25, global: true };
  double.next("POST /channels/70/messages", () => Response.json(limited, { status: 429 }));
  assert.is((await failureOf(sendTo(channel, context, "channel:70", { text: "three" }))).retryAfterMs, 20_250);
  assert.is((await failureOf(sendTo(channel, context, "channel:71", { text: "three" }))).code, "rate-limited");
  context.end();
});

test("whom guilds let write is found for each channel as it speaks", async () => {
  const guilds = {
    "7": { requireMention: false, users: ["42"], channels: { "70": { requireMention: true }, "72": { allow: false } } },
    "8": { users: [43] },
  };
  const { double, context, channel } = await open({ guilds, allowFrom: ["<@42>", "discord:user:43"] });
  for (const [id, guild] of [
    ["70", "7"],
    ["71", "7"],
    ["72", "7"],
    ["80", "8"],
    ["90", "9"],
  ] as const) {
    double.channels.set(id, { type: 0, name: id });
    double.event("MESSAGE_CREATE", said({ content: "x", channel_id: id, guild_id: guild }));
  }
  await settle();
  const rooms = channel.policy?.groups.rooms ?? {};
  assert.equal(Object.keys(rooms), ["70", "71", "72", "80"]);
  assert.equal([rooms["70"]?.enabled, rooms["70"]?.requireMention, rooms["70"]?.allowFrom], [true, true, ["42"]]);
  assert.equal([rooms["71"]?.enabled, rooms["72"]?.enabled], [false, false]);
  assert.equal([rooms["80"]?.enabled, rooms["80"]?.allowFrom], [true, ["43"]]);
  assert.equal(channel.policy?.direct.allowFrom, ["42", "43"]);
  context.end();
});

test("threat L who calls himself like somebody in an allow list is still known by his id", async () => {
  const { double, context } = await open({ allowFrom: ["ada"] });
  double.event(
    "MESSAGE_CREATE",
    privateMessage({ content: "hi", author: { id: "66", username: "ada", global_name: "ada" } }),
  );
  await settle();
  assert.equal([context.received[0]?.sender.id, context.received[0]?.sender.aliases], ["66", undefined]);
  assert.ok(context.log.some(({ fields }) => fields["name"] === "ada"));
  context.end();
});

test("what Discord says in a shape that is not known costs that message alone", async () => {
  const { double, context } = await open();
  double.event("MESSAGE_CREATE", { id: 7, content: null });
  double.event("SOMETHING_NEW", { id: 7 });
  double.write("after it");
  await settle();
  assert.equal(textsOf(context), ["after it"]);
  assert.equal(startsOf(double), ["identify"]);
  context.end();
});

test("a bare id is refused, for it may be a person's or a channel's; both spellings are shown", () => {
  assert.equal(discord.target("user:42"), { to: "user:42" });
  assert.equal(discord.target("discord:channel:70"), { to: "channel:70" });
  assert.equal([discord.target("<@!42>"), discord.target("<#70>")], [{ to: "user:42" }, { to: "channel:70" }]);
  assert.throws(() => discord.target("42"), /user:42 or channel:42/);
  for (const wrong of ["", "user:", "user:ada", "#general"])
    assert.throws(() => discord.target(wrong), /user:123456789012345678 or channel:/);
});

test("a token that is none is refused before anything is asked", async () => {
  for (const token of ["", "abc", "Bot "])
    assert.throws(() => v.parse(discord.settings, { token }), /three parts with dots/);
  const context = scriptedContext();
  const none = v.parse(discord.settings, {});
  assert.match((await failureOf(discord.open(none, context.context))).message, "channels.discord.token");
  assert.equal(context.requests, []);
});

function said(fields: Readonly<Record<string, unknown>>) {
  return privateMessage({ channel_id: "70", guild_id: "7", ...fields });
}

function reached(double: DiscordDouble): ContextOptions {
  return { answer: (request) => double.answer(request), dialled: (url, options) => double.dialled(url, options) };
}

interface Opened {
  readonly double: DiscordDouble;
  readonly context: ScriptedContext;
  readonly channel: Channel;
}

function open(settings: object = {}): Promise<Opened> {
  return openAt(discordDouble(), {}, settings);
}

async function openAt(
  double: DiscordDouble,
  kept: Readonly<Record<string, string>>,
  settings: object = {},
): Promise<Opened> {
  const context = scriptedContext({ ...reached(double), kept });
  const channel = await discord.open(v.parse(discord.settings, { token: double.token, ...settings }), context.context);
  await settle();
  await settle();
  return { double, context, channel };
}

function sendTo(channel: Channel, { context }: ScriptedContext, to: string, message: Outbound) {
  return channel.send(discord.target(to), message, { key: `${to} ${message.text}`, signal: context.signal });
}

function textsOf({ received }: { readonly received: readonly Inbound[] }): readonly string[] {
  return received.map(({ text }) => text);
}

function startsOf({ heard }: DiscordDouble): readonly string[] {
  return heard.flatMap(({ op }) => (op === 2 ? ["identify"] : op === 6 ? ["resume"] : []));
}

async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.instance(error, Failure);
  return Failure.from(error);
}

test.run();
