import { test } from "uvu";
import * as assert from "uvu/assert";
import * as v from "valibot";
import { zalo } from "../../src/channels/zalo.ts";
import { Failure } from "../../src/kit/error.ts";
import { channelContract } from "../contract/channel.ts";
import { scriptedContext } from "../support/channel-context.ts";
import { settle } from "../support/fake-clock.ts";
import { message, zaloDouble } from "../support/networks/zalo.ts";

channelContract("Zalo", { kind: async () => zalo, network: () => zaloDouble() });

test("a message says who wrote, what, and where the answer goes", async () => {
  const { double, context, end } = await open();
  double.update(message({ text: "hello" }));
  await settle();
  const [{ attachments: _, ...received } = {}] = context.received;
  assert.equal(received, {
    id: "m1",
    peer: { kind: "direct", id: "6ede9afa66b88fe6d6a9", name: "An" },
    sender: { id: "6ede9afa66b88fe6d6a9", name: "An", isBot: false },
    text: "hello",
    mentioned: true,
    to: { to: "6ede9afa66b88fe6d6a9" },
    at: 1_763_683_300_000,
  });
  await end();
});

test("groups, other events and what cannot be read are left alone", async () => {
  const { double, context, end } = await open();
  for (const update of [
    message({ text: "all", chat: { id: "g", chat_type: "GROUP" } }),
    message({ text: 7 }),
    message({}),
    { event_name: "bot.added" },
    message({ text: "hello", date: 1_763_683_300 }),
  ]) {
    double.update(update);
    await settle();
  }
  assert.equal(
    context.received.map(({ text, at }) => [text, at]),
    [["hello", 1_763_683_300_000]],
  );
  assert.is(context.log.filter(({ message: text }) => text.includes("skipped")).length, 1);
  await end();
});

test("threat N: pictures are fetched from Zalo's hosts alone, without the token", async () => {
  const { double, context, end } = await open();
  for (const photo_url of ["https://photo.zdn.vn/a.jpg", "https://zdn.vn.evil.test/a", "http://photo.zdn.vn/a"]) {
    double.update({ ...message({ photo_url, caption: "look" }), event_name: "message.image.received" });
    await settle();
  }
  const load = { maxBytes: 100, signal: context.context.signal };
  const [good, ...bad] = context.received.map(({ attachments }) => attachments?.[0]?.load(load));
  assert.is(new TextDecoder().decode(await good), "bytes of a picture");
  for (const each of bad) assert.is((await rejected(each)).code, "forbidden");
  assert.is(context.received[0]?.text, "look");
  await end();
});

test("an answer is plain text, and what Zalo refuses with status 200 is refused", async () => {
  const { double, channel, options, end } = await open();
  await channel.send({ to: "abc" }, { text: "**bold** `code`" }, options);
  assert.equal(double.sent, ["bold code"]);
  const failure = await rejected(channel.send({ to: "abc" }, { text: "x".repeat(2001) }, options));
  assert.equal([failure.code, /1 to 2000/.test(failure.message)], ["invalid-request", true]);
  await channel.typing?.({ to: "6ede9afa66b88fe6d6a9" });
  await end();
});

test("threat K: with a webhook only who knows the secret is heard", async () => {
  const { double, channel, context, end } = await open({ webhookUrl: "https://gw.test/zalo-webhook" });
  assert.is(channel.webhook?.path, "/zalo-webhook");
  const post = async (secret: string | undefined, body: unknown) => {
    const headers = secret === undefined ? {} : { "x-bot-api-secret-token": secret };
    const request = new Request("https://gw.test/zalo-webhook", {
      method: "POST",
      headers,
      body: JSON.stringify(body),
    });
    return (await channel.webhook?.handle(request))?.status;
  };
  const secret = double.webhook?.secret_token;
  assert.is(await post(undefined, message({ text: "x" })), 401);
  assert.is(await post("", message({ text: "x" })), 401);
  assert.is(await post("another-secret", message({ text: "x" })), 401);
  assert.is(context.received.length, 0);
  context.refuse(new Failure("unavailable", "the disk is full"));
  assert.is(await post(secret, message({ text: "x" })), 503);
  context.refuse(undefined);
  assert.is(await post(secret, message({ text: "x" })), 200);
  assert.is(await post(secret, { ok: true, result: message({ text: "y" }) }), 200);
  assert.is(await post(secret, "garbage"), 200);
  assert.equal(
    context.received.map(({ text }) => text),
    ["x", "y"],
  );
  await end();
});

test("recipients are refused with an example, and groups are closed whatever the settings say", () => {
  assert.equal(zalo.target("zalo:6ede9afa"), { to: "6ede9afa" });
  assert.throws(() => zalo.target("a b"), /6ede9afa66b88fe6d6a9/);
  assert.is(zalo.policy(v.parse(zalo.settings, { groupPolicy: "open" })).groups.policy, "disabled");
});

async function open(more: Readonly<Record<string, unknown>> = {}) {
  const double = zaloDouble(more);
  const context = scriptedContext(double.reached);
  double.started(context);
  const channel = await zalo.open(v.parse(zalo.settings, double.settings), context.context);
  await settle();
  const options = { key: "a-key", signal: context.context.signal };
  const end = async (): Promise<void> => {
    context.end();
    await channel.close();
    assert.equal(double.problems, []);
  };
  return { double, context, channel, options, end };
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
