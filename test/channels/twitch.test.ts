import { test } from "uvu";
import * as assert from "uvu/assert";
import * as v from "valibot";
import type { Channel } from "../../src/channels/channel.ts";
import { twitch } from "../../src/channels/twitch.ts";
import { Failure } from "../../src/kit/error.ts";
import { channelContract } from "../contract/channel.ts";
import { scriptedContext, type ScriptedContext } from "../support/channel-context.ts";
import { settle } from "../support/fake-clock.ts";
import { type TwitchDouble, twitchDouble } from "../support/networks/twitch.ts";

const basic = { username: "ClawBot", accessToken: "oauth:tok1", channel: "#Streamer" };
const renewing = { ...basic, clientId: "client", clientSecret: "sesame", refreshToken: "refresh1" };

channelContract("twitch", {
  kind: async () => twitch,
  network() {
    const double = twitchDouble();
    return {
      reached: double.reached,
      problems: double.problems,
      settings: basic,
      recipient: "#streamer",
      sent: double.sent,
      write: (text) => double.say(text),
      drop: () => double.drop(),
      revoke() {
        double.tokens = [];
        double.drop();
      },
    };
  },
});

interface Opened {
  readonly double: TwitchDouble;
  readonly scripted: ScriptedContext;
  readonly channel: Channel;
}

async function withAccount(
  settings: Readonly<Record<string, unknown>>,
  prove: (opened: Opened) => Promise<void>,
  given: { readonly double?: TwitchDouble; readonly kept?: Readonly<Record<string, string>> } = {},
): Promise<void> {
  const { double = twitchDouble(), kept = {} } = given;
  const scripted = scriptedContext({ ...double.reached, kept });
  const channel = await twitch.open(v.parse(twitch.settings, { ...basic, ...settings }), scripted.context);
  await scripted.clock.advance(10_000);
  try {
    await prove({ double, scripted, channel });
    assert.equal(double.problems, []);
  } finally {
    await channel.close();
  }
}

const sending = { key: "k", signal: new AbortController().signal };

test("it joins its channel, answers pings, and says who we are", async () => {
  await withAccount({}, async ({ double, scripted }) => {
    assert.equal(double.heard.slice(1, 3), ["PASS oauth:tok1", "NICK clawbot"]);
    assert.ok(double.heard.includes("PONG tmi.twitch.tv"));
    assert.equal(scripted.states.at(-1), { state: "ready", self: { id: "99", name: "clawbot" } });
  });
});

test("threat L: who writes is known by the id, whatever he calls himself, and by the roles that Twitch vouches for", async () => {
  await withAccount({}, async ({ double, scripted }) => {
    double.say("one", { badges: "moderator/1,subscriber/12,moderator/2" });
    double.say("two", { "display-name": "role:owner", "user-id": "43" });
    double.say("three", { "user-id": "" });
    double.say("four", { "source-room-id": "8", badges: "broadcaster/1" });
    double.say("five", { "source-room-id": "7", badges: "broadcaster/1" });
    double.say("six", {}, "clawbot");
    await settle();
    assert.equal(
      scripted.received.map(({ text, sender }) => [text, sender.id, sender.aliases]),
      [
        ["one", "42", ["role:moderator", "role:subscriber"]],
        ["two", "43", []],
        ["five", "42", ["role:owner"]],
      ],
    );
  });
});

test("a message has its id, its time, what it answers, and whether it is for us", async () => {
  await withAccount({}, async ({ double, scripted }) => {
    double.say("hey @ClawBot, hi", { id: "abc-1" });
    double.say("clawbots", {});
    double.say("indeed", {
      "reply-parent-msg-id": "own-1",
      "reply-parent-user-login": "clawbot",
      "reply-parent-display-name": "ClawBot",
      "reply-parent-msg-body": "what\\sI\\ssaid",
    });
    double.say("\x01ACTION waves\x01");
    await settle();
    const [first, second, third, fourth] = scripted.received;
    assert.equal([first?.id, first?.at, first?.mentioned], ["abc-1", 1_700_000_000_000, true]);
    assert.equal(first?.peer, { kind: "group", id: "streamer", name: "#streamer" });
    assert.equal(first?.to, { to: "#streamer" });
    assert.is(second?.mentioned, false);
    assert.equal([third?.mentioned, third?.quoted], [true, { id: "own-1", text: "what I said", sender: "ClawBot" }]);
    assert.is(fourth?.text, "* alice waves");
  });
});

test("only the owner counts unless the settings say who does", () => {
  const people = (settings: object) => {
    const { direct, groups } = twitch.policy(v.parse(twitch.settings, { ...basic, ...settings }));
    assert.is(direct.policy, "disabled");
    assert.equal(Object.keys(groups.rooms), ["streamer"]);
    return [groups.policy, ...groups.allowFrom];
  };
  assert.equal(people({}), ["allowlist", "role:owner"]);
  assert.equal(people({ allowFrom: ["twitch:42", 43] }), ["allowlist", "42", "43"]);
  assert.equal(people({ allowedRoles: ["moderator"], allowFrom: ["42"] }), ["allowlist", "42", "role:moderator"]);
  assert.equal(people({ allowedRoles: ["all"] }), ["allowlist"]);
  assert.equal(people({ allowFrom: [] }), ["disabled"]);
});

test("an answer is one line of plain text, and no command", async () => {
  await withAccount({}, async ({ double, channel }) => {
    const sent = await channel.send(twitch.target("streamer"), { text: "**a**\n\nb", replyTo: "abc-1" }, sending);
    assert.match(sent.id, /^own\d+$/);
    await channel.send(twitch.target("#streamer"), { text: "/ban alice\r\nQUIT" }, sending);
    await channel.send(twitch.target("#streamer"), { text: "\x01.me x" }, sending);
    assert.equal(double.sent, ["a b", "\u200b/ban alice QUIT", "\u200b.me x"]);
    assert.equal(double.replies, ["abc-1", "", ""]);
  });
});

test("what Twitch refuses says what is to be done", async () => {
  await withAccount({}, async ({ double, channel }) => {
    const code = async (to = "#streamer"): Promise<unknown> =>
      channel.send({ to }, { text: "x" }, sending).then(
        () => "sent",
        (error: unknown) => Failure.from(error).code,
      );
    for (const [id, expected] of [
      ["msg_ratelimit", "rate-limited"],
      ["msg_duplicate", "rate-limited"],
      ["msg_banned", "forbidden"],
    ] as const) {
      double.refuse(id);
      assert.is(await code(), expected);
    }
    assert.is(await code(), "sent");
    assert.is(await code("#elsewhere"), "not-found");
  });
});

test("there are never more than 20 messages in 30 seconds", async () => {
  await withAccount({}, async ({ double, scripted, channel }) => {
    await scripted.clock.advance(60_000);
    const all = Array.from({ length: 30 }, (_, each) =>
      channel.send({ to: "#streamer" }, { text: `m${each}` }, sending),
    );
    await scripted.clock.advance(29_999);
    assert.ok(double.sent.length >= 10 && double.sent.length <= 20, `${double.sent.length}`);
    await scripted.clock.advance(60_000);
    await Promise.all(all);
    assert.is(double.sent.length, 30);
  });
});

test("Twitch is called again when it asks for it", async () => {
  await withAccount({}, async ({ double, scripted }) => {
    double.line(":tmi.twitch.tv RECONNECT");
    await scripted.clock.advance(10_000);
    assert.is(double.connections, 2);
    assert.is(scripted.states.at(-1)?.state, "ready");
  });
});

test("a token that ran out is renewed, kept before it is used, and found again", async () => {
  const double = twitchDouble();
  double.tokens = ["tok2", "tok3", "tok4"];
  double.refresh = ["refresh1", "refresh2", "refresh3"];
  let kept: Readonly<Record<string, string>> = {};
  await withAccount(
    renewing,
    async ({ scripted }) => {
      assert.is(scripted.states.at(-1)?.state, "ready");
      kept = Object.fromEntries(scripted.kept);
    },
    { double },
  );
  double.connections = 0;
  await withAccount(
    renewing,
    async ({ scripted }) => {
      assert.is(scripted.states.at(-1)?.state, "ready");
      assert.is(double.connections, 1);
      // It runs out once more.
      double.tokens = double.tokens.slice(1);
      double.tokens.unshift("none");
      double.drop();
      await scripted.clock.advance(30_000);
      assert.is(scripted.states.at(-1)?.state, "ready");
      assert.not.ok(JSON.stringify([scripted.log, scripted.states]).match(/tok\d|refresh\d|sesame/));
    },
    { double, kept },
  );
});

test("a token that cannot be renewed is for a person to put right, and a new one in the settings counts at once", async () => {
  const kept = { token: JSON.stringify({ of: "other settings", accessToken: "old", refreshToken: "old" }) };
  await withAccount(renewing, async ({ scripted }) => assert.is(scripted.states.at(-1)?.state, "ready"), { kept });
  for (const settings of [basic, renewing]) {
    const double = twitchDouble();
    double.tokens = ["another"];
    await withAccount(settings, async ({ scripted }) => assert.is(scripted.states.at(-1)?.state, "failed"), { double });
  }
});

test("a channel that there is not is told of, and tried again", async () => {
  const double = twitchDouble();
  double.closed = true;
  await withAccount(
    {},
    async ({ scripted }) => {
      await scripted.clock.advance(21_000);
      const last = scripted.states.at(-1);
      assert.match(last?.state === "connecting" ? (last.reason ?? "") : "", "is there such a channel?");
      double.closed = false;
      await scripted.clock.advance(60_000);
      assert.is(scripted.states.at(-1)?.state, "ready");
    },
    { double },
  );
});

test("a new token that is refused as well is not renewed for ever", async () => {
  const double = twitchDouble();
  double.tokens = ["tok2", "tok3", "tok4"];
  double.refresh = ["refresh1", "refresh2", "refresh3"];
  const scripted = scriptedContext({
    ...double.reached,
    answer: () => Response.json({ access_token: "never", refresh_token: "good" }),
  });
  const channel = await twitch.open(v.parse(twitch.settings, renewing), scripted.context);
  await scripted.clock.advance(30_000);
  assert.is(scripted.states.at(-1)?.state, "failed");
  assert.is(scripted.requests.length, 1);
  await channel.close();
});

test("recipients are channels, and what is none is refused", () => {
  assert.equal(twitch.target("twitch:channel:Streamer"), { to: "#streamer" });
  for (const wrong of ["", "#a b", "a\r\nQUIT", "x".repeat(30)])
    assert.throws(
      () => twitch.target(wrong),
      (error: unknown) => Failure.from(error).code === "invalid-request",
    );
  assert.not.ok(v.safeParse(twitch.settings, { ...basic, accessToken: "a\r\nQUIT" }).success);
});

test.run();
