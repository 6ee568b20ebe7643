import { test } from "uvu";
import * as assert from "uvu/assert";
import { createLogger } from "../../src/kit/log.ts";
import { channelPairingMethods } from "../../src/methods/channels-pairing.ts";
import { openSenders } from "../../src/pairing/senders.ts";
import { createMemoryStore } from "../../src/store/memory.ts";
import { scriptedConfig } from "../support/app.ts";
import { openDoor, validates } from "../support/door.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { caller } from "../support/pairing.ts";

const owner = caller(["operator.pairing"]);

async function open(config: object = {}) {
  const clock = createFakeClock();
  const senders = openSenders(
    createMemoryStore(),
    clock,
    createLogger(() => clock.now(), []),
  );
  const door = await openDoor(channelPairingMethods, { senders, config: scriptedConfig(config) });
  const asked = await senders.ask({ channel: "telegram", sender: "123", about: { name: "Ada" } });
  if (asked.outcome !== "waits") throw new Error(asked.outcome);
  const request = { channel: "telegram", accountId: "default", requestId: asked.code };
  return { ...door, senders, clock, request };
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

test("channels.pairing.approve lets the sender in and says that nobody told him", async () => {
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

test("threat D who may pair makes nobody an owner, and then nobody is let in either", async () => {
  const { ask, senders, request } = await open();
  const wish = { ...request, bootstrapCommandOwner: true };
  assert.is(await ask("channels.pairing.approve", wish, owner), "missing scope: operator.admin");
  assert.is((await senders.waiting()).length, 1);
  assert.is((await ask("channels.pairing.approve", wish)).commandOwnerBootstrap, "unavailable");
});

test("a command owner of the configuration is known", async () => {
  const { ask, request } = await open({ commands: { ownerAllowFrom: ["telegram:1"] } });
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
