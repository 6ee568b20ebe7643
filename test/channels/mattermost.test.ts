import { test } from "uvu";
import * as assert from "uvu/assert";
import * as v from "valibot";
import { mattermost } from "../../src/channels/mattermost.ts";
import { Failure } from "../../src/kit/error.ts";
import { channelContract } from "../contract/channel.ts";
import { scriptedContext, type ContextOptions, type ScriptedContext } from "../support/channel-context.ts";
import { settle } from "../support/fake-clock.ts";
import { alice, direct, mattermostDouble, town, us } from "../support/networks/mattermost.ts";

channelContract("Mattermost", { kind: async () => mattermost, network: () => mattermostDouble() });

test("a message in a thread of a channel says who wrote, what, and where the answer goes", async () => {
  const { double, context, end } = await open();
  const root = double.post({ message: "beginning" });
  const files = [{ id: "file".padEnd(26, "0"), name: "a.png", mime_type: "image/png", size: 15 }];
  const id = double.post({ root_id: root, message: "@Clawd: look", metadata: { files } });
  await settle();
  const { attachments, at, ...message } = context.received[1] ?? {};
  assert.equal(message, {
    id,
    peer: { kind: "channel", id: town },
    thread: { kind: "thread", id: root },
    teamId: "team".padEnd(26, "0"),
    sender: { id: alice, name: "alice", isBot: false },
    text: "look",
    mentioned: true,
    to: { to: town, thread: root },
  });
  assert.type(at, "number");
  const load = { maxBytes: 100, signal: context.context.signal };
  assert.is(new TextDecoder().decode(await attachments?.[0]?.load(load)), "bytes of a file");
  await end();
});

test("being named counts, being named alike does not, and an answer to us does", async () => {
  const { double, context, end } = await open();
  for (const message of ["hi @clawd!", "hi @clawd2", "hi @clawd.d", "a@clawd", "clawd"]) double.post({ message });
  double.post({ root_id: double.post({ user_id: us, message: "mine" }), message: "and?" });
  await settle();
  assert.equal(
    context.received.map(({ mentioned }) => mentioned),
    [true, false, false, false, false, true],
  );
  await end();
});

test("our own posts, the server's and what cannot be read are left alone", async () => {
  const { double, context, end } = await open();
  double.post({ user_id: us, message: "mine" });
  double.post({ type: "system_join_channel", message: "joined" });
  double.post({ message: 7 });
  double.say("no json");
  double.post({ message: "a bot", props: { from_bot: "true" } });
  await settle();
  assert.equal(
    context.received.map(({ text, sender }) => [text, sender.isBot]),
    [["a bot", true]],
  );
  assert.is(context.log.filter(({ message }) => message.includes("skipped")).length, 2);
  await end();
});

test("with chatmode onchar a prefix is as good as our name, and with onmessage all are meant for us", async () => {
  const { double, context, end } = await open({ chatmode: "onchar" });
  double.post({ message: "> now" });
  double.post({ message: "not now" });
  await settle();
  assert.equal(
    context.received.map(({ text, mentioned }) => [text, mentioned]),
    [
      ["now", true],
      ["not now", false],
    ],
  );
  await end();
  const policyOf = (chatmode: string) => mattermost.policy(v.parse(mattermost.settings, { chatmode })).groups;
  assert.equal(
    ["oncall", "onchar", "onmessage"].map((mode) => policyOf(mode).requireMention),
    [true, true, false],
  );
});

test("an event that is missing in the count is caught up with", async () => {
  const { double, context, end } = await open();
  double.lose();
  double.post({ message: "lost" });
  double.post({ message: "next" });
  await settle();
  for (let turn = 0; turn < 5; turn++) await context.clock.advance(1000);
  assert.equal([...new Set(textsOf(context))], ["lost", "next"]);
  assert.is(context.states.at(-1)?.state, "ready");
  await end();
});

test("what was posted while we were away is taken in, and what was before the first time is not", async () => {
  const double = mattermostDouble();
  double.post({ message: "before" });
  const first = await opened(double);
  double.post({ message: "there", channel_id: direct }, { channel_type: "D" });
  await settle();
  await first.end();
  double.post({ message: "away", channel_id: direct });
  const second = await opened(double, Object.fromEntries(first.context.kept));
  assert.equal(textsOf(first.context), ["there"]);
  assert.equal(textsOf(second.context).at(-1), "away");
  assert.equal(second.context.received.at(-1)?.peer.kind, "direct");
  await second.end();
});

test("the same message again is the same post, and nobody calls everybody", async () => {
  const { double, channel, options, end } = await open();
  const first = await channel.send({ to: town, thread: alice }, { text: "@all @Here @herett **x**" }, options);
  const again = await channel.send({ to: town, thread: alice }, { text: "@all @Here @herett **x**" }, options);
  assert.equal(first, again);
  assert.equal(double.sent, ["@\u200ball @\u200bHere @herett **x**"]);
  assert.is(double.posts[0]?.["root_id"], alice);
  await end();
});

test("people are written to by id and by name; files go with the text", async () => {
  const { double, channel, options, end } = await open();
  await channel.send(mattermost.target(`user:${alice}`), { text: "one" }, options);
  const media = [{ data: new Uint8Array([1]), mimeType: "image/png", fileName: "a b.png" }];
  await channel.send(mattermost.target("@alice"), { text: "two", media }, { ...options, key: "2" });
  assert.equal(
    double.posts.map((post) => [post["channel_id"], post["file_ids"]]),
    [
      [direct, []],
      [direct, ["file".padEnd(26, "0")]],
    ],
  );
  await end();
});

test("a post is changed and taken back, and so are our reactions; typing is shown", async () => {
  const { double, channel, end } = await open();
  const [to, post] = [{ to: town, thread: alice }, "post".padEnd(26, "0")];
  await channel.edit?.(to, post, "new");
  await channel.remove?.(to, post);
  await channel.react?.(to, post, "👍");
  await channel.react?.(to, post, "");
  await channel.typing?.(to);
  await settle();
  assert.equal(double.typings, [{ channel_id: town, parent_id: alice }]);
  assert.is(double.calls.filter((call) => call.startsWith("DELETE")).length, 2);
  await end();
});

test("recipients are read in every usual spelling, and refused with an example", () => {
  assert.equal(mattermost.target(`channel:${town}`), { to: town });
  assert.equal(mattermost.target(`${town}:thread:${alice}`), { to: town, thread: alice });
  assert.equal(mattermost.target(`user:${alice}`), { to: `user:${alice}` });
  for (const wrong of ["", "alice", "channel:../x", "@", `${town}:thread:x`])
    assert.throws(() => mattermost.target(wrong), /write channel:<id>/);
});

test("a token that the events refuse is for a person to mend", async () => {
  const double = mattermostDouble();
  const context = scriptedContext({
    ...double.reached,
    dialled: (url, options) => {
      const events = double.reached.dialled?.(url, options);
      assert.ok(events);
      return { ...events, message: (socket) => void socket.send('{"status":"FAIL","seq_reply":1}') };
    },
  });
  const channel = await mattermost.open(v.parse(mattermost.settings, double.settings), context.context);
  await settle();
  assert.is(context.states.at(-1)?.state, "failed");
  context.end();
  await channel.close();
});

async function open(more: Readonly<Record<string, unknown>> = {}) {
  return opened(mattermostDouble(more));
}

async function opened(double: ReturnType<typeof mattermostDouble>, kept: ContextOptions["kept"] = {}) {
  const context = scriptedContext({ ...double.reached, kept });
  const channel = await mattermost.open(v.parse(mattermost.settings, double.settings), context.context);
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

test("settings that cannot work say what is missing", async () => {
  const failure = await mattermost.open(v.parse(mattermost.settings, {}), scriptedContext().context).then(
    () => undefined,
    (error: unknown) => Failure.from(error),
  );
  assert.is(failure?.code, "config");
  assert.match(failure?.message ?? "", /baseUrl/);
});

test.run();
