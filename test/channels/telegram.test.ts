import { test } from "uvu";
import * as assert from "uvu/assert";
import * as v from "valibot";
import type { Channel, Outbound } from "../../src/channels/channel.ts";
import { telegram } from "../../src/channels/telegram.ts";
import { Failure } from "../../src/kit/error.ts";
import { channelContract } from "../contract/channel.ts";
import { scriptedContext, type ScriptedContext, type SentRequest } from "../support/channel-context.ts";
import { settle } from "../support/fake-clock.ts";
import { refusal, telegramDouble, type TelegramDouble } from "../support/networks/telegram.ts";

const secret = "a-secret-of-this-test";

channelContract("telegram that is asked", {
  kind: async () => telegram,
  network() {
    const { double, reached, started } = reachable();
    return {
      ...double,
      sent: seenBy(double),
      reached,
      started,
      settings: { botToken: double.token },
      recipient: "42",
      write: (text) => void double.write(text),
    };
  },
});

channelContract("telegram that is brought its updates", {
  kind: async () => telegram,
  network() {
    const { double, reached, started } = reachable();
    return {
      problems: double.problems,
      revoke: () => double.revoke(),
      limit: (seconds) => double.limit(seconds),
      sent: seenBy(double),
      reached,
      started,
      settings: { botToken: double.token, webhookUrl: "https://example.org/telegram-webhook", webhookSecret: secret },
      recipient: "42",
      // It is written again as long as it is not answered with 200.
      async write(text, channel) {
        const update = { update_id: 1, message: messageOf({ text }) };
        while ((await channel.webhook?.handle(brought(update)))?.status !== 200) await settle();
      },
    };
  },
});

test("each message is told apart by its own kind of chat, topic and sender", async () => {
  const { double, context } = await open();
  const forum = { id: -1001, type: "supergroup", title: "Forum", is_forum: true };
  double.update({ message: messageOf({ text: "in private" }) });
  double.update({ message: messageOf({ text: "general", chat: forum }) });
  double.update({ message: messageOf({ text: "topic", chat: forum, message_thread_id: 9, is_topic_message: true }) });
  double.update({ message: messageOf({ text: "a reply, no topic", chat: group, message_thread_id: 9 }) });
  double.update({ message: messageOf({ text: "as the group", chat: group, sender_chat: group, from: anonymous }) });
  await settle();
  assert.equal(
    context.received.map(({ peer, thread, to, sender }) => [peer.kind, peer.id, thread?.id, to.thread, sender.id]),
    [
      ["direct", "42", undefined, undefined, "42"],
      ["group", "-1001", "1", "1", "42"],
      ["group", "-1001", "9", "9", "42"],
      ["group", "-7", undefined, undefined, "42"],
      ["group", "-7", undefined, undefined, "-7"],
    ],
  );
  context.end();
});

test("we are named by our name in any capitals, by our id, by a command of ours, and by an answer to us", async () => {
  const { double, context } = await open();
  const say = (text: string, entity: Record<string, unknown> = {}, more: Record<string, unknown> = {}): void =>
    void double.update({
      message: messageOf({ chat: group, text, entities: entity["type"] === undefined ? [] : [entity], ...more }),
    });
  say("@clawletbot hello", { type: "mention", offset: 0, length: 11 });
  say("🦞 hello @CLAWLETBOT!", { type: "mention", offset: 9, length: 11 });
  say("hello @ClawletBotany", { type: "mention", offset: 6, length: 14 });
  say("@ClawletBot is only text here");
  say("Claw, hello", { type: "text_mention", offset: 0, length: 4, user: { id: double.bot.id } });
  say("/status@ClawletBot now", { type: "bot_command", offset: 0, length: 18 });
  say("/status@OtherBot now", { type: "bot_command", offset: 0, length: 16 });
  say("yes", {}, { reply_to_message: messageOf({ chat: group, text: "or?", from: { id: double.bot.id } }) });
  say(
    "topic",
    {},
    {
      reply_to_message: messageOf({ chat: group, from: { id: double.bot.id }, forum_topic_created: {} }),
    },
  );
  await settle();
  assert.equal(
    context.received.map(({ text, mentioned, command }) => [text, mentioned, command]),
    [
      ["hello", true, false],
      ["🦞 hello @CLAWLETBOT!", true, false],
      ["hello @ClawletBotany", false, false],
      ["@ClawletBot is only text here", false, false],
      ["Claw, hello", true, false],
      ["/status now", true, true],
      ["/status@OtherBot now", false, false],
      ["yes", true, false],
      ["topic", false, false],
    ],
  );
  assert.equal(context.received[7]?.quoted?.text, "or?");
  assert.is(context.received[8]?.quoted, undefined);
  context.end();
});

test("what is no text is said in words or comes as a file", async () => {
  const { double, context } = await open();
  double.files.set("big", new Uint8Array([1, 2, 3]));
  const photo = [{ file_id: "small" }, { file_id: "big", file_size: 3 }];
  double.update({ message: messageOf({ sticker: { emoji: "😀" } }) });
  double.update({ message: messageOf({ location: { latitude: 48.1, longitude: 11.5, horizontal_accuracy: 20.4 } }) });
  double.update({ message: messageOf({ photo, caption: "look" }) });
  double.update({ message: messageOf({ voice: { file_id: "v", mime_type: "audio/ogg" } }) });
  double.update({
    message: messageOf({ text: "news", forward_origin: { type: "hidden_user", sender_user_name: "Bo" } }),
  });
  double.update({ message: messageOf({ new_chat_title: "nothing was said" }) });
  double.update({ edited_message: messageOf({ text: "said before" }) });
  const pressed = { id: "q1", from: ada, data: "yes", message: { message_id: 5, date: 0, chat: group } };
  double.update({ callback_query: pressed });
  await settle();
  assert.equal(
    context.received.map(({ text }) => text),
    ["<sticker 😀>", "📍 48.1, 11.5 ±20m", "look", "", "[Forwarded from Bo]\nnews", "callback_data: yes"],
  );
  const [file] = context.received[2]?.attachments ?? [];
  const { signal } = context.context;
  assert.equal([file?.kind, file?.mimeType], ["image", "image/jpeg"]);
  assert.equal(await file?.load({ maxBytes: 3, signal }), new Uint8Array([1, 2, 3]));
  assert.is((await failureOf(file?.load({ maxBytes: 2, signal }))).code, "invalid-request");
  assert.is(context.received[3]?.attachments?.[0]?.kind, "audio");
  assert.ok(double.calls.some(({ method }) => method === "answerCallbackQuery"));
  context.end();
});

test("the pictures of an album are one message, though they come one after the other", async () => {
  const { double, context } = await open();
  const part = (name: string, more: object = {}): object =>
    messageOf({ photo: [{ file_id: name }], media_group_id: "a1", ...more });
  double.update({ message: part("one", { caption: "three of them" }) });
  await settle();
  double.update({ message: part("two") });
  double.update({ message: part("three") });
  await context.clock.advance(1000);
  assert.equal(
    context.received.map(({ text, attachments }) => [text, attachments?.length]),
    [["three of them", 3]],
  );
  assert.is(double.waiting, 0);
  context.end();
});

test("an album that is brought in several requests is taken whole, and each is answered after that", async () => {
  const settings = { webhookUrl: "https://example.org/t", webhookSecret: secret };
  const { context, channel } = await open(settings);
  const ask = async (id: number): Promise<number | undefined> => {
    const response = await channel.webhook?.handle(
      brought({ update_id: id, message: messageOf({ photo: [{ file_id: `f${id}` }], media_group_id: "a" }) }),
    );
    return response?.status;
  };
  const asked = [ask(2), ask(1)];
  await settle();
  assert.equal(context.received, []);
  await context.clock.advance(1000);
  assert.equal(await Promise.all(asked), [200, 200]);
  assert.is(context.received[0]?.attachments?.length, 2);
  context.end();
});

test("the place in the stream outlives the process, and is written after the message was taken", async () => {
  const { double, context, channel } = await open();
  double.write("one");
  await settle();
  const place = JSON.parse(context.kept.get("offset") ?? "{}");
  assert.is(place.offset, 7002);
  context.refuse(new Failure("unavailable", "the disk is full"));
  double.write("two");
  await settle();
  assert.is(JSON.parse(context.kept.get("offset") ?? "{}").offset, 7002);
  context.end();
  await channel.close();
  assert.is(double.waiting, 1);
});

test("a place that is another bot's, or older than Telegram counts, is not asked for", async () => {
  for (const place of [
    { bot: "1", offset: 900_000, at: Date.UTC(2026, 10, 21) },
    { bot: "123456789", offset: 900_000, at: Date.UTC(2026, 10, 10) },
  ]) {
    const { double, context } = await open({}, { offset: JSON.stringify(place) });
    double.write("hello");
    await settle();
    assert.is(context.received.length, 1);
    context.end();
  }
});

test("an update of a shape that is not known is passed over with a line in the log", async () => {
  const { double, context } = await open();
  double.update({ message: { message_id: "no number", text: 7 } });
  double.write("after it");
  await settle();
  assert.equal(
    context.received.map(({ text }) => text),
    ["after it"],
  );
  assert.ok(context.log.some(({ message }) => message.includes("cannot be understood")));
  context.end();
});

test("another program with the same token is named as what it is, and is waited for", async () => {
  const { double, context } = await open();
  double.next("getUpdates", () => refusal(409, "Conflict: terminated by other getUpdates request"));
  double.write("x");
  await settle();
  const state = context.states.at(-1);
  assert.match(state?.state === "connecting" ? (state.reason ?? "") : "", /another program polls Telegram/);
  await context.clock.advance(2000);
  assert.is(context.states.at(-1)?.state, "ready");
  context.end();
});

test("answers that come at once and bring nothing are not asked for in a hurry", async () => {
  const { double, context } = await open();
  const hasty = (): Response => {
    double.next("getUpdates", hasty);
    return Response.json({ ok: true, result: [{ no: "id" }] });
  };
  hasty();
  double.write("the wait is over");
  await settle();
  const before = context.requests.length;
  await context.clock.advance(10_000);
  assert.is(context.requests.length - before, 10);
  context.end();
});

test("channel posts count where the channel is named, and as that channel's", async () => {
  const post = { chat: { id: -100, type: "channel", title: "News" }, from: undefined, text: "extra" };
  for (const [groups, count] of [
    [{}, 0],
    [{ "-100": {} }, 1],
    [{ "*": {} }, 0],
  ] as const) {
    const { double, context } = await open({ groups });
    double.update({ channel_post: messageOf({ ...post, sender_chat: post.chat }) });
    await settle();
    assert.is(context.received.length, count);
    if (count > 0) assert.equal([context.received[0]?.peer.kind, context.received[0]?.sender.id], ["channel", "-100"]);
    context.end();
  }
});

test("an answer is written with Telegram's marks, in its topic, under the message that it answers", async () => {
  const { double, context, channel } = await open();
  const message = { text: "# Plan\n\n- **a** & *b* <c>\n- `x < y`\n\n```ts\nlet a = 1;\n```", replyTo: "77" };
  await sendTo(channel, context, "-1001:topic:9", message);
  const [sent] = double.messages;
  const list = "• <b>a</b> &amp; <i>b</i> &lt;c&gt;\n• <code>x &lt; y</code>";
  const code = '<pre><code class="language-ts">let a = 1;</code></pre>';
  assert.is(sent?.text, `<b>Plan</b>\n\n${list}\n\n${code}`);
  assert.equal([sent?.chat, sent?.thread, sent?.replyTo], ["-1001", 9, 77]);
  await sendTo(channel, context, "-1001:topic:1", { text: "general" });
  assert.is(double.messages[1]?.thread, undefined);
  await channel.typing?.({ to: "-1001", thread: "1" });
  assert.is(double.calls.at(-1)?.given["message_thread_id"], 1);
  assert.equal(double.problems, []);
  context.end();
});

test("what Telegram cannot read as HTML goes as it was written", async () => {
  const { double, context, channel } = await open();
  double.next("sendMessage", () => refusal(400, "Bad Request: can't parse entities: Unexpected end tag at byte 7"));
  await sendTo(channel, context, "42", { text: "**bold**" });
  assert.equal(
    double.messages.map(({ text }) => text),
    ["**bold**"],
  );
  context.end();
});

test("any text whatever becomes HTML that Telegram reads", async () => {
  const { double, context, channel } = await open();
  const pieces = [
    "**",
    "*",
    "_",
    "~~",
    "`",
    "```\n",
    "> ",
    "- ",
    "1. ",
    "[a](",
    "https://x.y/(b)",
    ")",
    "<b>",
    "&",
    "\n",
    "| a |",
    "\n|-|\n",
    "x",
    " ",
    "# ",
    "---",
  ];
  let seed = 7;
  const random = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
  for (let round = 0; round < 300; round++) {
    const text = `x${Array.from({ length: 1 + Math.floor(random() * 40) }, () => pieces[Math.floor(random() * pieces.length)]).join("")}`;
    await sendTo(channel, context, "42", { text });
  }
  assert.equal(double.problems, []);
  context.end();
});

test("files go as Telegram shows them best, several as one album, and a text that is too long behind them once", async () => {
  const { double, context, channel } = await open();
  const file = (mimeType: string, fileName: string) => ({ data: new Uint8Array([1]), mimeType, fileName });
  const sends: readonly [Outbound, readonly string[]][] = [
    [{ text: "see", media: [file("image/png", "a.png")] }, ["sendPhoto"]],
    [{ text: "", media: [file("audio/ogg", "a.ogg")] }, ["sendVoice"]],
    [{ text: "", media: [file("text/plain", "a.txt")] }, ["sendDocument"]],
    [{ text: "", media: [file("image/png", "a.png"), file("video/mp4", "b.mp4")] }, ["sendMediaGroup"]],
    [{ text: "", media: [file("image/png", "a.png"), file("text/plain", "b.txt")] }, ["sendMediaGroup"]],
    [{ text: "x".repeat(1100), media: [file("image/png", "a.png")] }, ["sendPhoto", "sendMessage"]],
  ];
  for (const [message, methods] of sends) {
    const before = double.calls.length;
    await sendTo(channel, context, "42", message);
    assert.equal(
      double.calls.slice(before).map(({ method }) => method),
      methods,
    );
  }
  assert.equal(
    double.messages[0]?.files.map(({ name, type }) => [name, type]),
    [["a.png", "image/png"]],
  );
  assert.is(double.messages[0]?.seen, "see");

  const long = { text: "y".repeat(1100), media: [file("image/png", "a.png")] };
  double.next("sendMessage", () => refusal(429, "Too Many Requests", { retry_after: 3 }));
  assert.is((await failureOf(sendTo(channel, context, "42", long))).retryAfterMs, 3000);
  const before = double.messages.length;
  await sendTo(channel, context, "42", long);
  assert.is(double.messages.length, before + 1);
  assert.equal(double.problems, []);
  context.end();
});

test("a group that became a supergroup is followed, and the log says its new id", async () => {
  const { double, context, channel } = await open();
  const moved = { migrate_to_chat_id: -100_7 };
  double.next("sendMessage", () => refusal(400, "Bad Request: group chat was upgraded to a supergroup chat", moved));
  await sendTo(channel, context, "-7", { text: "hello" });
  assert.is(double.messages[0]?.chat, "-1007");
  assert.ok(context.log.some(({ fields }) => fields["was"] === "-7" && fields["is"] === "-1007"));
  context.end();
});

test("a message of ours is changed, taken back and reacted to, also when that was done before", async () => {
  const { double, context, channel } = await open();
  const to = { to: "42" };
  const { id } = await sendTo(channel, context, "42", { text: "one" });
  await channel.edit?.(to, id, "two");
  await channel.edit?.(to, id, "two");
  assert.is(double.messages[0]?.text, "two");
  await channel.react?.(to, id, "👀");
  await channel.react?.(to, id, "");
  await channel.remove?.(to, id);
  await channel.remove?.(to, id);
  assert.equal(double.messages, []);
  const asked = double.calls.length;
  assert.is((await failureOf(channel.react?.(to, "callback:q1", "👀"))).code, "invalid-request");
  assert.is(double.calls.length, asked);
  context.end();
});

test("threat K who does not bring the secret is not listened to, whatever he says", async () => {
  const settings = { webhookUrl: "https://example.org/telegram-webhook" };
  const { double, context, channel } = await open(settings);
  const made = double.webhook?.secret ?? "";
  assert.is(context.kept.get("webhook-secret"), made);
  assert.ok(made.length >= 32);
  const update = { update_id: 1, message: messageOf({ text: "let me in" }) };
  for (const given of [undefined, "", "wrong", `${made} `.slice(1), made.toUpperCase()])
    assert.is((await channel.webhook?.handle(brought(update, given)))?.status, 401);
  assert.is((await channel.webhook?.handle(brought("no json", made)))?.status, 200);
  assert.equal(context.received, []);
  assert.is((await channel.webhook?.handle(brought(update, made)))?.status, 200);
  assert.is(context.received.length, 1);
  context.end();
});

test("threat L a name in an allow list lets nobody in, and the log says so", async () => {
  const settings = { allowFrom: ["@ada", "tg:42", "telegram:43", 44], botToken: "1:a" };
  const { direct } = telegram.policy(v.parse(telegram.settings, settings));
  assert.equal(direct.allowFrom, ["@ada", "42", "43", "44"]);
  const { context } = await open({ allowFrom: ["@ada"] });
  assert.ok(context.log.some(({ fields }) => fields["name"] === "@ada"));
  context.end();
});

test("threat G the token is in no error, whatever breaks", async () => {
  const { double, context, channel } = await open();
  double.next("sendMessage", () => {
    throw new TypeError(`fetch failed for https://api.telegram.org/bot${double.token}/sendMessage`);
  });
  const error = await failureOf(sendTo(channel, context, "42", { text: "x" }));
  assert.is(error.code, "timeout");
  assert.not.ok(JSON.stringify([error.message, String(error.cause), error.stack]).includes(double.token));
  context.end();
});

test("recipients are read as people write them, and what is none is refused with an example", () => {
  assert.equal(telegram.target("telegram:42"), { to: "42" });
  assert.equal(telegram.target("-100123:topic:42"), { to: "-100123", thread: "42" });
  assert.equal(telegram.target("@channelname"), { to: "@channelname" });
  for (const wrong of ["", "ada", "42x", "-100:topic:", "tg:"])
    assert.throws(() => telegram.target(wrong), /such as 123456789 or -100123:topic:42/);
});

test("a token that is none is refused before anything is asked", async () => {
  for (const botToken of ["", "abc", "123:has space"])
    assert.throws(() => v.parse(telegram.settings, { botToken }), /such as 123456:ABC-DEF/);
  const context = scriptedContext();
  const none = v.parse(telegram.settings, {});
  assert.match((await failureOf(telegram.open(none, context.context))).message, "channels.telegram.botToken");
  assert.equal(context.requests, []);
});

const ada = { id: 42, is_bot: false, first_name: "Ada" };
const anonymous = { id: 1_087_968_824, is_bot: true, first_name: "Group" };
const group = { id: -7, type: "supergroup", title: "Friends" };
let lastMessage = 0;

function messageOf(fields: Readonly<Record<string, unknown>>): object {
  const chat = { id: 42, type: "private", first_name: "Ada" };
  return { message_id: ++lastMessage, date: 1_700_000_000, chat, from: ada, ...fields };
}

function brought(update: unknown, given: string | undefined = secret): Request {
  const body = typeof update === "string" ? update : JSON.stringify(update);
  const headers = given === undefined ? {} : { "x-telegram-bot-api-secret-token": given };
  return new Request("https://example.org/telegram-webhook", { method: "POST", body, headers });
}

function reachable() {
  let context: ScriptedContext | undefined;
  const double = telegramDouble({
    after: (ms, work) => context?.clock.after(ms, work) ?? (() => undefined),
    now: () => context?.clock.now() ?? 0,
  });
  return {
    double,
    started: (given: ScriptedContext): void => void (context = given),
    reached: { answer: (request: SentRequest, signal: AbortSignal | null) => double.answer(request, signal) },
  };
}

function seenBy({ messages }: TelegramDouble): readonly string[] {
  // Looked at when it is asked for.
  return new Proxy([], {
    get: (_, key) =>
      Reflect.get(
        messages.map(({ seen }) => seen),
        key,
      ),
  });
}

interface Opened {
  readonly double: TelegramDouble;
  readonly context: ScriptedContext;
  readonly channel: Channel;
}

async function open(settings: object = {}, kept: Readonly<Record<string, string>> = {}): Promise<Opened> {
  const { double, reached, started } = reachable();
  const context = scriptedContext({ ...reached, kept });
  started(context);
  const parsed = v.parse(telegram.settings, { botToken: double.token, ...settings });
  const channel = await telegram.open(parsed, context.context);
  await settle();
  return { double, context, channel };
}

function sendTo(channel: Channel, { context }: ScriptedContext, to: string, message: Outbound) {
  return channel.send(telegram.target(to), message, { key: message.text.slice(0, 9), signal: context.signal });
}

async function failureOf(promise: Promise<unknown> | undefined): Promise<Failure> {
  const error = await promise?.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.instance(error, Failure);
  return Failure.from(error);
}

test.run();
