import { test } from "uvu";
import * as assert from "uvu/assert";
import * as v from "valibot";
import type { Channel } from "../../src/channels/channel.ts";
import { irc } from "../../src/channels/irc.ts";
import { Failure } from "../../src/kit/error.ts";
import { channelContract } from "../contract/channel.ts";
import { scriptedContext, type ScriptedContext } from "../support/channel-context.ts";
import { settle } from "../support/fake-clock.ts";
import { ircServer, type IrcServer, type IrcServerOptions } from "../support/networks/irc.ts";

const modern = "message-tags server-time account-tag sasl=PLAIN,EXTERNAL";
const basic = { host: "irc.example.net", nick: "clawbot", channels: ["#room"] };

channelContract("irc", {
  kind: async () => irc,
  network() {
    const server = ircServer({ caps: modern, password: "pass word", others: { alice: "alice" } });
    return {
      reached: server.reached,
      problems: server.problems,
      settings: { ...basic, password: "pass word" },
      recipient: "#room",
      get sent() {
        return server.sent.map(({ text }) => text);
      },
      write: (text) => server.whenThere(() => server.say("alice", "clawbot", text, "msgid=m1")),
      revoke: () => server.revoke(),
      drop: () => server.drop(),
    };
  },
});

interface Opened {
  readonly server: IrcServer;
  readonly scripted: ScriptedContext;
  readonly channel: Channel;
}

/** An account that is there; it is closed, and the server has nothing to complain of. */
async function withAccount(
  options: IrcServerOptions,
  settings: Readonly<Record<string, unknown>>,
  prove: (opened: Opened) => Promise<void>,
): Promise<void> {
  const server = ircServer(options);
  const scripted = scriptedContext(server.reached);
  const channel = await irc.open(v.parse(irc.settings, { ...basic, ...settings }), scripted.context);
  await scripted.clock.advance(100);
  try {
    await prove({ server, scripted, channel });
    assert.equal(server.problems, []);
  } finally {
    await channel.close();
  }
}

const failureOf = (error: unknown): Failure => Failure.from(error);
const sending = (key: string) => ({ key, signal: new AbortController().signal });

test("it signs in by SASL, with TLS and the port of TLS, and joins with keys", async () => {
  const account = { name: "claw", password: "s3cret" };
  const options = { caps: modern, account, keys: { "#locked": "sesame" } };
  const settings = { nickserv: { account: "claw", password: "s3cret" }, channels: ["#room", "#locked sesame"] };
  await withAccount(options, { ...settings, groups: { "#other": {}, "*": {} } }, async ({ server, scripted }) => {
    const [to] = server.connections;
    assert.equal([to?.hostname, to?.port, to?.tls], ["irc.example.net", 6697, true]);
    assert.equal([...server.joined].sort(), ["#locked", "#other", "#room"]);
    assert.not.ok(server.heard.some((line) => line.includes("IDENTIFY")));
    assert.equal(scripted.states.at(-1), { state: "ready", self: { id: "clawbot", name: "clawbot" } });
  });
});

test("a wrong password of the account is for a person to put right", async () => {
  const options = { caps: modern, account: { name: "clawbot", password: "right" } };
  await withAccount(options, { nickserv: { password: "wrong" } }, async ({ scripted }) => {
    assert.is(scripted.states.at(-1)?.state, "failed");
  });
});

test("a server without capabilities is spoken to as well, and our account goes to its services", async () => {
  const account = { name: "clawbot", password: "s3cret" };
  await withAccount({ account }, { tls: false, nickserv: { password: "s3cret" } }, async ({ server }) => {
    assert.is(server.connections[0]?.port, 6667);
    assert.ok(server.heard.includes("PRIVMSG NickServ :IDENTIFY clawbot s3cret"));
    assert.ok(server.joined.has("#room"));
  });
});

test("a nick that is taken is got back from who has it", async () => {
  const options = { account: { name: "clawbot", password: "s3cret" }, others: { clawbot: undefined } };
  await withAccount(options, { nickserv: { password: "s3cret" } }, async ({ server, scripted }) => {
    assert.ok(server.heard.includes("NICK clawbot_"));
    await scripted.clock.advance(20_000);
    assert.is(server.nick, "clawbot");
  });
});

test("without services a nick that is taken is taken back as soon as it is free", async () => {
  await withAccount({ others: { clawbot: undefined } }, {}, async ({ server, scripted }) => {
    await scripted.clock.advance(90_000);
    assert.is(server.nick, "clawbot_");
    server.release("clawbot");
    await scripted.clock.advance(90_000);
    assert.is(server.nick, "clawbot");
    server.say("alice", "#room", "clawbot: hello");
    await settle();
    assert.is(scripted.received[0]?.mentioned, true);
  });
});

test("threat L: who is logged in is known by the account, anybody else by nick and host together", async () => {
  await withAccount({ caps: modern, others: { Alice: "Alice" } }, {}, async ({ server, scripted }) => {
    server.say("Alice", "clawbot", "it is me");
    server.say("Alice2!u@evil.example", "clawbot", "me too");
    server.say("account:alice!u@evil.example", "clawbot", "and me");
    server.say("Alice!u@evil.example", "clawbot", "no account", "account=");
    await settle();
    const ids = scripted.received.map(({ sender }) => sender.id);
    assert.equal(ids.slice(0, 3), ["account:alice", "alice2!u@evil.example", "account:alice!u@evil.example"]);
    assert.equal(scripted.received[0]?.sender.aliases, ["alice!u@host.example"]);
    assert.is(scripted.received[0]?.peer.id, "account:alice");
    assert.equal(scripted.received[0]?.to, { to: "Alice" });
  });
});

test("threat L: a bare nick counts only where the settings say so", async () => {
  const aliases = async (settings: object): Promise<readonly string[]> => {
    let found: readonly string[] = [];
    await withAccount({}, { ...settings }, async ({ server, scripted }) => {
      server.say("Bob", "clawbot", "hello");
      await settle();
      found = scripted.received[0]?.sender.aliases ?? [];
    });
    return found;
  };
  assert.equal(await aliases({}), ["bob!u@host.example"]);
  assert.equal(await aliases({ dangerouslyAllowNameMatching: true }), ["bob!u@host.example", "bob"]);
});

test("names are folded as the server folds them", async () => {
  const settings = { allowFrom: ["Al[ice]!u@host"], groups: { "#Room[1]": { requireMention: false } } };
  await withAccount({}, settings, async ({ server, scripted, channel }) => {
    server.say("al{ICE}!u@HOST", "#ROOM{1}", "hello");
    await settle();
    const [message] = scripted.received;
    assert.equal(channel.policy?.direct.allowFrom, [message?.sender.id]);
    assert.equal(Object.keys(channel.policy?.groups.rooms ?? {}), [message?.peer.id]);
  });
});

test("we are mentioned by our nick as a word, and by nothing that only has it inside", async () => {
  await withAccount({}, {}, async ({ server, scripted }) => {
    const texts = ["clawbot: hi", "hi CLAWBOT!", "(clawbot)", "clawbots", "clawbot_", "my-clawbot", "nothing"];
    for (const text of texts) server.say("alice", "#room", text);
    await settle();
    assert.equal(
      scripted.received.map(({ mentioned }) => mentioned),
      [true, true, true, false, false, false, false],
    );
    assert.equal(scripted.received[0]?.peer, { kind: "channel", id: "#room", name: "#room" });
  });
});

test("what people do is shown, and requests between programs, notices, our own words and garbage are not", async () => {
  await withAccount({}, {}, async ({ server, scripted }) => {
    server.say("alice", "#room", "\x01ACTION waves\x01");
    server.say("alice", "clawbot", "\x01VERSION\x01");
    server.say("clawbot", "#room", "an echo");
    server.say("alice", "somebody-else", "not for us");
    server.line(":alice!u@host NOTICE clawbot :do not answer\r\n");
    server.line(":irc.test PRIVMSG clawbot :a server speaks\r\n");
    server.line(":alice!u@host PRIVMSG\r\n");
    server.line(new Uint8Array([0x3a, 0xff, 0xfe, 0x0d, 0x0a, 0x00, 0x0a]));
    server.say("alice", "#room", "\x0304red\x03 text");
    await settle();
    assert.equal(
      scripted.received.map(({ text }) => text),
      ["* alice waves", "red text"],
    );
    assert.is(scripted.states.at(-1)?.state, "ready");
  });
});

test("a message has the id and time that the server gives it, and the same ones when it is repeated", async () => {
  await withAccount({ caps: modern, others: { alice: undefined } }, {}, async ({ server, scripted }) => {
    server.say("alice", "clawbot", "one", "msgid=abc;time=2026-01-02T03:04:05.678Z");
    server.say("alice", "clawbot", "two", "time=2026-01-02T03:04:06.000Z");
    server.say("alice", "clawbot", "two", "time=2026-01-02T03:04:06.000Z");
    server.say("alice", "clawbot", "two");
    await settle();
    const [one, two, again, later] = scripted.received;
    assert.equal([one?.id, one?.at], ["abc", Date.UTC(2026, 0, 2, 3, 4, 5, 678)]);
    assert.is(again?.id, two?.id);
    assert.is.not(later?.id, two?.id);
  });
});

test("a long answer goes in lines that a server takes, no faster than it takes them", async () => {
  await withAccount({}, {}, async ({ server, scripted, channel }) => {
    await scripted.clock.advance(30_000);
    const text = `**Bold** words\nand ${"ü😀 ".repeat(400)}`;
    const sent = channel.send(irc.target("#room"), { text }, sending("k"));
    await scripted.clock.advance(1000);
    const soon = server.sent.length;
    assert.ok(soon >= 2 && soon <= 5, `${soon} lines at once`);
    await scripted.clock.advance(60_000);
    await sent;
    assert.is(server.sent[0]?.text, "Bold words");
    assert.is(
      server.sent
        .slice(1)
        .map((line) => line.text)
        .join(" "),
      `and ${"ü😀 ".repeat(400)}`.trim(),
    );
  });
});

test("threat M: an answer says nothing to the server itself", async () => {
  await withAccount({}, {}, async ({ server, scripted, channel }) => {
    const text = "hello\r\nQUIT :bye\rNICK evil\n\0JOIN #evil\n\x01DCC SEND\x01";
    const sent = channel.send(irc.target("#room"), { text }, sending("k"));
    await scripted.clock.advance(20_000);
    await sent;
    assert.equal(
      server.sent.map((line) => line.text),
      ["hello", "QUIT :bye", "NICK evil", "JOIN #evil", "DCC SEND"],
    );
    assert.is(server.nick, "clawbot");
  });
});

test("what the server refuses is told as such", async () => {
  await withAccount({}, {}, async ({ scripted, channel }) => {
    for (const [to, code] of [
      ["#elsewhere", "forbidden"],
      ["nobody", "not-found"],
    ] as const) {
      const error = channel.send(irc.target(to), { text: "hello" }, sending(to)).then(() => undefined, failureOf);
      await scripted.clock.advance(10_000);
      assert.is((await error)?.code, code);
    }
    const sent = channel.send(irc.target("#room"), { text: "hello" }, sending("after"));
    await scripted.clock.advance(10_000);
    assert.ok((await sent).id);
  });
});

test("what was sent before the connection broke is not sent again with the rest", async () => {
  await withAccount({}, {}, async ({ server, scripted, channel }) => {
    await scripted.clock.advance(30_000);
    const text = Array.from({ length: 12 }, (_, each) => `line ${each}`).join("\n");
    const first = channel.send(irc.target("#room"), { text }, sending("k")).then(() => undefined, failureOf);
    await scripted.clock.advance(3000);
    server.drop();
    await scripted.clock.advance(20_000);
    assert.is((await first)?.code, "unavailable");
    const second = channel.send(irc.target("#room"), { text }, sending("k"));
    await scripted.clock.advance(60_000);
    await second;
    assert.is(server.sent.map((line) => line.text).join("\n"), text);
  });
});

test("a server that has gone without a word is found out, and called again", async () => {
  await withAccount({}, {}, async ({ server, scripted, channel }) => {
    server.deafen();
    const sent = channel.send(irc.target("#room"), { text: "hello" }, sending("k")).then(() => undefined, failureOf);
    await scripted.clock.advance(40_000);
    assert.is((await sent)?.code, "timeout");
    await scripted.clock.advance(120_000);
    assert.ok(server.connections.length >= 2);
  });
});

test("a channel that we were put out of is joined again", async () => {
  await withAccount({}, {}, async ({ server, scripted }) => {
    server.line(":op!o@host KICK #ROOM clawbot :out\r\n");
    await scripted.clock.advance(70_000);
    assert.is(server.heard.filter((line) => line === "JOIN #room").length, 2);
  });
});

test("recipients are written in several ways, and what is none is refused", () => {
  for (const [written, to] of [
    ["#room", "#room"],
    ["irc:channel:#room", "#room"],
    ["user:alice", "alice"],
    ["bob", "bob"],
  ])
    assert.equal(irc.target(written ?? ""), { to });
  for (const written of ["", "#", "a b", "#a,#b", "alice,bob", "a!b@c", "$*", "*.example", "a\r\nQUIT", "#a\x07"])
    assert.throws(
      () => irc.target(written),
      (error: unknown) => Failure.from(error).code === "invalid-request",
    );
});

test("settings that cannot work are said to be so", async () => {
  const { context } = scriptedContext();
  const opened = irc.open(v.parse(irc.settings, { nick: "x" }), context).then(() => undefined, failureOf);
  assert.is((await opened)?.code, "config");
  for (const wrong of [
    { nick: "a b" },
    { password: "a\r\nQUIT" },
    { channels: ["room"] },
    { channels: ["#a\rb"] },
    { realname: "a\nb" },
  ])
    assert.not.ok(v.safeParse(irc.settings, { ...basic, ...wrong }).success, JSON.stringify(wrong));
});

test.run();
