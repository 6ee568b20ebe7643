import { test } from "uvu";
import * as assert from "uvu/assert";
import * as v from "valibot";
import { synologyChat } from "../../src/channels/synology-chat.ts";
import { channelContract } from "../contract/channel.ts";
import { scriptedContext } from "../support/channel-context.ts";
import { accountTests, failure } from "../support/networks/account.ts";
import { signIn, synologyDouble } from "../support/networks/synology-chat.ts";

// More attempts in a second than a person makes.
const network = (): ReturnType<typeof synologyDouble> => {
  const double = synologyDouble();
  return { ...double, settings: { ...double.settings, rateLimitPerMinute: 1000 } };
};
channelContract("SC-021 synology-chat", { kind: async () => synologyChat, network });

const { it } = accountTests(synologyChat, synologyDouble);

it("people are told by their numbers, and answered there", async ({ double, context, channel }) => {
  assert.is((await double.tell({ text: "hi & bye" }, channel)).status, 204);
  const [message] = context.received;
  assert.equal([message?.sender, message?.text, message?.at], [{ id: "4", name: "ann" }, "hi & bye", 1795219200000]);
  const options = { key: "k", signal: context.context.signal };
  await channel.send(message?.to ?? { to: "" }, { text: "**a** [b](https://c.example/d)" }, options);
  assert.equal(double.sent, ["*a* <https://c.example/d|b>"]);
});

it("threat K only the bot's token opens the webhook", async ({ double, context, channel }) => {
  for (const token of ["", "another", undefined]) assert.is((await double.tell({ token }, channel)).status, 401);
  assert.equal(context.received, []);
});

it("what is no message is refused", async ({ double, context, channel }) => {
  for (const fields of [{ user_id: "ann" }, { user_id: "" }, { post_id: undefined }, { text: undefined }])
    assert.is((await double.tell(fields, channel)).status, 400, JSON.stringify(fields));
  assert.equal(context.received, []);
});

it(
  "threat I somebody who writes more than is allowed in a minute waits for the next, others do not",
  async ({ double, context, channel }) => {
    const statuses: number[] = [];
    for (let turn = 0; turn < 3; turn++) statuses.push((await double.tell({}, channel)).status);
    statuses.push((await double.tell({ user_id: "5" }, channel)).status);
    await context.clock.advance(60_000);
    statuses.push((await double.tell({}, channel)).status);
    assert.equal(statuses, [204, 204, 429, 204, 204]);
  },
  { rateLimitPerMinute: 2 },
);

it("its own answers say whether to wait or to give up", async ({ double, context, channel }) => {
  const outcome = async (body: unknown): Promise<unknown> => {
    double.answerNext(body);
    return (await failure(channel.send({ to: "4" }, { text: "hi" }, { key: "k", signal: context.context.signal })))
      .code;
  };
  assert.is(await outcome({ success: false, error: { code: 411, errors: "create post too fast" } }), "rate-limited");
  assert.is(await outcome({ success: false, error: { code: 404 } }), "invalid-request");
  assert.is(await outcome("garbage"), "timeout");
});

test("threat K an account without its token does not open", async () => {
  for (const key of Object.keys(signIn)) {
    const given = v.parse(synologyChat.settings, { ...signIn, [key]: undefined });
    assert.is((await failure(synologyChat.open(given, scriptedContext().context))).code, "config");
  }
});

test("nobody may write who is not listed, and there are no groups", () => {
  const { direct, groups } = synologyChat.policy(v.parse(synologyChat.settings, { ...signIn, allowedUserIds: [4] }));
  assert.equal([direct.policy, direct.allowFrom, groups.policy], ["allowlist", ["4"], "disabled"]);
  assert.equal(v.safeParse(synologyChat.settings, { ...signIn, dmPolicy: "pairing" }).success, false);
});

test("a recipient is a user's number", () => {
  assert.equal(synologyChat.target("synology-chat:user:4"), { to: "4" });
  for (const written of ["", "ann", "0", "4,5"]) assert.throws(() => synologyChat.target(written), /user:4/);
});

test.run();
