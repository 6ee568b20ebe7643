import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Inbound } from "../../src/channels/channel.ts";
import type { Policy, RoomPolicy } from "../../src/channels/channel-policy.ts";
import { admit, type Grounds, ownersIn, type Standing, type Verdict } from "../../src/flow/admit.ts";
import { random } from "../config/random.ts";

const closed: Policy = {
  direct: { policy: "pairing", allowFrom: [] },
  groups: { policy: "allowlist", allowFrom: [], rooms: {}, requireMention: true, historyLimit: 50 },
  allowBots: false,
};

function policyWith(more: { direct?: Partial<Policy["direct"]>; groups?: Partial<Policy["groups"]> } = {}): Policy {
  return { ...closed, direct: { ...closed.direct, ...more.direct }, groups: { ...closed.groups, ...more.groups } };
}

function from(sender: Partial<Inbound["sender"]> = {}, more: Partial<Inbound> = {}): Inbound {
  return {
    id: "m1",
    peer: { kind: "direct", id: "1" },
    sender: { id: "1", ...sender },
    text: "hello",
    mentioned: false,
    to: { to: "1" },
    at: 0,
    ...more,
  };
}

const group = { kind: "group", id: "-100" } as const;
const inGroup = (sender: Partial<Inbound["sender"]> = {}, more: Partial<Inbound> = {}): Inbound =>
  from(sender, { peer: group, mentioned: true, ...more });

function grounds(policy: Policy, more: Partial<Grounds> = {}): Grounds {
  return { policy, ignoreCase: false, paired: new Set(), owners: [], called: false, ...more };
}

/** The verdict in a word: the standing, the reason, or `pair`. */
function word(verdict: Verdict): string {
  return verdict.kind === "accept" ? verdict.standing : verdict.kind === "ignore" ? verdict.reason : "pair";
}

const judge = (message: Inbound, policy: Policy = closed, more: Partial<Grounds> = {}): string =>
  word(admit(message, grounds(policy, more)));

test("what we and other programs wrote is not answered, whoever it is", () => {
  const open = policyWith({ direct: { policy: "open", allowFrom: ["*", "1"] }, groups: { policy: "open" } });
  for (const make of [from, inGroup]) {
    assert.is(judge(make({ isSelf: true }), open), "own");
    assert.is(judge(make({ isBot: true }), open), "bot");
    assert.is(judge(make({ isBot: true }), { ...open, allowBots: true }), "trusted");
    assert.is(judge(make({ isSelf: true, isBot: true }), { ...open, allowBots: true }), "own");
  }
});

test("the four policies of direct messages", () => {
  const verdicts = (allowFrom: readonly string[], paired: readonly string[] = []): readonly string[] =>
    (["pairing", "allowlist", "open", "disabled"] as const).map((policy) =>
      judge(from(), policyWith({ direct: { policy, allowFrom } }), { paired: new Set(paired) }),
    );
  const no = "sender-not-listed";
  assert.equal(verdicts([]), ["pair", no, no, "direct-disabled"]);
  assert.equal(verdicts(["1"]), ["trusted", "trusted", "trusted", "direct-disabled"]);
  assert.equal(verdicts(["*"]), ["guest", "guest", "guest", "direct-disabled"]);
  assert.equal(verdicts(["*", "1"]), ["trusted", "trusted", "trusted", "direct-disabled"]);
  // A list is a list: who was let in by a code is not on it.
  assert.equal(verdicts([], ["1"]), ["trusted", no, "trusted", "direct-disabled"]);
  assert.equal(verdicts(["2", "12", "", " 1"], ["11"]), ["pair", no, no, "direct-disabled"]);
});

test("open counts with * alone", () => {
  assert.is(judge(from(), policyWith({ direct: { policy: "open" } })), "sender-not-listed");
  assert.is(judge(from(), policyWith({ direct: { policy: "open", allowFrom: ["*"] } })), "guest");
});

test("a program that is not let in is not told a code", () => {
  assert.is(judge(from({ isBot: true }), { ...closed, allowBots: true }), "sender-not-listed");
});

test("a list may name another lasting id of the sender", () => {
  const policy = policyWith({ direct: { allowFrom: ["+15550001"] } });
  assert.is(judge(from({ id: "uuid-1", aliases: ["+15550001"] }), policy), "trusted");
  assert.is(judge(from({ id: "uuid-1" }), policy, { paired: new Set(["uuid-1"]) }), "trusted");
  assert.is(judge(from({ id: "uuid-1", aliases: ["+1555000"] }), policy), "pair");
});

test("a list may name a role, which the network vouches for, and which makes nobody an owner", () => {
  const moderator = { id: "7", aliases: ["role:moderator"] };
  const rooms = { "-100": { allowFrom: ["role:moderator"] } };
  const policy = policyWith({ groups: { rooms } });
  assert.is(judge(inGroup(moderator), policy), "guest");
  assert.is(judge(inGroup(moderator), policy, { owners: ["role:moderator"] }), "guest");
  assert.is(judge(inGroup({ id: "7" }), policy), "sender-not-listed");
  // Nobody is a role by his own id.
  assert.is(judge(inGroup({ id: "role:moderator" }), policy), "sender-not-listed");
});

test("threat L names decide nothing, and neither do blank ids, everybody's id, or a group's id as a person", () => {
  const all = ["@ada", "", " ", "*", "-100", "group:5", "120@g.us"];
  const named = [...all.filter((id) => id !== "*"), "Ada"];
  const listed = policyWith({ direct: { allowFrom: named }, groups: { policy: "open", allowFrom: named } });
  for (const id of all) assert.is(judge(from({ id, name: "Ada" }), listed), "pair", id);
  assert.is(judge(from({ id: "7", name: "Ada" }), listed), "pair");
  for (const id of all) assert.is(judge(inGroup({ id, name: "Ada" }), listed), "sender-not-listed", id);
  for (const id of all)
    assert.is(judge(from({ id: "7", aliases: [id] }), listed, { owners: all, paired: new Set(all) }), "pair");
});

test("threat L in a group nobody has the group's own id", () => {
  const rooms = { C1: { allowFrom: ["C1", "U1"] } };
  const policy = policyWith({ groups: { rooms } });
  const room = { kind: "channel", id: "C1" } as const;
  assert.is(judge(inGroup({ id: "C1" }, { peer: room }), policy), "sender-not-listed");
  assert.is(judge(inGroup({ id: "U1" }, { peer: room }), policy), "guest");
});

test("capitals of ASCII are the same where the network says so, and no other letters", () => {
  const policy = policyWith({ direct: { allowFrom: ["Ada", "Ärger"] }, groups: { rooms: { "#Main": {} } } });
  const ignoreCase = { ignoreCase: true };
  assert.equal(
    ["ada", "ADA", "ärger", "ÄRGER"].map((id) => judge(from({ id }), policy, ignoreCase)),
    ["trusted", "trusted", "pair", "trusted"],
  );
  assert.is(judge(from({ id: "ada" }), policy), "pair");
  const room = { kind: "channel", id: "#MAIN" } as const;
  assert.is(judge(inGroup({}, { peer: room }), policy, ignoreCase), "guest");
  assert.is(judge(inGroup({}, { peer: room }), policy), "room-not-listed");
});

test("groups: the policy, then the room", () => {
  const rooms = { "-100": {}, "-200": { enabled: false } };
  const at = (policy: Policy["groups"]["policy"], given: Record<string, RoomPolicy>, id = "-100"): string =>
    judge(inGroup({}, { peer: { kind: "group", id } }), policyWith({ groups: { policy, rooms: given } }));
  assert.is(at("disabled", rooms), "groups-disabled");
  assert.is(at("allowlist", rooms), "guest");
  assert.is(at("allowlist", rooms, "-300"), "room-not-listed");
  assert.is(at("allowlist", rooms, "-200"), "room-disabled");
  assert.is(at("allowlist", { ...rooms, "*": {} }, "-300"), "guest");
  // What a room says holds in place of what holds for all others.
  assert.is(at("allowlist", { ...rooms, "*": { enabled: false } }), "guest");
  assert.is(at("open", {}, "-300"), "guest");
  assert.is(at("open", rooms, "-200"), "room-disabled");
  assert.is(at("open", { "*": { enabled: false } }), "room-disabled");
  for (const id of ["__proto__", "constructor", "toString"]) assert.is(at("allowlist", rooms, id), "room-not-listed");
});

test("groups: whose messages count", () => {
  const at = (allowFrom: readonly string[], room: RoomPolicy, more: Partial<Inbound> = {}): string =>
    judge(inGroup({}, more), policyWith({ groups: { allowFrom, rooms: { "-100": room } } }));
  assert.is(at([], {}), "guest");
  assert.is(at(["2"], {}), "sender-not-listed");
  assert.is(at(["1"], {}), "guest");
  assert.is(at(["*"], {}), "guest");
  assert.is(at(["2"], { allowFrom: ["1"] }), "guest");
  assert.is(at(["1"], { allowFrom: ["2"] }), "sender-not-listed");
  assert.is(at(["1"], { allowFrom: [] }), "sender-not-listed");
  const topic = { thread: { kind: "topic", id: "7" } } as const;
  const topics = { "7": { allowFrom: ["1"] }, "8": { enabled: false } };
  assert.is(at([], { allowFrom: ["2"], topics }), "sender-not-listed");
  assert.is(at([], { allowFrom: ["2"], topics }, topic), "guest");
  assert.is(at([], { topics }, { thread: { kind: "topic", id: "8" } }), "room-disabled");
});

test("groups: who is known from direct messages is trusted, and is listed by it nowhere", () => {
  const policy = policyWith({ direct: { allowFrom: ["1"] }, groups: { rooms: { "-100": {} } } });
  assert.is(judge(inGroup(), policy), "trusted");
  assert.is(judge(inGroup({ id: "2" }), policy, { paired: new Set(["2"]) }), "trusted");
  assert.is(judge(inGroup({ id: "3" }), policy, { owners: ["3"] }), "owner");
  const narrow = policyWith({ direct: { allowFrom: ["1"] }, groups: { rooms: { "-100": {} }, allowFrom: ["9"] } });
  for (const id of ["1", "2", "3"])
    assert.is(judge(inGroup({ id }), narrow, { paired: new Set(["2"]), owners: ["3"] }), "sender-not-listed");
});

test("groups: we are to be called, as topic, room and network say in this order", () => {
  const unmentioned = (room: RoomPolicy, more: Partial<Inbound> = {}, ground: Partial<Grounds> = {}): string =>
    judge(
      inGroup({}, { mentioned: false, thread: { kind: "topic", id: "7" }, ...more }),
      policyWith({ groups: { rooms: { "-100": room } } }),
      ground,
    );
  assert.is(unmentioned({}), "not-called");
  assert.is(unmentioned({}, { mentioned: true }), "guest");
  assert.is(unmentioned({}, {}, { called: true }), "guest");
  assert.is(unmentioned({}, { command: true }), "guest");
  assert.is(unmentioned({ requireMention: false }), "guest");
  assert.is(unmentioned({ requireMention: false, topics: { "7": { requireMention: true } } }), "not-called");
  assert.is(unmentioned({ topics: { "7": { requireMention: false } } }), "guest");
  assert.is(unmentioned({ topics: { "8": { requireMention: false } } }), "not-called");
  assert.is(unmentioned({}, {}, { activation: "always" }), "guest");
  assert.is(unmentioned({ requireMention: false }, {}, { activation: "mention" }), "not-called");
});

test("a command needs no mention, from those who may give it; from others it is ignored", () => {
  const policy = policyWith({ direct: { allowFrom: ["1"] }, groups: { rooms: { "-100": {} } } });
  const given = (id: string, command: Standing, make = inGroup): string =>
    judge(make({ id }, { mentioned: false }), policy, { command, owners: ["3"] });
  assert.is(given("1", "trusted"), "trusted");
  assert.is(given("1", "owner"), "command-not-allowed");
  assert.is(given("2", "trusted"), "command-not-allowed");
  assert.is(given("2", "guest"), "guest");
  assert.is(given("3", "owner"), "owner");
  const open = policyWith({ direct: { policy: "open", allowFrom: ["*"] } });
  assert.is(judge(from(), open, { command: "guest" }), "guest");
  assert.is(judge(from(), open, { command: "trusted" }), "command-not-allowed");
  assert.is(judge(from(), open, { command: "owner", owners: ["1"] }), "owner");
});

test("threat F who may not give a command may not by mentioning us or by the network's menu either", () => {
  const policy = policyWith({ groups: { rooms: { "-100": { requireMention: false } } } });
  for (const more of [{ mentioned: true }, { command: true }])
    assert.is(judge(inGroup({}, more), policy, { command: "trusted", called: true }), "command-not-allowed");
});

test("an owner is let in nowhere by that alone", () => {
  assert.is(judge(from(), closed, { owners: ["1"] }), "pair");
  assert.is(
    judge(from(), policyWith({ direct: { policy: "allowlist" } }), { owners: ["1", "*"] }),
    "sender-not-listed",
  );
});

test("what room and topic have the agent told", () => {
  const rooms = {
    "-100": { systemPrompt: "Be brief.", topics: { "7": { systemPrompt: "Be kind." }, "8": { systemPrompt: "  " } } },
  };
  const promptAt = (id: string | undefined): unknown => {
    const thread = id === undefined ? {} : { thread: { kind: "topic", id } as const };
    const verdict = admit(inGroup({}, thread), grounds(policyWith({ groups: { rooms } })));
    return verdict.kind === "accept" && verdict.prompt;
  };
  assert.is(promptAt(undefined), "Be brief.");
  assert.is(promptAt("7"), "Be brief.\n\nBe kind.");
  assert.is(promptAt("8"), "Be brief.");
});

test("owners are named with their network, or by an id alone", () => {
  const entries = ["telegram:123", "456", "@ada:example.org", " signal:+1555 ", "*", "", "discord:"];
  const isChannel = (name: string): boolean => ["telegram", "signal", "discord", "irc"].includes(name);
  assert.equal(ownersIn(entries, "telegram", isChannel), ["123", "456", "@ada:example.org", "*", "", "discord:"]);
  assert.equal(ownersIn(entries, "signal", isChannel), ["456", "@ada:example.org", "+1555", "*", "", "discord:"]);
  // Where people choose their ids themselves, nobody becomes `telegram:123`.
  assert.not.ok(ownersIn(entries, "irc", isChannel).includes("telegram:123"));
  const anybody = policyWith({ direct: { policy: "open", allowFrom: ["*"] } });
  for (const id of ["*", "", "discord:x"])
    assert.is(judge(from({ id }), anybody, { owners: ownersIn(entries, "telegram", isChannel) }), "guest");
});

test("nobody outside the lists is ever accepted but by a policy that is open in so many words", () => {
  const below = random(20_261_121);
  const pick = <T>(...values: readonly T[]): T => values[below(values.length)] as T;
  const ids = ["1", "2", "Ada", "ada", "*", "", "-100", "+15550001", "@ada", "@ada:example.org", "__proto__"];
  const some = (): string[] => ids.filter(() => below(4) === 0);
  const room = (): RoomPolicy => ({
    enabled: pick(undefined, true, false),
    requireMention: pick(undefined, true, false),
    allowFrom: pick(undefined, undefined, some()),
  });
  const accepted = { direct: 0, group: 0 };
  for (let turn = 0; turn < 20_000; turn++) {
    const rooms = Object.fromEntries(some().map((id) => [id, { ...room(), topics: pick({}, { "7": room() }) }]));
    const policy: Policy = {
      direct: { policy: pick("pairing", "allowlist", "open", "disabled"), allowFrom: some() },
      groups: {
        policy: pick("open", "allowlist", "disabled"),
        allowFrom: some(),
        rooms,
        requireMention: pick(true, false),
        historyLimit: 50,
      },
      allowBots: pick(true, false),
    };
    const paired = new Set(some());
    const sender = {
      id: pick(...ids),
      name: pick("Ada", "1"),
      aliases: pick(undefined, some()),
      isBot: pick(true, false, false),
      isSelf: pick(true, false, false, false),
    };
    const thread = pick(undefined, { kind: "topic", id: "7" } as const);
    const peer = { kind: pick("direct", "group", "channel"), id: pick(...ids, "-300") } as const;
    const message = from(sender, { peer, thread, mentioned: pick(true, false), command: pick(true, false, undefined) });
    const ground = {
      ignoreCase: pick(true, false),
      paired,
      owners: some(),
      command: pick<Standing | undefined>(undefined, undefined, "guest", "trusted", "owner"),
      called: pick(true, false),
      activation: pick<Grounds["activation"]>(undefined, "mention", "always"),
    };
    const verdict = admit(message, grounds(policy, ground));
    if (verdict.kind !== "accept") continue;
    const fold = (id: string): string => (ground.ignoreCase ? id.toLowerCase() : id);
    const people = [sender.id, ...(sender.aliases ?? [])].filter((id) => /^([\w+]+|@ada:example\.org)$/.test(id));
    const listed = (list: Iterable<string> = []): boolean =>
      [...list].some((entry) => people.some((id) => fold(id) === fold(entry)));
    const why = JSON.stringify({ policy, message, ground: { ...ground, paired: [...paired] } });
    assert.not.ok(sender.isSelf || (sender.isBot && !policy.allowBots), why);
    if (peer.kind === "direct") {
      accepted.direct++;
      const { policy: direct, allowFrom } = policy.direct;
      assert.is.not(direct, "disabled", why);
      assert.ok(listed(allowFrom) || allowFrom.includes("*") || (direct !== "allowlist" && listed(paired)), why);
    } else {
      accepted.group++;
      assert.is.not(policy.groups.policy, "disabled", why);
      const own = Object.entries(rooms).find(([id]) => fold(id) === fold(peer.id))?.[1] ?? rooms["*"];
      assert.ok(own ?? policy.groups.policy === "open", why);
      const allowFrom = (thread && own?.topics?.["7"]?.allowFrom) ?? own?.allowFrom ?? policy.groups.allowFrom;
      const everybody = allowFrom.includes("*") || (allowFrom === policy.groups.allowFrom && allowFrom.length === 0);
      assert.ok(everybody || listed(allowFrom), why);
    }
    if (verdict.standing === "owner") assert.ok(listed(ground.owners), why);
    if (verdict.standing === "trusted") assert.ok(listed(policy.direct.allowFrom) || listed(paired), why);
    if (ground.command === "owner") assert.is(verdict.standing, "owner", why);
    if (ground.command === "trusted") assert.is.not(verdict.standing, "guest", why);
  }
  // The search was one: both kinds were let in, and often.
  assert.ok(accepted.direct > 500 && accepted.group > 500, JSON.stringify(accepted));
});

test.run();
