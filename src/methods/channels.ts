import * as v from "valibot";
import { limited, orAborted } from "../agent/interrupt.ts";
import type { App } from "../app.ts";
import type { AccountStatus } from "../flow/networks.ts";
import { Failure } from "../kit/error.ts";
import { method } from "./method.ts";

const texts = v.record(v.string(), v.string());
const name = v.pipe(v.string(), v.nonEmpty(), v.maxLength(128));
const which = v.object({
  channel: v.pipe(name, v.description("The network's id, such as `telegram`.")),
  accountId: v.optional(v.pipe(name, v.description("Which of its accounts; `default` when left out."))),
});
const started = v.object({ channel: v.string(), accountId: v.string(), running: v.boolean() });

/** Longest time that a network may take to say who we are. */
const PROBE_MS = 10_000;
const MOST_PROBE_MS = 30_000;

export const channelMethods = [
  method({
    name: "channels.status",
    scope: "operator.read",
    summary: "The chat networks that are configured, and how each of their accounts fares.",
    params: () =>
      v.object({
        probe: v.optional(v.pipe(v.boolean(), v.description("Also ask each network who we are."))),
        timeoutMs: v.optional(
          v.pipe(v.number(), v.integer(), v.minValue(0), v.description("How long one may take for that.")),
        ),
        channel: v.optional(v.pipe(v.string(), v.description("Only this network."))),
      }),
    result: () =>
      v.object({
        ts: v.number(),
        channelOrder: v.array(v.string()),
        channelLabels: texts,
        channelDetailLabels: texts,
        channelSystemImages: texts,
        channelMeta: v.array(v.object({ id: v.string(), label: v.string(), detailLabel: v.string() })),
        channels: v.record(v.string(), v.looseObject({})),
        channelAccounts: v.record(v.string(), v.array(v.looseObject({ accountId: v.string() }))),
        channelDefaultAccountId: texts,
      }),
    async run({ app, params, signal }) {
      const { probe = false, timeoutMs = PROBE_MS, channel } = params;
      const statuses = app.networks
        .accounts()
        .filter((status) => channel === undefined || status.channel === channel.trim().toLowerCase());
      const ms = Math.min(timeoutMs, MOST_PROBE_MS);
      const rows = await Promise.all(
        statuses.map(async (status) => ({
          channel: status.channel,
          row: { ...rowOf(status), ...(probe && status.running ? await probed(app, status, { ms, signal }) : {}) },
        })),
      );
      const order = [...new Set(statuses.map(({ channel: id }) => id))];
      const labels = Object.fromEntries(statuses.map(({ channel: id, label }) => [id, label]));
      const accountsOf = (id: string) => rows.filter((each) => each.channel === id).map(({ row }) => row);
      return {
        ts: app.clock.now(),
        channelOrder: order,
        channelLabels: labels,
        channelDetailLabels: labels,
        channelSystemImages: {},
        channelMeta: order.map((id) => ({ id, label: labels[id] ?? id, detailLabel: labels[id] ?? id })),
        channels: Object.fromEntries(order.map((id) => [id, summaryOf(accountsOf(id))])),
        channelAccounts: Object.fromEntries(order.map((id) => [id, accountsOf(id)])),
        channelDefaultAccountId: Object.fromEntries(order.map((id) => [id, firstOf(accountsOf(id))?.accountId ?? ""])),
      };
    },
  }),
  method({
    name: "channels.start",
    scope: "operator.admin",
    summary: "Opens an account of a chat network until the gateway ends, even one that the configuration switches off.",
    params: () => which,
    result: () => started,
    run: async ({ app, params }) => startedOf(await app.networks.startAccount(params.channel, params.accountId)),
  }),
  method({
    name: "channels.stop",
    scope: "operator.admin",
    summary: "Closes an account of a chat network until the gateway ends; the configuration stays as it is.",
    params: () => which,
    result: () => started,
    run: async ({ app, params }) => startedOf(await app.networks.stopAccount(params.channel, params.accountId)),
  }),
  method({
    name: "channels.logout",
    scope: "operator.admin",
    summary: "Closes an account of a chat network and forgets what it kept: tokens that were given, places in streams.",
    params: () => which,
    result: () =>
      v.object({ channel: v.string(), accountId: v.string(), cleared: v.boolean(), loggedOut: v.boolean() }),
    async run({ app, params }) {
      const cleared = await app.networks.forgetAccount(params.channel, params.accountId);
      return { channel: params.channel, accountId: params.accountId ?? "default", cleared, loggedOut: cleared };
    },
  }),
] as const;

function startedOf({ channel, accountId, running }: AccountStatus) {
  return { channel, accountId, running };
}

/** An account as clients know it; what never happened is null. */
function rowOf(status: AccountStatus) {
  const { accountId, name: called, enabled, configured, running, connection } = status;
  const self = connection?.state === "ready" ? connection.self : undefined;
  return {
    accountId,
    ...(called === undefined ? {} : { name: called }),
    enabled,
    configured,
    running,
    connected: connection?.state === "ready",
    healthState: connection?.state ?? "stopped",
    ...(self === undefined ? {} : { application: { id: self.id, name: self.name } }),
    lastError: status.lastError ?? null,
    lastStartAt: status.lastStartAt ?? null,
    lastInboundAt: status.lastInboundAt ?? null,
    lastOutboundAt: status.lastOutboundAt ?? null,
  };
}

type Row = ReturnType<typeof rowOf>;

function firstOf(rows: readonly Row[]): Row | undefined {
  return rows.find(({ accountId }) => accountId === "default") ?? rows[0];
}

/** A network in a word: what is true of one of its accounts at least, and what its first one has to say. */
function summaryOf(rows: readonly Row[]) {
  return {
    configured: rows.some(({ configured }) => configured),
    running: rows.some(({ running }) => running),
    connected: rows.some(({ connected }) => connected),
    lastError: rows.find(({ lastError }) => lastError !== null)?.lastError ?? null,
    lastStartAt: firstOf(rows)?.lastStartAt ?? null,
  };
}

/** What the network says of us, or why it says nothing. */
async function probed(
  { networks, clock }: App,
  { channel, accountId }: AccountStatus,
  { ms, signal }: { readonly ms: number; readonly signal: AbortSignal },
) {
  const startedAt = clock.monotonic();
  const over = (answer: object) => ({
    probe: { ...answer, elapsedMs: Math.round(clock.monotonic() - startedAt) },
    lastProbeAt: clock.now(),
  });
  const expired = (): Failure => new Failure("timeout", `no answer within ${ms} ms`);
  const limit = limited(clock, signal, { ms, expired });
  try {
    const open = await networks.open(channel, accountId);
    const self = await orAborted(open.channel.probe?.(limit.signal) ?? Promise.resolve(undefined), limit.signal);
    return over({ ok: true, ...(self === undefined ? {} : { bot: { id: self.id, username: self.name } }) });
  } catch (error) {
    return over({ ok: false, error: Failure.from(error).shown().message });
  } finally {
    limit.dispose();
  }
}
