import { test } from "uvu";
import * as assert from "uvu/assert";
import * as v from "valibot";
import type { Channel } from "../../src/channels/channel.ts";
import { signature } from "../../src/channels/channel-signature.ts";
import { slack } from "../../src/channels/slack.ts";
import { Failure } from "../../src/kit/error.ts";
import { channelContract } from "../contract/channel.ts";
import { scriptedContext, type ScriptedContext } from "../support/channel-context.ts";
import { settle } from "../support/fake-clock.ts";
import { nextTs, said, slackDouble, us, type SlackDouble } from "../support/networks/slack.ts";

channelContract("Slack", { kind: async () => slack, network: () => slackDouble() });

test("a message in a thread of a channel says who wrote, what, and where the answer goes", async () => {
  const { double, context, end } = await open();
  double.event({
    type: "message",
    channel: "C0GENERAL1",
    channel_type: "channel",
    user: "U0ALICE001",
    text: `<@${us}> see <https://a.test/?a=1&amp;b=2|the page> &lt;b&gt; with <@U0BOB00001> <!here>`,
    ts: "1763683300.000200",
    thread_ts: "1763683300.000100",
  });
  await settle();
  assert.equal(context.received, [
    {
      id: "1763683300.000200",
      peer: { kind: "channel", id: "C0GENERAL1" },
      thread: { kind: "thread", id: "1763683300.000100" },
      teamId: "T0TEAM0001",
      sender: { id: "U0ALICE001", name: "Alice", isBot: false },
      text: "see the page (https://a.test/?a=1&b=2) <b> with @Alice @here",
      attachments: [],
      mentioned: true,
      command: false,
      to: { to: "C0GENERAL1", thread: "1763683300.000100" },
      at: 1_763_683_300_000,
    },
  ]);
  await end();
});

test("an answer to our own message counts as naming us", async () => {
  const { double, context, end } = await open();
  const thread = { thread_ts: "1763683300.000100", parent_user_id: us };
  double.event({ ...said, channel: "C0GENERAL1", channel_type: "channel", text: "and?", ts: nextTs(), ...thread });
  await settle();
  assert.is(context.received[0]?.mentioned, true);
  await end();
});

test("our own messages, edits and what cannot be read are acknowledged and left alone", async () => {
  const { double, context, end } = await open();
  double.event({ ...said, user: us, text: "mine", ts: nextTs() });
  double.event({ ...said, bot_id: "B0CLAWD001", text: "mine", ts: nextTs() });
  double.event({ ...said, subtype: "message_changed", ts: nextTs(), message: { text: "new" } });
  double.event({ ...said, text: 7, ts: nextTs() });
  double.event({ ...said, channel: "../../etc", text: "x", ts: nextTs() });
  double.event({ type: "team_join", user: { id: "U0NEW00001" } });
  double.say("no json");
  double.say({ type: 5 });
  await settle();
  assert.is(context.received.length, 0);
  assert.is(double.acknowledged.length, 6);
  assert.is(double.connections, 1);
  assert.is(context.log.filter(({ message }) => message.includes("skipped")).length, 4);
  await end();
});

test("`message` and `app_mention` of one message have one id", async () => {
  const { double, context, end } = await open();
  const one = { channel: "C0GENERAL1", user: "U0ALICE001", text: `<@${us}> hi`, ts: nextTs() };
  double.event({ ...one, type: "app_mention" });
  double.event({ ...one, type: "message", channel_type: "channel" });
  await settle();
  const [first, second] = context.received;
  assert.equal({ ...first, attachments: [] }, { ...second, attachments: [] });
  await end();
});

test("what is taken in after Slack has given up on it is not acknowledged", async () => {
  let receive: ReturnType<typeof slowed> | undefined;
  const { double, context, end } = await open({}, (given) => (receive = slowed(given, 3500)));
  double.write("slow");
  await settle();
  await context.clock.advance(3500);
  assert.equal(receive?.taken, ["slow"]);
  assert.equal(double.acknowledged, []);
  await end();
});

test("a new connection stands before the old one ends", async () => {
  const { double, context, end } = await open();
  double.say({ type: "disconnect", reason: "warning" });
  await settle();
  assert.is(double.connections, 1);
  assert.is(double.calls.filter(({ method }) => method === "apps.connections.open").length, 2);
  double.write("after");
  await settle();
  assert.equal(textsOf(context), ["after"]);
  assert.equal(
    context.states.map(({ state }) => state),
    ["connecting", "ready"],
  );
  await end();
});

test("Socket Mode that is switched off is for a person to mend", async () => {
  const { double, context, end } = await open();
  double.say({ type: "disconnect", reason: "link_disabled" });
  await settle();
  assert.is(context.states.at(-1)?.state, "failed");
  await end();
});

test("another reason to end a connection is waited out", async () => {
  const { double, context, end } = await open();
  double.say({ type: "disconnect", reason: "too_many_websockets" });
  await settle();
  assert.is(context.states.at(-1)?.state, "connecting");
  await context.clock.advance(1000);
  assert.is(context.states.at(-1)?.state, "ready");
  await end();
});

test("a connection without a greeting is given up", async () => {
  const context = scriptedContext({
    ...slackDouble().reached,
    dialled: () => ({ ...silent }),
  });
  const channel = await slack.open(settingsOf(slackDouble()), context.context);
  await settle();
  await context.clock.advance(10_000);
  assert.match(JSON.stringify(context.log), /without a greeting/);
  context.end();
  await channel.close();
});

test("a slash command and a button are messages meant for us", async () => {
  const { double, context, end } = await open();
  const place = { channel_id: "C0GENERAL1", channel_name: "general", user_id: "U0ALICE001", team_id: "T0TEAM0001" };
  double.envelope("slash_commands", { ...place, command: "/clawd", text: "what now", trigger_id: "1.2.a" });
  double.envelope("slash_commands", { ...place, command: "/status", text: "", trigger_id: "1.2.b" });
  double.envelope("interactive", {
    type: "block_actions",
    trigger_id: "1.2.c",
    user: { id: "U0ALICE001" },
    channel: { id: "C0GENERAL1", name: "general" },
    actions: [{ action_id: "a", action_ts: "1763683300.000300", value: "yes" }],
  });
  await settle();
  assert.equal(
    context.received.map(({ id, text, command }) => [id, text, command]),
    [
      ["1.2.a", "what now", true],
      ["1.2.b", "/status", true],
      ["1.2.c", "yes", true],
    ],
  );
  await end();
});

test("threat L: channels are known by id, and their names are looked up once connected", async () => {
  const channels = {
    "#general": { requireMention: false, users: ["U0ALICE001"] },
    "#gone": {},
    C0DIRECT01: { allow: false },
  };
  const { channel, context, end } = await open({ channels, allowFrom: ["slack:U0ALICE001", "@alice"] });
  assert.equal(channel.policy?.direct.allowFrom, ["U0ALICE001", "@alice"]);
  assert.match(JSON.stringify(context.log), /a name lets nobody in.*@alice/);
  assert.equal(channel.policy?.groups.rooms, {
    C0GENERAL1: { enabled: undefined, requireMention: false, allowFrom: ["U0ALICE001"], systemPrompt: undefined },
    C0DIRECT01: { enabled: false, requireMention: undefined, systemPrompt: undefined },
  });
  assert.match(JSON.stringify(context.log), /#gone/);
  await end();
});

test("conversations of several people count where the settings say so", async () => {
  const group = { ...said, channel: "G0GROUP001", channel_type: "mpim" };
  const closed = await open();
  closed.double.event({ ...group, text: "all", ts: nextTs() });
  await settle();
  assert.is(closed.context.received.length, 0);
  await closed.end();
  const given = await open({ dm: { groupEnabled: true } });
  given.double.event({ ...group, text: "all", ts: nextTs() });
  given.double.event({ ...group, type: "app_mention", channel_type: undefined, text: "us", ts: nextTs() });
  await settle();
  for (const { peer } of given.context.received) assert.equal(peer, { kind: "group", id: "G0GROUP001" });
  assert.equal(given.channel.policy?.groups.rooms, { G0GROUP001: {} });
  await given.end();
});

test("other programs count only where they are let", async () => {
  const { double, context, channel, end } = await open({ channels: { C0ROBOTS01: { allowBots: true } } });
  const bot = { type: "message", subtype: "bot_message", channel_type: "channel", bot_id: "B0OTHER001" };
  double.event({ ...bot, channel: "C0GENERAL1", text: "no", ts: nextTs() });
  double.event({ ...bot, channel: "C0ROBOTS01", text: "yes", ts: nextTs() });
  await settle();
  assert.equal(textsOf(context), ["yes"]);
  assert.equal(
    [context.received[0]?.sender, channel.policy?.allowBots],
    [{ id: "B0OTHER001", name: undefined, isBot: true }, true],
  );
  await end();
});

test("an answer is in Slack's marks, in the thread, without previews", async () => {
  const { double, channel, options, end } = await open();
  await channel.send({ to: "C0GENERAL1", thread: "1763683300.000100" }, { text: "**bold** & _it_" }, options);
  await channel.send({ to: "C0GENERAL1" }, { text: "quoted", replyTo: "1763683300.000200" }, options);
  const posted = double.calls.filter(({ method }) => method === "chat.postMessage").map(({ params }) => params);
  assert.is(posted[0]?.["text"], "*bold* &amp; _it_");
  assert.equal(
    posted.map((params) => params["thread_ts"]),
    ["1763683300.000100", "1763683300.000200"],
  );
  await end();
});

test("a person and a channel's name are recipients too", async () => {
  const { double, channel, options, end } = await open();
  await channel.send(slack.target("user:U0ALICE001"), { text: "one" }, options);
  await channel.send(slack.target("#general"), { text: "two" }, options);
  const posted = double.calls.filter(({ method }) => method === "chat.postMessage");
  assert.equal(
    posted.map(({ params }) => params["channel"]),
    ["D0ALICE001", "C0GENERAL1"],
  );
  assert.is((await rejected(channel.send(slack.target("#nowhere"), { text: "x" }, options))).code, "not-found");
  await end();
});

test("who cannot be found for now is tried again, as nothing was sent", async () => {
  const { double, channel, options, end } = await open();
  double.answerWith("conversations.open", { ok: false, error: "internal_error" });
  const failure = await rejected(channel.send({ to: "U0ALICE001" }, { text: "x" }, options));
  assert.equal([failure.code, double.sent], ["unavailable", []]);
  await end();
});

test("recipients are read in every usual spelling, and refused with an example", () => {
  assert.equal(slack.target("channel:C0GENERAL1"), { to: "C0GENERAL1" });
  assert.equal(slack.target("<#C0GENERAL1|general>"), { to: "C0GENERAL1" });
  assert.equal(slack.target("C0GENERAL1:thread:1763683300.000100"), { to: "C0GENERAL1", thread: "1763683300.000100" });
  for (const wrong of ["", "alice", "channel:../x", "C0GENERAL1:thread:now"])
    assert.throws(() => slack.target(wrong), /write channel:C0123ABCD/);
});

test("what Slack refuses is told apart", async () => {
  const { double, channel, options, end } = await open();
  const cases = [
    ["not_in_channel", "invalid-request", /invite the app/],
    ["channel_not_found", "not-found", /./],
    ["token_revoked", "unauthorized", /tokens/],
    ["missing_scope", "forbidden", /chat:write/],
    ["internal_error", "timeout", /./],
    ["service_unavailable", "unavailable", /./],
    ["something_new", "invalid-request", /something_new/],
  ] as const;
  for (const [error, code, words] of cases) {
    double.answerWith("chat.postMessage", { ok: false, error, needed: "chat:write" });
    const failure = await rejected(channel.send({ to: "C0GENERAL1" }, { text: "x" }, options));
    assert.is(failure.code, code);
    assert.match(failure.message, words);
  }
  await end();
});

test("a message is changed and taken back, and so are our reactions", async () => {
  const { double, channel, end } = await open();
  const [place, ts] = [{ to: "C0GENERAL1" }, "1763683300.000100"];
  await channel.edit?.(place, ts, "*new*");
  await channel.react?.(place, ts, "👍");
  await channel.react?.(place, ts, "👍");
  await channel.react?.(place, ts, ":party_parrot:");
  assert.equal([...double.reactions], ["+1", "party_parrot"]);
  await channel.react?.(place, ts, "");
  assert.equal([...double.reactions], []);
  await channel.remove?.(place, ts);
  assert.is((await rejected(channel.react?.(place, ts, "🫠"))).code, "invalid-request");
  assert.is(double.calls.find(({ method }) => method === "chat.update")?.params["text"], "_new_");
  await end();
});

test("files are uploaded, and shared with the text in one message", async () => {
  const { double, channel, options, end } = await open();
  const media = [{ data: new Uint8Array([1, 2, 3]), mimeType: "image/png", fileName: "a.png" }];
  const { id } = await channel.send({ to: "C0GENERAL1" }, { text: "look", media }, options);
  const shared = double.calls.find(({ method }) => method === "files.completeUploadExternal")?.params;
  assert.equal([shared?.["initial_comment"], shared?.["channel_id"]], ["look", "C0GENERAL1"]);
  assert.match(id, /^F0FILE/);
  await channel.remove?.({ to: "C0GENERAL1" }, id);
  await end();
});

test("threat A: the token goes to Slack's hosts alone, and does not follow a redirect", async () => {
  const { double, context, end } = await open();
  const at = (url: string) => ({ name: "a.txt", mimetype: "text/plain", url_private_download: url });
  const files = [
    at("https://files.slack.com/files-pri/T1-F1/a.txt"),
    at("https://slack.com.evil.test/a.txt"),
    at("http://files.slack.com/a.txt"),
    at("https://files.slack.com/files-pri/moved.txt"),
    at("https://files.slack.com/files-pri/hidden.txt"),
  ];
  double.event({ ...said, subtype: "file_share", text: "", ts: nextTs(), files: [...files, { mode: "tombstone" }] });
  await settle();
  const attachments = context.received[0]?.attachments ?? [];
  assert.is(attachments.length, 5);
  const load = { maxBytes: 100, signal: new AbortController().signal };
  const [good, ...bad] = attachments.map((attachment) => attachment.load(load));
  assert.is(new TextDecoder().decode(await good), "bytes of a file");
  for (const each of bad) await rejected(each);
  assert.not.ok(context.requests.some(({ url }) => url.hostname.endsWith("test") || url.protocol === "http:"));
  await end();
});

test("threat K: requests that Slack has not signed, or signed long ago, are refused", async () => {
  const { channel, context, end } = await open({ mode: "http", signingSecret: "the-secret" });
  const body = JSON.stringify({ type: "event_callback", event: { ...said, text: "hi", ts: nextTs() } });
  const now = Math.floor(context.clock.now() / 1000);
  assert.is((await post(channel, body, { at: now, secret: "another" })).status, 401);
  assert.is((await post(channel, body, { at: now - 301, secret: "the-secret" })).status, 401);
  assert.is((await post(channel, body, { at: now, secret: "the-secret", signed: `${body} ` })).status, 401);
  assert.is((await channel.webhook?.handle(new Request("https://gw.test/", { method: "POST", body })))?.status, 401);
  assert.is(context.received.length, 0);
  assert.is((await post(channel, body, { at: now, secret: "the-secret" })).status, 200);
  assert.equal(textsOf(context), ["hi"]);
  await end();
});

test("over HTTP the address is confirmed, and what could not be taken comes again", async () => {
  const { channel, context, end } = await open({ mode: "http", signingSecret: "the-secret" });
  assert.is(channel.webhook?.path, "/slack/events");
  const proof = { at: Math.floor(context.clock.now() / 1000), secret: "the-secret" };
  const check = await post(channel, JSON.stringify({ type: "url_verification", challenge: "c1" }), proof);
  assert.is(await check.text(), "c1");
  context.refuse(new Failure("unavailable", "the disk is full"));
  const body = JSON.stringify({ type: "event_callback", event: { ...said, text: "hi", ts: nextTs() } });
  assert.is((await post(channel, body, proof)).status, 503);
  context.refuse(undefined);
  const form = new URLSearchParams({
    command: "/clawd",
    text: "now",
    user_id: "U0ALICE001",
    channel_id: "D0ALICE001",
    trigger_id: "1.2.d",
  });
  assert.is(
    (await post(channel, form.toString(), { ...proof, type: "application/x-www-form-urlencoded" })).status,
    200,
  );
  assert.equal(textsOf(context), ["now"]);
  assert.is((await post(channel, "nonsense", proof)).status, 400);
  await end();
});

test("settings that cannot work say what is missing", async () => {
  const { context } = scriptedContext();
  for (const [settings, words] of [
    [{}, /botToken/],
    [{ botToken: "xoxb-1" }, /appToken/],
    [{ botToken: "xoxb-1", mode: "http" }, /signingSecret/],
  ] as const) {
    const failure = await rejected(slack.open(v.parse(slack.settings, settings), context));
    assert.is(failure.code, "config");
    assert.match(failure.message, words);
  }
});

const silent = {
  open: () => undefined,
  message: () => undefined,
  pong: () => undefined,
  drain: () => undefined,
  close: () => undefined,
};

function settingsOf(double: SlackDouble): v.InferOutput<typeof slack.settings> {
  return v.parse(slack.settings, double.settings);
}

async function open(more: Readonly<Record<string, unknown>> = {}, prepare?: (context: ScriptedContext) => void) {
  const double = slackDouble(more);
  const context = scriptedContext(double.reached);
  prepare?.(context);
  const channel = await slack.open(settingsOf(double), context.context);
  await settle();
  const options = { key: "a-key", signal: context.context.signal };
  const end = async (): Promise<void> => {
    context.end();
    await channel.close();
    assert.equal(double.problems, []);
  };
  return { double, context, channel, options, end };
}

/** Makes `receive` take so long, by the clock. */
function slowed({ context, clock }: ScriptedContext, ms: number): { readonly taken: string[] } {
  const taken: string[] = [];
  Object.assign(context, {
    async receive({ text }: { text: string }) {
      await clock.sleep(ms);
      taken.push(text);
    },
  });
  return { taken };
}

async function post(
  channel: Channel,
  body: string,
  proof: { at: number; secret: string; signed?: string; type?: string },
): Promise<Response> {
  const { at, secret, signed = body, type = "application/json" } = proof;
  const headers = {
    "content-type": type,
    "x-slack-request-timestamp": String(at),
    "x-slack-signature": `v0=${await signature(secret, { data: `v0:${at}:${signed}`, form: "hex" })}`,
  };
  const answer = await channel.webhook?.handle(
    new Request("https://gw.test/slack/events", { method: "POST", body, headers }),
  );
  assert.ok(answer);
  return answer;
}

function textsOf({ received }: ScriptedContext): readonly string[] {
  return received.map(({ text }) => text);
}

async function rejected(promise: Promise<unknown> | undefined): Promise<Failure> {
  const error = await promise?.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.instance(error, Failure);
  return Failure.from(error);
}

test.run();
