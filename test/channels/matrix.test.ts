import { test } from "uvu";
import * as assert from "uvu/assert";
import * as v from "valibot";
import { matrix } from "../../src/channels/matrix.ts";
import { Failure } from "../../src/kit/error.ts";
import { channelContract } from "../contract/channel.ts";
import { scriptedContext, type ContextOptions, type ScriptedContext } from "../support/channel-context.ts";
import { settle } from "../support/fake-clock.ts";
import { alice, directRoom, matrixDouble, member, said, us, wideRoom } from "../support/networks/matrix.ts";

channelContract("Matrix", { kind: async () => matrix, network: () => matrixDouble() });

test("a message in a thread of a room says who wrote, what, and where the answer goes", async () => {
  const { double, context, end } = await open();
  const thread = {
    rel_type: "m.thread",
    event_id: "$root",
    is_falling_back: true,
    "m.in_reply_to": { event_id: "$last" },
  };
  const id = double.happen(wideRoom, said("hi there", { "m.mentions": { user_ids: [us] }, "m.relates_to": thread }));
  await settle();
  assert.equal(context.received, [
    {
      id,
      peer: { kind: "channel", id: wideRoom },
      thread: { kind: "thread", id: "$root" },
      sender: { id: alice, name: "Alice" },
      text: "hi there",
      attachments: undefined,
      mentioned: true,
      to: { to: wideRoom, thread: "$root" },
      at: 1_763_683_300_000,
    },
  ]);
  await end();
});

test("a room of two that is marked, or has no name, is a conversation with a person", async () => {
  const { double, context, end } = await open();
  double.write("one");
  double.happen("!unnamed:hs.test", said("two"));
  double.marks["@bob:hs.test"] = [wideRoom];
  double.happen(wideRoom, said("three"));
  await settle();
  assert.equal(
    context.received.map(({ peer }) => peer),
    [
      { kind: "direct", id: alice, name: "Alice" },
      { kind: "direct", id: alice, name: "Alice" },
      { kind: "channel", id: wideRoom },
    ],
  );
  await end();
});

test("what was said before the first time is not answered; what was said since the last time is", async () => {
  const double = matrixDouble();
  double.write("old");
  const first = await opened(double);
  double.write("new");
  await settle();
  await first.end();
  double.write("while away");
  const second = await opened(double, Object.fromEntries(first.context.kept));
  await settle();
  assert.equal(textsOf(first.context), ["new"]);
  assert.equal(textsOf(second.context), ["while away"]);
  await second.end();
});

test("what does not fit in one answer is caught up with, in order", async () => {
  const double = matrixDouble();
  const first = await opened(double);
  await first.end();
  for (const text of ["1", "2", "3", "4", "5", "6"]) double.write(text);
  double.forget(1);
  const second = await opened(double, Object.fromEntries(first.context.kept));
  await settle();
  assert.equal(textsOf(second.context), ["1", "2", "3", "4", "5", "6"]);
  await second.end();
});

test("us being named in a link counts, and one who is only named alike does not", async () => {
  const { double, context, end } = await open();
  const pill = (id: string) => ({
    formatted_body: `<a href="https://matrix.to/#/${encodeURIComponent(id)}">x</a>: hi`,
  });
  double.happen(wideRoom, said("x: hi", pill(us)));
  double.happen(wideRoom, said("x: hi", pill(`${us}.evil.test`)));
  double.happen(wideRoom, said(`${us}: hi`));
  double.happen(wideRoom, said(`${us}.evil.test: hi`));
  double.happen(wideRoom, said("clawd: hi"));
  await settle();
  assert.equal(
    context.received.map(({ mentioned }) => mentioned),
    [true, false, true, false, false],
  );
  await end();
});

test("an answer is without the quotation that older programs add, and one to us counts as naming us", async () => {
  const { double, context, end } = await open();
  const ours = double.happen(wideRoom, { sender: us, ...said("I said this") });
  const relation = { "m.relates_to": { "m.in_reply_to": { event_id: ours } } };
  double.happen(wideRoom, said(`> <${us}> I said this\n> and that\n\nright`, relation));
  double.happen(wideRoom, said("> only\n\nright", { "m.relates_to": { "m.in_reply_to": { event_id: "$unknown" } } }));
  await settle();
  assert.equal(
    context.received.map(({ text, mentioned, quoted }) => [text, mentioned, quoted]),
    [
      ["right", true, { id: ours, sender: us, text: "I said this" }],
      ["right", false, { id: "$unknown" }],
    ],
  );
  await end();
});

test("changes, notices, our own words and what cannot be read are left alone", async () => {
  const { double, context, end } = await open();
  double.happen(wideRoom, said("* new", { "m.relates_to": { rel_type: "m.replace", event_id: "$x" } }));
  double.happen(wideRoom, said("I am a program", { msgtype: "m.notice" }));
  double.happen(wideRoom, { sender: us, ...said("mine") });
  double.happen(wideRoom, { content: {} });
  double.happen(wideRoom, { content: { msgtype: "m.text", body: 7 } });
  double.happen(wideRoom, { ...said("x"), sender: 5 });
  double.happen(wideRoom, { type: "m.room.name", content: { name: "New" } });
  double.happen(wideRoom, said("waves", { msgtype: "m.emote" }));
  await settle();
  assert.equal(textsOf(context), ["* waves"]);
  assert.is(context.log.filter(({ message }) => message.includes("skipped")).length, 2);
  await end();
});

test("an encrypted room is told of once, in the log alone", async () => {
  const { double, context, end } = await open();
  for (let turn = 0; turn < 3; turn++)
    double.happen(wideRoom, { type: "m.room.encrypted", content: { algorithm: "m.megolm.v1.aes-sha2" } });
  await settle();
  assert.is(context.log.filter(({ message }) => message.includes("encrypted")).length, 1);
  assert.is(double.puts.length, 0);
  await end();
});

test("an invitation is accepted, its direct room marked, and what is said before our time left alone", async () => {
  const { double, context, end } = await open();
  const invited = member(us, { membership: "invite", is_direct: true });
  double.invite("!new:hs.test", [{ ...invited, sender: alice }]);
  await settle();
  assert.equal(double.joined, ["!new:hs.test"]);
  assert.equal(double.marks[alice], [directRoom, "!new:hs.test"]);
  double.happen("!new:hs.test", said("long ago"));
  double.happen("!new:hs.test", { ...invited, sender: alice });
  double.happen("!new:hs.test", said("are you there?"));
  double.happen("!new:hs.test", member(us));
  await settle();
  assert.equal(textsOf(context), ["are you there?"]);
  await end();
});

test("invitations that the settings do not list, and rooms that are gone, are left alone", async () => {
  const given = await open({ autoJoin: "allowlist", autoJoinAllowlist: ["#lobby:hs.test", "@bob:hs.test"] });
  const from = (sender: string) => [{ ...member(us, { membership: "invite" }), sender }];
  given.double.invite("!a:hs.test", from(alice));
  given.double.invite("!dead:hs.test", from("@bob:hs.test"));
  given.double.invite(wideRoom, from(alice));
  given.double.invite("!b:hs.test", from("@bob:hs.test"));
  await settle();
  await given.context.clock.advance(2000);
  assert.equal(given.double.joined, [wideRoom, "!b:hs.test"]);
  await given.end();
});

test("threat L: rooms are known by id, and aliases are looked up once connected", async () => {
  const { channel, context, end } = await open({
    groups: { "#lobby:hs.test": { users: [alice] }, "#gone:hs.test": {} },
  });
  const allowed = { enabled: undefined, requireMention: undefined, allowFrom: [alice], systemPrompt: undefined };
  assert.equal(channel.policy?.groups.rooms, { [wideRoom]: allowed });
  assert.match(JSON.stringify(context.log), /#gone:hs.test/);
  await end();
});

test("the same message again is the same event", async () => {
  const { double, channel, options, end } = await open();
  const first = await channel.send({ to: wideRoom }, { text: "once" }, options);
  assert.equal(await channel.send({ to: wideRoom }, { text: "once" }, options), first);
  assert.equal(double.sent, ["once"]);
  await end();
});

test("an answer whose fate is not known may be sent again", async () => {
  const { double, channel, options, end } = await open();
  const path = `v3/rooms/${encodeURIComponent(wideRoom)}/send/m.room.message/a-key`;
  double.answerWith(path, () => new Response("bad gateway", { status: 502 }));
  assert.is((await rejected(channel.send({ to: wideRoom }, { text: "x" }, options))).code, "unavailable");
  assert.is((await rejected(channel.send({ to: "!gone:hs.test" }, { text: "x" }, options))).code, "forbidden");
  await end();
});

test("an answer is HTML beside its text, in the thread, and mentions nobody", async () => {
  const { double, channel, options, end } = await open();
  const text = "**bold** <script> [a](https://a.test/?x=1&y=2) [b](javascript:alert(1))";
  await channel.send({ to: wideRoom, thread: "$root" }, { text }, options);
  await channel.send({ to: wideRoom }, { text: "plain", replyTo: "$asked" }, { ...options, key: "other" });
  assert.equal(double.puts[0]?.content, {
    msgtype: "m.text",
    body: text,
    format: "org.matrix.custom.html",
    formatted_body:
      '<p><strong>bold</strong> &lt;script&gt; <a href="https://a.test/?x=1&amp;y=2">a</a> [b](javascript:alert(1))</p>',
    "m.mentions": {},
    "m.relates_to": {
      rel_type: "m.thread",
      event_id: "$root",
      is_falling_back: true,
      "m.in_reply_to": { event_id: "$root" },
    },
  });
  assert.equal(double.puts[1]?.content, {
    msgtype: "m.text",
    body: "plain",
    "m.mentions": {},
    "m.relates_to": { "m.in_reply_to": { event_id: "$asked" } },
  });
  await end();
});

test("a person is written to in the room that there is, or one that is made once", async () => {
  const { double, channel, options, end } = await open();
  await channel.send(matrix.target(alice), { text: "one" }, options);
  await channel.send(matrix.target("user:@carol:hs.test"), { text: "two" }, { ...options, key: "2" });
  await channel.send(matrix.target("#lobby:hs.test"), { text: "three" }, { ...options, key: "3" });
  assert.equal(
    double.puts.map(({ room }) => room.replace(/\d+/, "")),
    [directRoom, "!made:hs.test", wideRoom],
  );
  assert.is(double.marks["@carol:hs.test"]?.length, 1);
  await end();
});

test("files come in by the homeserver, and go out as what they are", async () => {
  const { double, context, channel, options, end } = await open();
  const info = { mimetype: "image/png", size: 15 };
  double.happen(wideRoom, said("look", { msgtype: "m.image", filename: "a.png", url: "mxc://hs.test/abc", info }));
  double.happen(wideRoom, said("b.txt", { msgtype: "m.file", url: "mxc://hs.test/../../x" }));
  await settle();
  const [image, file] = context.received;
  const load = { maxBytes: 100, signal: context.context.signal };
  assert.equal([image?.text, file?.text], ["look", ""]);
  assert.equal(
    image?.attachments?.map(({ kind, mimeType, fileName, size }) => [kind, mimeType, fileName, size]),
    [["image", "image/png", "a.png", 15]],
  );
  assert.is(new TextDecoder().decode(await image?.attachments?.[0]?.load(load)), "bytes of a file");
  assert.is((await rejected(image?.attachments?.[0]?.load({ ...load, maxBytes: 3 }))).code, "invalid-request");
  assert.is((await rejected(file?.attachments?.[0]?.load(load))).code, "invalid-request");
  const media = [{ data: new Uint8Array([1, 2]), mimeType: "image/png", fileName: "c d.png" }];
  await channel.send({ to: wideRoom }, { text: "here", media }, options);
  assert.equal(
    double.puts.map(({ content }) => [content["msgtype"], content["url"]]),
    [
      ["m.text", undefined],
      ["m.image", "mxc://hs.test/Uploaded"],
    ],
  );
  await end();
});

test("a message is changed and taken back, and so are our reactions; typing is shown", async () => {
  const { double, channel, end } = await open();
  const to = { to: wideRoom };
  await channel.edit?.(to, "$x", "new");
  await channel.remove?.(to, "$x");
  await channel.react?.(to, "$y", "👍");
  await channel.react?.(to, "$y", "");
  await channel.typing?.(to);
  assert.equal(
    double.puts.map(({ type, content }) => [type, content["redacts"] ?? content["m.relates_to"]]),
    [
      ["m.room.message", { rel_type: "m.replace", event_id: "$x" }],
      ["m.room.redaction", "$x"],
      ["m.reaction", { rel_type: "m.annotation", event_id: "$y", key: "👍" }],
      ["m.room.redaction", "$mine0"],
    ],
  );
  await end();
});

test("a password is used once, and again when its session has ended", async () => {
  const settings = { accessToken: undefined, userId: us, password: "the-password" };
  const double = matrixDouble(settings);
  const first = await opened(double);
  await first.end();
  const second = await opened(double, Object.fromEntries(first.context.kept));
  assert.is(double.logins.length, 1);
  double.revoke();
  for (let turn = 0; turn < 5; turn++) await second.context.clock.advance(1000);
  assert.is(second.context.states.at(-1)?.state, "ready");
  assert.is(double.logins[1]?.["device_id"], "DEVICE1");
  assert.not.match(JSON.stringify([second.context.log, second.context.states]), /the-password|token-\d/);
  await second.end();
  const wrong = await opened(matrixDouble({ ...settings, password: "another" }));
  assert.is(wrong.context.states.at(-1)?.state, "failed");
  await wrong.end();
});

test("recipients are read in every usual spelling, and refused with an example", () => {
  assert.equal(matrix.target("room:!a:hs.test"), { to: "!a:hs.test" });
  assert.equal(matrix.target("!31hneApxJ_1o-63DmFrpeqnkFfWppnzWso1JvH3ogLM"), {
    to: "!31hneApxJ_1o-63DmFrpeqnkFfWppnzWso1JvH3ogLM",
  });
  assert.equal(matrix.target("matrix:user:@a:hs.test:8448"), { to: "@a:hs.test:8448" });
  for (const wrong of ["", "alice", "@alice", "#lobby", "!a b:hs.test", "!a/../b:hs.test"])
    assert.throws(() => matrix.target(wrong), /write !room:example.org/);
});

test("settings that cannot work say what is missing", async () => {
  const { context } = scriptedContext();
  for (const [settings, words] of [
    [{}, /homeserver/],
    [{ homeserver: "https://hs.test" }, /password/],
  ] as const) {
    const failure = await rejected(matrix.open(v.parse(matrix.settings, settings), context));
    assert.is(failure.code, "config");
    assert.match(failure.message, words);
  }
});

async function open(more: Readonly<Record<string, unknown>> = {}) {
  return opened(matrixDouble(more));
}

async function opened(double: ReturnType<typeof matrixDouble>, kept: ContextOptions["kept"] = {}) {
  const context = scriptedContext({ ...double.reached, kept });
  double.started(context);
  const channel = await matrix.open(v.parse(matrix.settings, double.settings), context.context);
  await settle();
  const options = { key: "a-key", signal: context.context.signal };
  const end = async (): Promise<void> => {
    context.end();
    await channel.close();
    assert.equal(double.problems, []);
  };
  return { double, context, channel, options, end };
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
