import { test } from "uvu";
import * as assert from "uvu/assert";
import type { AccountStatus, Networks } from "../../src/flow/networks.ts";
import { Failure } from "../../src/kit/error.ts";
import { scriptedApp } from "../support/app.ts";
import { checkParams, checkResult } from "../support/official.ts";
import { scriptedChannel, scriptedNetworks } from "../support/scripted-channel.ts";

interface StatusAnswer {
  readonly channelOrder: readonly string[];
  readonly channelLabels: Readonly<Record<string, string>>;
  readonly channels: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly channelAccounts: Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>;
  readonly channelDefaultAccountId: Readonly<Record<string, string>>;
}

async function statusOf(networks: Networks, params: object = {}): Promise<StatusAnswer> {
  checkParams("channels.status", params);
  const { call } = scriptedApp({ networks });
  const answer = await call("channels.status", { ...params });
  checkResult("channels.status", answer);
  return answer as StatusAnswer;
}

function account(more: Partial<AccountStatus>): AccountStatus {
  const known = { channel: "acme", label: "Acme", accountId: "default", enabled: true, configured: true };
  return { ...known, running: true, connection: { state: "ready" }, ...more };
}

function withAccounts(accounts: readonly AccountStatus[], more: Partial<Networks> = {}): Networks {
  return { ...scriptedNetworks([]), accounts: () => accounts, ...more };
}

test("channels.status tells every account by its network, in the official shape", async () => {
  const answer = await statusOf(
    withAccounts([
      account({
        accountId: "work",
        name: "Office",
        connection: { state: "failed", reason: "revoked" },
        running: false,
      }),
      account({ lastInboundAt: 7, connection: { state: "ready", self: { id: "1", name: "Bot" } } }),
      account({ channel: "other", label: "Other", enabled: false, running: false, connection: undefined }),
    ]),
  );
  assert.equal(answer.channelOrder, ["acme", "other"]);
  assert.equal(answer.channelLabels, { acme: "Acme", other: "Other" });
  assert.equal(answer.channelDefaultAccountId, { acme: "default", other: "default" });
  assert.is(answer.channels["acme"]?.["connected"], true);
  const [work, own] = answer.channelAccounts["acme"] ?? [];
  assert.equal([work?.["name"], work?.["connected"], work?.["healthState"]], ["Office", false, "failed"]);
  assert.equal([own?.["lastInboundAt"], own?.["application"]], [7, { id: "1", name: "Bot" }]);
  assert.is(answer.channelAccounts["other"]?.[0]?.["healthState"], "stopped");
});

test("channels.status asks the networks only when it is told to, and one that does not answer says so", async () => {
  const good = scriptedChannel({ id: "good" });
  const mute = scriptedChannel({ id: "mute" });
  const networks = scriptedNetworks([good, mute]);
  const probing: Networks = {
    ...networks,
    async open(channel, accountId) {
      const open = await networks.open(channel, accountId);
      if (channel === "good") return open;
      const probe = (): Promise<never> => Promise.reject(new Failure("unavailable", "it is out of order"));
      return { ...open, channel: { ...open.channel, probe } };
    },
  };
  assert.is((await statusOf(probing)).channelAccounts["good"]?.[0]?.["probe"], undefined);
  const { channelAccounts } = await statusOf(probing, { probe: true, timeoutMs: 100 });
  const probeOf = (id: string) => channelAccounts[id]?.[0]?.["probe"] as Readonly<Record<string, unknown>>;
  assert.is(probeOf("good")["ok"], true);
  assert.equal(probeOf("good")["bot"], { id: "bot", username: "Bot" });
  assert.is(probeOf("mute")["ok"], false);
  assert.is(probeOf("mute")["error"], "it is out of order");
});

test("channels.status of one network tells of no other", async () => {
  const networks = scriptedNetworks([scriptedChannel({ id: "one" }), scriptedChannel({ id: "two" })]);
  assert.equal((await statusOf(networks, { channel: "Two" })).channelOrder, ["two"]);
});

test("channels.start, stop and logout are for who may change the gateway, and name the account", async () => {
  const calls: string[] = [];
  const noted = (what: string) => async (channel: string, accountId?: string) => {
    calls.push(`${what} ${channel} ${accountId ?? "-"}`);
    return account({ channel, running: what === "start" });
  };
  const networks = withAccounts([], {
    startAccount: noted("start"),
    stopAccount: noted("stop"),
    async forgetAccount(channel) {
      calls.push(`forget ${channel}`);
      return true;
    },
  });
  const { call } = scriptedApp({ networks });
  assert.equal(await call("channels.start", { channel: "acme" }), {
    channel: "acme",
    accountId: "default",
    running: true,
  });
  await call("channels.stop", { channel: "acme", accountId: "work" });
  assert.equal(await call("channels.logout", { channel: "acme" }), {
    channel: "acme",
    accountId: "default",
    cleared: true,
    loggedOut: true,
  });
  assert.equal(calls, ["start acme -", "stop acme work", "forget acme"]);
});

test("status sums the accounts up in a line each, and health names those that are in trouble", async () => {
  const failed = account({ accountId: "work", connection: { state: "failed", reason: "revoked" }, running: false });
  const { call, app } = scriptedApp({ networks: withAccounts([account({}), failed]) });
  const { channelSummary } = (await call("status")) as { readonly channelSummary: readonly string[] };
  assert.equal(channelSummary, ["Acme: ready", "Acme (work): failed: revoked"]);
  const snapshot = app.health.snapshot();
  assert.is(snapshot.ok, true);
  assert.equal(snapshot["channelOrder"], ["acme"]);
  assert.equal(app.health.parts(), [{ part: "channels.acme.work", state: "degraded", reason: "revoked" }]);
});

test.run();
