import * as v from "valibot";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { ChannelContext, ChannelKind, Inbound } from "../../src/channels/channel.ts";
import type { ChannelEntry } from "../../src/channels/index.ts";
import { commonSettings, policyOf } from "../../src/channels/channel-policy.ts";
import type { Source } from "../../src/flow/intake.ts";
import { createNetworks, type Networks, type NetworksOptions } from "../../src/flow/networks.ts";
import { Failure } from "../../src/kit/error.ts";
import { createLogger, type LogRecord } from "../../src/kit/log.ts";
import { createMemoryStore } from "../../src/store/memory.ts";
import { failureOf } from "../support/doubles.ts";
import type { FakeClock } from "../support/fake-clock.ts";
import { scriptedHost, type ScriptedHost } from "../support/host.ts";
import { scriptedChannel } from "../support/scripted-channel.ts";

interface World {
  readonly networks: Networks;
  readonly host: ScriptedHost;
  readonly clock: FakeClock;
  readonly store: NetworksOptions["store"];
  readonly records: LogRecord[];
  readonly received: { readonly source: Source; readonly message: Inbound }[];
  readonly ready: string[];
  readonly fate: { refuse?: Error | undefined; closed?: Failure | undefined };
  /** How the accounts fare, a line each. */
  readonly states: () => readonly string[];
  readonly configure: (section: Readonly<Record<string, unknown>>) => void;
  /** Starts, and lets everything happen that needs no time. */
  readonly start: () => Promise<void>;
  readonly settle: () => Promise<void>;
}

function world(
  kinds: readonly ChannelEntry[],
  channels: Readonly<Record<string, unknown>>,
  environment: Readonly<Record<string, string>> = {},
): World {
  const host = scriptedHost();
  const { clock } = host;
  let section = channels;
  const records: LogRecord[] = [];
  const received: World["received"] = [];
  const ready: string[] = [];
  const fate: World["fate"] = {};
  const store = createMemoryStore();
  const networks = createNetworks({
    kinds,
    host,
    log: createLogger(() => clock.now(), [(record) => void records.push(record)]),
    store,
    fetch,
    random: () => 0,
    intake: {
      async receive(source, message) {
        if (fate.refuse) throw fate.refuse;
        received.push({ source, message });
      },
    },
    reserved: ["/health"],
    section: () => section,
    environment: () => environment,
    closed: () => fate.closed,
    ready: (channel, accountId) => void ready.push(`${channel}/${accountId}`),
    changed: () => undefined,
  });
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn++) await clock.advance(0);
  };
  return {
    networks,
    host,
    clock,
    store,
    records,
    received,
    ready,
    fate,
    settle,
    states: () =>
      networks.accounts().map(({ channel, accountId, connection }) => {
        const reason = connection && "reason" in connection ? connection.reason : undefined;
        return `${channel}/${accountId} ${connection?.state ?? "off"}${reason === undefined ? "" : `: ${reason}`}`;
      }),
    configure: (next) => void (section = next),
    async start() {
      networks.start();
      await settle();
    },
  };
}

const message: Inbound = {
  id: "1",
  peer: { kind: "direct", id: "alice" },
  sender: { id: "alice" },
  text: "hello",
  mentioned: false,
  to: { to: "alice" },
  at: 0,
};

/** A network whose opening the test decides. */
function networkOf(id: string, open: ChannelKind["open"], more: Partial<ChannelKind> = {}): ChannelEntry {
  const settings = v.looseObject({ ...commonSettings, token: v.string("a text in quotes") });
  const kind = {
    id,
    label: id.toUpperCase(),
    settings,
    credentials: [{ key: "token", file: "tokenFile", variable: `${id.toUpperCase()}_TOKEN`, help: "Ask its maker." }],
    abilities: { chats: ["direct"], media: false, reactions: false, edit: false, typing: false },
    policy: (given: unknown) => policyOf(v.parse(v.looseObject(commonSettings), given)),
    target: (to: string) => ({ to }),
    open,
    ...more,
  } as unknown as ChannelKind;
  return { id, label: kind.label, load: async () => kind };
}

const plainChannel = { maxText: 100, send: async () => ({ id: "1" }), close: async () => undefined };

function opensWell(seen: ChannelContext[] = []): ChannelKind["open"] {
  return async (_, context) => {
    seen.push(context);
    context.status({ state: "ready" });
    return plainChannel;
  };
}

test("accounts are the section's own and those it names, each with what it signs in with", async () => {
  const { entry } = scriptedChannel();
  const accounts = { work: { token: "b", name: "Office" }, idle: { token: "c", enabled: false }, bare: {} };
  const { networks, start, states, ready } = world([entry], { scripted: { token: "a", name: "Home", accounts } });
  await start();
  assert.equal(states(), [
    "scripted/default ready",
    "scripted/work ready",
    "scripted/idle off",
    "scripted/bare failed: channels.scripted.accounts.bare.token is missing: Any text.",
  ]);
  assert.equal(
    networks.accounts().map(({ name, enabled, configured }) => [name, enabled, configured]),
    [
      ["Home", true, true],
      ["Office", true, true],
      [undefined, false, true],
      [undefined, true, false],
    ],
  );
  assert.equal(ready, ["scripted/default", "scripted/work"]);
});

test("a section that only names accounts has no other", async () => {
  const { start, states } = world([scriptedChannel().entry], { scripted: { accounts: { work: { token: "b" } } } });
  await start();
  assert.equal(states(), ["scripted/work ready"]);
});

test("a variable signs the default account in and no other", async () => {
  const section = { scripted: { accounts: { default: {}, work: {} } } };
  const { start, states } = world([scriptedChannel().entry], section, { SCRIPTED_TOKEN: "secret-of-default" });
  await start();
  assert.match(states()[0] ?? "", /^scripted\/default ready$/);
  assert.match(states()[1] ?? "", /work failed: .*token is missing/);
});

test("a wrong value fails its account, saying where it is and what it is to be, never what it was", async () => {
  const accounts = { work: { token: "b", allowFrom: "secret-in-the-wrong-place" }, other: { token: "c" } };
  const { start, states, records } = world([scriptedChannel().entry], { scripted: { accounts }, elsewhere: {} });
  await start();
  assert.equal(states(), [
    "scripted/work failed: channels.scripted.accounts.work.allowFrom is wrong: expected a list of ids",
    "scripted/other ready",
  ]);
  assert.not.match(JSON.stringify(records), /secret-in-the-wrong-place/);
});

test("a network that there is not is told of once, with those that there are", async () => {
  const { start, networks, records } = world([scriptedChannel().entry], { tlon: { ship: "~zod" }, defaults: {} });
  await start();
  await networks.refresh();
  const warnings = records.filter(({ level }) => level === "warn");
  assert.is(warnings.length, 1);
  assert.match(warnings[0]?.message ?? "", /channels\.tlon/);
  assert.is(warnings[0]?.fields["known"], "scripted");
});

test("threat S a file with a secret is read when it is its owner's alone", async () => {
  const seen: unknown[] = [];
  const kind = networkOf("acme", async (settings, context) => {
    seen.push((settings as { token: string }).token);
    context.status({ state: "ready" });
    return plainChannel;
  });
  const { host, start, states, networks, settle } = world([kind], { acme: { tokenFile: "~/acme.token" } });
  await host.files.write("/home/me/acme.token", "from-the-file\n", { mode: 0o644 });
  await start();
  assert.equal(states(), [
    "acme/default failed: channels.acme.tokenFile: ~/acme.token may be read by others on this machine: chmod 600 ~/acme.token",
  ]);
  await host.files.chmod("/home/me/acme.token", 0o600);
  await networks.refresh();
  await settle();
  assert.equal(states(), ["acme/default ready"]);
  assert.equal(seen, ["from-the-file"]);
});

test("threat M an account's name that could be a path is no account", async () => {
  const { start, states, store } = world([scriptedChannel().entry], {
    scripted: { accounts: { "../../etc": { token: "a" }, Work: { token: "b" }, work: { token: "c" } } },
  });
  await start();
  assert.match(states()[0] ?? "", /failed: "\.\.\/\.\.\/etc" is not the id of an account/);
  assert.is(states()[1], "scripted/work ready");
  assert.match(states()[2] ?? "", /failed: .*the account work once more/);
  assert.equal(await store.keys(""), []);
});

test("an account that cannot be opened now is tried again, after waits that grow", async () => {
  let attempts = 0;
  const kind = networkOf("acme", async (settings, context) => {
    if (++attempts < 4) throw new Failure("unavailable", `attempt ${attempts} failed`);
    return opensWell()(settings, context);
  });
  const { start, states, clock, settle, ready } = world([kind], { acme: { token: "a" } });
  await start();
  assert.equal(states(), ["acme/default connecting: attempt 1 failed"]);
  for (const ms of [1000, 2000]) {
    await clock.advance(ms - 1);
    const before = attempts;
    await clock.advance(1);
    await settle();
    assert.is(attempts, before + 1);
  }
  await clock.advance(4000);
  await settle();
  assert.equal(states(), ["acme/default ready"]);
  assert.equal(ready, ["acme/default"]);
});

test("what only a person can help is not tried again, and concerns no other account", async () => {
  const { start, states, clock } = world([scriptedChannel().entry], {
    scripted: { token: "wrong", accounts: { work: { token: "right" } } },
  });
  await start();
  await clock.advance(3600_000);
  assert.equal(states(), ["scripted/default failed: the network does not know this token", "scripted/work ready"]);
});

test("a fault in a network's code fails its account, and people are not shown what broke", async () => {
  const throws: ChannelKind["open"] = () => {
    throw new TypeError("secret internals");
  };
  const broken: ChannelEntry = { id: "broken", label: "Broken", load: () => Promise.reject(new Error("no such file")) };
  const { start, states, networks } = world([networkOf("acme", throws), broken, scriptedChannel().entry], {
    acme: { token: "a" },
    broken: {},
    scripted: { token: "b" },
  });
  await start();
  const shown = states();
  assert.is(shown.length, 3);
  assert.match(shown[0] ?? "", /acme\/default failed: internal error/);
  assert.match(shown[1] ?? "", /broken\/default failed: internal error/);
  assert.is(shown[2], "scripted/default ready");
  assert.not.match(shown.join(), /secret internals/);
  await networks.close();
});

test("a refresh opens anew what changed, closes what is gone, and leaves the others alone", async () => {
  const seen: ChannelContext[] = [];
  const { start, networks, configure, settle, states } = world([networkOf("acme", opensWell(seen))], {
    acme: { accounts: { a: { token: "1" }, b: { token: "2" }, c: { token: "3" } } },
  });
  await start();
  configure({ acme: { accounts: { a: { token: "1" }, b: { token: "changed" }, d: { token: "4" } } } });
  await networks.refresh();
  await settle();
  assert.equal(states(), ["acme/a ready", "acme/b ready", "acme/d ready"]);
  assert.equal(
    seen.map(({ accountId, signal }) => `${accountId} ${signal.aborted ? "ended" : "runs"}`),
    ["a runs", "b ended", "c ended", "b runs", "d runs"],
  );
});

test("a message comes with its account's rules, and is refused while it cannot be taken", async () => {
  const seen: ChannelContext[] = [];
  const { start, received, fate, networks, clock } = world([networkOf("acme", opensWell(seen))], {
    acme: { token: "a", dmPolicy: "open", allowFrom: ["*"], mediaMaxMb: 2 },
  });
  await start();
  const [context] = seen;
  await context?.receive(message);
  const [first] = received;
  assert.is(first?.source.channel, "acme");
  assert.is(first?.source.policy.direct.policy, "open");
  assert.is(first?.source.mediaMaxBytes, 2 * 1024 * 1024);
  assert.is(networks.accounts()[0]?.lastInboundAt, clock.now());
  fate.refuse = new Failure("unavailable", "the disk is full");
  assert.is(await failureOf(context?.receive(message) ?? Promise.resolve()), "unavailable: the disk is full");
  fate.refuse = undefined;
  await networks.close();
  assert.match(await failureOf(context?.receive(message) ?? Promise.resolve()), /^unavailable: .*being closed/);
  assert.is(received.length, 1);
});

test("an open account is found by its network and id; what is not open says why", async () => {
  const { entry, shown } = scriptedChannel();
  const { start, networks } = world([entry], {
    scripted: { token: "a", textChunkLimit: 1000, replyToMode: "all", accounts: { bad: { token: "wrong" } } },
  });
  assert.match(await failureOf(networks.open("scripted")), /^unavailable: /);
  await start();
  const open = await networks.open("Scripted");
  assert.equal([open.accountId, open.maxText, open.replyToMode], ["default", 1000, "all"]);
  await open.channel.send({ to: "bob" }, { text: "hi" }, { key: "k", signal: new AbortController().signal });
  assert.is(shown.length, 1);
  assert.type(networks.accounts()[0]?.lastOutboundAt, "number");
  assert.match(await failureOf(networks.open("nowhere")), /^invalid-request: unsupported channel/);
  assert.match(await failureOf(networks.open("scripted", "bad")), /^unavailable: .*does not know this token/);
  assert.match(await failureOf(networks.open("scripted", "none")), /^unavailable: .*not configured/);
});

test("a person stops and starts an account, whatever the configuration says", async () => {
  const { entry } = scriptedChannel();
  const { start, networks, states, settle } = world([entry], {
    scripted: { token: "a", accounts: { idle: { token: "b", enabled: false } } },
  });
  await start();
  assert.is((await networks.stopAccount("scripted")).running, false);
  await networks.refresh();
  assert.equal(states(), ["scripted/default off", "scripted/idle off"]);
  await networks.startAccount("scripted", "idle");
  await settle();
  assert.equal(states(), ["scripted/default off", "scripted/idle ready"]);
});

test("what an account keeps is its own, outlives it, and is forgotten when it is asked for", async () => {
  const seen: ChannelContext[] = [];
  const { start, networks, store } = world([networkOf("acme", opensWell(seen))], {
    acme: { accounts: { a: { token: "1" }, b: { token: "2" } } },
  });
  await start();
  const [a, b] = seen;
  await a?.kept.write("../offset", "7");
  await b?.kept.write("offset", "8");
  assert.is(await a?.kept.read("../offset"), "7");
  assert.is(await a?.kept.read("offset"), undefined);
  assert.ok((await store.keys("credentials/acme/a/")).every((key) => !key.includes("..")));
  assert.is(await networks.forgetAccount("acme", "a"), true);
  assert.is(await networks.forgetAccount("acme", "a"), false);
  assert.equal(await store.keys("credentials/"), ["credentials/acme/b/kept-offset"]);
});

test("threat K a path of the port belongs to one account, and never to one when the gateway has it", async () => {
  const handle = async (): Promise<Response> => new Response("mine");
  const withPath: ChannelKind["open"] = async (settings, context) => {
    context.status({ state: "ready" });
    return { ...plainChannel, webhook: { path: (settings as { webhookPath: string }).webhookPath, handle } };
  };
  const { start, networks, states } = world([networkOf("acme", withPath)], {
    acme: {
      accounts: {
        a: { token: "1", webhookPath: "/acme" },
        b: { token: "2", webhookPath: "/acme" },
        c: { token: "3", webhookPath: "/health" },
        d: { token: "4", webhookPath: "/x/../health" },
      },
    },
  });
  await start();
  const lines = states();
  assert.is(lines[0], "acme/a ready");
  assert.match(lines[1] ?? "", /failed: .*\/acme is the path of channels\.acme\.accounts\.a already/);
  assert.match(lines[2] ?? "", /failed: .*the gateway itself answers at \/health/);
  assert.match(lines[3] ?? "", /failed: .*webhookPath is wrong/);
  assert.ok(networks.webhook("/acme"));
  await networks.stopAccount("acme", "a");
  assert.is(networks.webhook("/acme"), undefined);
  await networks.startAccount("acme", "b");
  assert.ok(networks.webhook("/acme"));
});

test("while the gateway may not, nothing is opened; afterwards everything is", async () => {
  const w = world([scriptedChannel().entry], { scripted: { token: "a" } });
  w.fate.closed = new Failure("unavailable", "pid 7 has the chat networks");
  await w.start();
  assert.equal(w.states(), ["scripted/default off"]);
  assert.match(await failureOf(w.networks.startAccount("scripted")), /pid 7/);
  w.fate.closed = undefined;
  await w.start();
  assert.equal(w.states(), ["scripted/default ready"]);
});

test("an account that is started again signs in with what its file holds now", async () => {
  const seen: unknown[] = [];
  const kind = networkOf("acme", async (settings, context) => {
    seen.push((settings as { token: string }).token);
    context.status({ state: "ready" });
    return plainChannel;
  });
  const { host, start, networks, settle } = world([kind], { acme: { tokenFile: "/home/me/acme.token" } });
  await host.files.write("/home/me/acme.token", "old", { mode: 0o600 });
  await start();
  await networks.startAccount("acme");
  await host.files.write("/home/me/acme.token", "new", { mode: 0o600 });
  await networks.startAccount("acme");
  await settle();
  assert.equal(seen, ["old", "new"]);
});

test("what went wrong is forgotten once it works again", async () => {
  const seen: ChannelContext[] = [];
  const { start, networks } = world([networkOf("acme", opensWell(seen))], { acme: { token: "a" } });
  await start();
  seen[0]?.status({ state: "connecting", reason: "the line broke at https://user:secret@acme.example" });
  assert.match(networks.accounts()[0]?.lastError ?? "", /^the line broke/);
  seen[0]?.status({ state: "ready" });
  assert.is(networks.accounts()[0]?.lastError, undefined);
});

test("an account that does not end is left behind after some seconds", async () => {
  const stuck = networkOf("acme", async (_, context) => {
    context.status({ state: "ready" });
    return { ...plainChannel, close: () => new Promise<void>(() => undefined) };
  });
  const { start, networks, clock, settle } = world([stuck], { acme: { token: "a" } });
  await start();
  let closed = false;
  void networks.close().then(() => (closed = true));
  await settle();
  assert.not(closed);
  await clock.advance(5000);
  await settle();
  assert.ok(closed);
});

test.run();
