import { test } from "uvu";
import * as assert from "uvu/assert";
import * as v from "valibot";
import { configSchema } from "../../src/config/schema.ts";
import { routeOf, type Origin, type RouteRules } from "../../src/session/route.ts";

const bob: Origin = { channel: "telegram", peer: { kind: "direct", id: "1" } };

function rules(session: unknown = {}, bindings?: unknown): RouteRules {
  const config = v.parse(configSchema, { session, ...(bindings === undefined ? {} : { bindings }) });
  return { session: config.session, bindings: config.bindings, agents: ["main", "work", "fun"] };
}

function keyOf(origin: Origin, session: unknown = {}): string {
  return routeOf(origin, rules(session)).sessionKey;
}

test("direct messages go to the session of their scope", () => {
  const origin = { ...bob, accountId: "second" };
  assert.equal(routeOf(origin, rules()), {
    agentId: "main",
    sessionKey: "agent:main:main",
    kind: "direct",
    chatType: "direct",
  });
  assert.is(keyOf(origin, { mainKey: "Home" }), "agent:main:home");
  assert.is(keyOf(origin, { dmScope: "per-peer" }), "agent:main:direct:1");
  assert.is(keyOf(origin, { dmScope: "per-channel-peer" }), "agent:main:telegram:direct:1");
  assert.is(keyOf(origin, { dmScope: "per-account-channel-peer" }), "agent:main:telegram:second:direct:1");
  assert.is(keyOf(bob, { dmScope: "per-account-channel-peer" }), "agent:main:telegram:default:direct:1");
});

test("groups, channels, threads and topics have sessions of their own, whatever the scope of direct messages", () => {
  const group: Origin = { channel: "telegram", peer: { kind: "group", id: "-100" } };
  assert.equal(routeOf(group, rules()), {
    agentId: "main",
    sessionKey: "agent:main:telegram:group:-100",
    kind: "group",
    chatType: "group",
  });
  assert.is(keyOf({ ...group, thread: { kind: "topic", id: "7" } }), "agent:main:telegram:group:-100:topic:7");
  const channel: Origin = { channel: "slack", peer: { kind: "channel", id: "C1" }, ignoreCase: true };
  assert.equal(routeOf(channel, rules()), {
    agentId: "main",
    sessionKey: "agent:main:slack:channel:c1",
    kind: "group",
    chatType: "channel",
  });
  assert.is(keyOf({ ...channel, thread: { kind: "thread", id: "17.5" } }), "agent:main:slack:channel:c1:thread:17.5");
});

test("a thread in a direct chat belongs to that chat", () => {
  const origin: Origin = { ...bob, thread: { kind: "thread", id: "9" } };
  assert.is(keyOf(origin), "agent:main:main");
  assert.is(keyOf(origin, { dmScope: "per-peer" }), "agent:main:direct:1");
});

test("with the global scope there is one session", () => {
  const bindings = [{ agentId: "work", match: { channel: "telegram" } }];
  assert.equal(routeOf(bob, rules({ scope: "global", dmScope: "per-peer" }, bindings)), {
    agentId: "work",
    sessionKey: "global",
    kind: "global",
    chatType: "direct",
  });
});

test("a person on several networks has one session, and others keep their own", () => {
  const session = { dmScope: "per-peer", identityLinks: { Alice: ["telegram:1", "slack:U1"], bob: ["irc:bob"] } };
  assert.is(keyOf(bob, session), "agent:main:direct:alice");
  const slack: Origin = { channel: "slack", peer: { kind: "direct", id: "u1" }, ignoreCase: true };
  assert.is(keyOf(slack, session), "agent:main:direct:alice");
  assert.is(keyOf({ ...slack, ignoreCase: false }, session), "agent:main:direct:u1");
  assert.is(keyOf({ ...bob, channel: "irc" }, session), "agent:main:direct:1");
  assert.is(keyOf(bob, { ...session, dmScope: "per-channel-peer" }), "agent:main:telegram:direct:alice");
});

test("threat L nobody gets into a person's session by calling himself so", () => {
  const session = { dmScope: "per-peer", identityLinks: { alice: ["telegram:1"], "": ["telegram:2"] } };
  const alice = keyOf(bob, session);
  for (const id of ["alice", "Alice", "ALICE", "^-alice", "%61lice", "alice ", "telegram:1"])
    assert.is.not(keyOf({ channel: "irc", peer: { kind: "direct", id } }, session), alice, id);
  const kelvin: Origin = { channel: "irc", peer: { kind: "direct", id: "mi\u212ae" }, ignoreCase: true };
  assert.is.not(keyOf(kelvin, session), keyOf({ ...kelvin, peer: { kind: "direct", id: "mike" } }, session));
  assert.is(keyOf({ ...bob, peer: { kind: "direct", id: "2" } }, session), "agent:main:direct:2");
});

test("the narrowest binding decides, the first one of its tier", () => {
  const match = { channel: "discord" };
  const bindings = [
    { agentId: "main", match: { ...match, accountId: "*" } },
    { agentId: "fun", match },
    { agentId: "work", match },
    { agentId: "main", match: { ...match, teamId: "t" } },
    { agentId: "work", match: { ...match, guildId: "g" } },
    { agentId: "fun", match: { ...match, peer: { kind: "group", id: "9" } } },
    { agentId: "main", match: { ...match, peer: { kind: "dm", id: "9" } } },
  ];
  const agent = (origin: Partial<Origin>) =>
    routeOf({ channel: "discord", peer: { kind: "group", id: "1" }, ...origin }, rules({}, bindings)).agentId;
  assert.is(agent({}), "fun");
  assert.is(agent({ accountId: "second" }), "main");
  assert.is(agent({ teamId: "t" }), "main");
  assert.is(agent({ teamId: "t", guildId: "g" }), "work");
  assert.is(agent({ guildId: "g", peer: { kind: "group", id: "9" } }), "fun");
  assert.is(agent({ guildId: "g", peer: { kind: "direct", id: "9" } }), "main");
  assert.is(agent({ channel: "irc" }), "main");
});

test("a binding holds with everything that it names", () => {
  const bindings = [
    { agentId: "work", match: { channel: "discord", guildId: "g", peer: { kind: "channel", id: "C" } } },
    { agentId: "fun", match: { channel: "discord", accountId: "a", guildId: "g" } },
  ];
  const agent = (origin: Partial<Origin>) =>
    routeOf({ channel: "discord", peer: { kind: "channel", id: "C" }, ...origin }, rules({}, bindings)).agentId;
  assert.is(agent({ guildId: "g" }), "work");
  assert.is(agent({ guildId: "other" }), "main");
  assert.is(agent({ guildId: "g", accountId: "a" }), "fun");
  assert.is(agent({ guildId: "g", peer: { kind: "channel", id: "c" } }), "main");
  assert.is(agent({ guildId: "G", peer: { kind: "channel", id: "c" }, ignoreCase: true }), "work");
});

test("threat K a binding without an agent, without a channel or with a blank id binds nothing", () => {
  const match = { channel: "telegram" };
  for (const bindings of [
    "x",
    {},
    [null, 1, []],
    [{ agentId: "", match }],
    [{ agentId: "nobody", match }],
    [{ agentId: "work" }],
    [{ agentId: "work", match: {} }],
    [{ agentId: "work", match: { channel: "*" } }],
    [{ agentId: "work", match: { ...match, accountId: "" } }],
    [{ agentId: "work", match: { ...match, guildId: "" } }],
    [{ agentId: "work", match: { ...match, peer: {} } }],
    [{ agentId: "work", match: { ...match, peer: "1" } }],
  ])
    assert.is(routeOf({ ...bob, guildId: "" }, rules({}, bindings)).agentId, "main", JSON.stringify(bindings));
});

test("threat K hostile ids make no key of another kind, and no two places one key", () => {
  const ids = [
    "1",
    "direct",
    "group:1",
    "1:thread:2",
    "main",
    "direct:1",
    "x:direct:1",
    "A",
    "a",
    "%3a",
    "^a",
    "\u0000",
  ];
  const kinds = ["direct", "group", "channel"] as const;
  const scopes = ["per-peer", "per-channel-peer", "per-account-channel-peer"];
  const threads = [undefined, ...["2", "topic", "2:thread:3"].map((id) => ({ kind: "thread" as const, id }))];
  for (const dmScope of scopes) {
    const seen = new Map<string, string>();
    for (const id of ids)
      for (const kind of kinds)
        for (const accountId of ["default", "direct", "group", "a:b"])
          for (const thread of kind === "direct" ? [undefined] : threads) {
            const where = dmScope === "per-account-channel-peer" && kind === "direct" ? accountId : "";
            const place = JSON.stringify([id, kind, where, thread]);
            const key = keyOf({ channel: "x", accountId, peer: { kind, id }, thread }, { dmScope });
            assert.is(seen.get(key) ?? place, place, key);
            seen.set(key, place);
            assert.is(key, key.toLowerCase());
          }
  }
});

test("threat L blank and endless ids are refused, not shortened", () => {
  const to = (id: string) => () => keyOf({ ...bob, peer: { kind: "direct", id } }, { dmScope: "per-peer" });
  assert.throws(to(""), /blank/);
  assert.throws(to("   "), /blank/);
  assert.throws(to("x".repeat(500)), /too long/);
  assert.throws(to("ä".repeat(90)), /too long/);
  assert.throws(() => keyOf({ ...bob, accountId: " " }), /blank/);
  assert.throws(
    () => keyOf({ channel: "x", peer: { kind: "group", id: "1" }, thread: { kind: "topic", id: "" } }),
    /blank/,
  );
  for (const channel of ["", "a:b", "Telegram", "a b"]) assert.throws(() => keyOf({ ...bob, channel }), /no name/);
});

test.run();
