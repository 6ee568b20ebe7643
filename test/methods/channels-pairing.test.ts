import { test } from "uvu";
import * as assert from "uvu/assert";
import { createLogger } from "../../src/kit/log.ts";
import type { ConfigStore } from "../../src/config/config.ts";
import { Failure } from "../../src/kit/error.ts";
import { channelPairingMethods } from "../../src/methods/channels-pairing.ts";
import { openSenders } from "../../src/pairing/senders.ts";
import { createMemoryStore } from "../../src/store/memory.ts";
import { scriptedConfig } from "../support/app.ts";
import { openDoor, validates } from "../support/door.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { caller } from "../support/pairing.ts";
import { type ScriptedChannel, scriptedChannel, scriptedNetworks } from "../support/scripted-channel.ts";

const owner = caller(["operator.pairing"]);

interface Bench {
  readonly config?: object;
  /** What is sent through it is seen by the test; without one no network runs. */
  readonly network?: ScriptedChannel;
  /** Somebody changes the configuration in the moment in which it is written. */
  readonly meanwhile?: object;
}

async function open({ config: settings = {}, network, meanwhile }: Bench = {}) {
  const clock = createFakeClock();
  const config = scriptedConfig(settings);
  const patches: unknown[] = [];
  const log = createLogger(() => clock.now(), []);
  const networks = scriptedNetworks(network ? [network] : []);
  const writing: Partial<ConfigStore> = {
    patch(patch, { baseHash }) {
      assert.is(baseHash, config.current().hash);
      if (meanwhile) {
        config.become(meanwhile);
        return Promise.reject(new Failure("conflict", "the file has changed"));
      }
      patches.push(patch);
      config.become(patch);
      return Promise.resolve({ snapshot: config.current(), changedPaths: [] });
    },
  };
  const senders = openSenders(createMemoryStore(), clock, log);
  const door = await openDoor(channelPairingMethods, { senders, networks, log, config: { ...config, ...writing } });
  const asked = await senders.ask({ channel: "telegram", sender: "123", about: { name: "Ada" } });
  if (asked.outcome !== "waits") throw new Error(asked.outcome);
  const request = { channel: "telegram", accountId: "default", requestId: asked.code };
  return { ...door, senders, clock, appClock: door.clock, request, networks, patches };
}

test("channels.pairing.list shows who waits, as the official schema has it", async () => {
  const { ask, clock, request } = await open();
  const list = await ask("channels.pairing.list", {}, owner);
  validates("ChannelsPairingListResult", list);
  const time = new Date(clock.now()).toISOString();
  const place = { channel: "telegram", channelLabel: "telegram", accountId: "default", notifySupported: false };
  assert.equal(list.accounts, [place]);
  assert.equal(list.requests, [
    {
      ...place,
      requestId: request.requestId,
      senderId: "123",
      senderLabel: "sender",
      metadata: { name: "Ada" },
      createdAt: time,
      lastSeenAt: time,
      expiresAt: new Date(clock.now() + 3_600_000).toISOString(),
    },
  ]);
  assert.equal([list.commandOwnerConfigured, list.limits], [false, { pendingPerAccount: 3, ttlMs: 3_600_000 }]);
});

test("channels.pairing.list narrows to a channel and to an account", async () => {
  const { ask, senders, clock } = await open();
  await clock.advance(1);
  await senders.ask({ channel: "signal", accountId: "work", sender: "+1555" });
  const ids = async (params: object): Promise<readonly string[]> =>
    (await ask("channels.pairing.list", params, owner)).requests.map(({ senderId }: { senderId: string }) => senderId);
  assert.equal(await ids({}), ["123", "+1555"]);
  assert.equal(await ids({ channel: "signal" }), ["+1555"]);
  assert.equal(await ids({ accountId: "default" }), ["123"]);
  assert.equal(await ids({ channel: "matrix" }), []);
});

test("channels.pairing.approve lets the sender in and says that nobody can tell him", async () => {
  const { ask, senders, request } = await open();
  const approved = await ask("channels.pairing.approve", { ...request, notify: true }, owner);
  validates("ChannelsPairingApproveResult", approved);
  assert.equal(approved, {
    requestId: request.requestId,
    senderId: "123",
    notification: "unsupported",
    commandOwnerBootstrap: "not-requested",
  });
  assert.equal([...(await senders.allowed("telegram"))], ["123"]);
  assert.match(await ask("channels.pairing.approve", request, owner), "nobody who waits");
});

test("channels.pairing.dismiss takes the sender off the list", async () => {
  const { ask, senders, request } = await open();
  const dismissed = await ask("channels.pairing.dismiss", request, owner);
  validates("ChannelsPairingDismissResult", dismissed);
  assert.equal(dismissed, { requestId: request.requestId, senderId: "123" });
  assert.equal([await senders.waiting(), [...(await senders.allowed("telegram"))]], [[], []]);
});

test("channels.pairing.approve with notify tells the sender, where his account is open", async () => {
  const network = scriptedChannel({ id: "telegram", label: "Telegram" });
  const { ask, request, networks } = await open({ network });
  const [account] = (await ask("channels.pairing.list", {}, owner)).accounts;
  assert.equal([account.channelLabel, account.notifySupported], ["Telegram", true]);
  const approved = await ask("channels.pairing.approve", { ...request, notify: true }, owner);
  validates("ChannelsPairingApproveResult", approved);
  assert.is(approved.notification, "sent");
  assert.equal(
    network.shown.map(({ to, text }) => [to.to, text]),
    [["123", "✅ You have been let in. Write to me, and I answer."]],
  );
  assert.equal(network.violations, []);
  networks.setOpen("telegram", false);
  assert.is((await ask("channels.pairing.list", {}, owner)).accounts.length, 0);
});

test("a sender who cannot be told is let in all the same", async () => {
  for (const decision of ["refused", "hang"] as const) {
    const network = scriptedChannel({ id: "telegram" });
    const { ask, request, senders, appClock } = await open({ network });
    network.next(decision);
    const approving = ask("channels.pairing.approve", { ...request, notify: true }, owner);
    await appClock.advance(16_000);
    assert.is((await approving).notification, "failed");
    assert.equal([...(await senders.allowed("telegram"))], ["123"]);
  }
});

test("nobody is told without being asked to, nor through an account that is not open", async () => {
  const network = scriptedChannel({ id: "telegram" });
  const first = await open({ network });
  assert.is((await first.ask("channels.pairing.approve", first.request, owner)).notification, "not-requested");
  const shut = await open({ network });
  shut.networks.setOpen("telegram", false);
  const wish = { ...shut.request, notify: true };
  assert.is((await shut.ask("channels.pairing.approve", wish, owner)).notification, "unsupported");
  assert.equal(network.attempts, []);
});

test("threat D who may pair makes nobody an owner, and then nobody is let in either", async () => {
  const { ask, senders, request, patches } = await open();
  const wish = { ...request, bootstrapCommandOwner: true };
  assert.is(await ask("channels.pairing.approve", wish, owner), "missing scope: operator.admin");
  assert.equal([(await senders.waiting()).length, patches], [1, []]);
});

test("the first who is let in may be made the owner of commands, and no second one by it", async () => {
  const { ask, request, patches, senders } = await open();
  const wish = { ...request, bootstrapCommandOwner: true };
  const approved = await ask("channels.pairing.approve", wish);
  validates("ChannelsPairingApproveResult", approved);
  assert.is(approved.commandOwnerBootstrap, "configured");
  assert.equal(patches, [{ commands: { ownerAllowFrom: ["telegram:123"] } }]);
  const second = await senders.ask({ channel: "telegram", sender: "456" });
  const again = { ...wish, requestId: second.outcome === "waits" ? second.code : "" };
  assert.is((await ask("channels.pairing.approve", again)).commandOwnerBootstrap, "already-configured");
  assert.is(patches.length, 1);
});

test("an owner that somebody else wrote in that moment stays, and what was not written is said not to be", async () => {
  const wishOf = (request: object): object => ({ ...request, bootstrapCommandOwner: true });
  const other = await open({ meanwhile: { commands: { ownerAllowFrom: ["telegram:9"] } } });
  const lost = await other.ask("channels.pairing.approve", wishOf(other.request));
  assert.is(lost.commandOwnerBootstrap, "already-configured");
  const failing = await open({ meanwhile: {} });
  const refused = await failing.ask("channels.pairing.approve", wishOf(failing.request));
  assert.is(refused.commandOwnerBootstrap, "unavailable");
  assert.equal([...(await failing.senders.allowed("telegram"))], ["123"]);
});

test("a command owner of the configuration is known", async () => {
  const { ask, request } = await open({ config: { commands: { ownerAllowFrom: ["telegram:1"] } } });
  assert.is((await ask("channels.pairing.list")).commandOwnerConfigured, true);
  const wish = { ...request, bootstrapCommandOwner: true };
  assert.is((await ask("channels.pairing.approve", wish)).commandOwnerBootstrap, "already-configured");
});

test("threat F nobody without operator.pairing sees or decides who may write", async () => {
  const { ask, request } = await open();
  for (const { name } of channelPairingMethods)
    assert.is(await ask(name, request, caller(["operator.write", "operator.read"])), "missing scope: operator.pairing");
});

test("threat M a channel's name that leads elsewhere is refused", async () => {
  const { ask, request } = await open();
  for (const channel of ["../devices", "a/b", ".."])
    for (const { name } of channelPairingMethods)
      assert.match(await ask(name, { ...request, channel }, owner), "is not the id of a channel");
});

test.run();
