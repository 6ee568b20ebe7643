import type { Channel, ChannelKind, ConnectionState, Webhook } from "../channels/channel.ts";
import type { Policy } from "../channels/channel-policy.ts";
import { Failure } from "../kit/error.ts";
import { createLanes } from "../kit/lanes.ts";
import { DEFAULT_ACCOUNT } from "../pairing/sender-place.ts";
import { type AccountGround, type AccountRun, type Facts, runAccount } from "./networks-account.ts";
import { keptOf } from "./networks-kept.ts";
import { type Plan, planAccounts, type PlanGround } from "./networks-plan.ts";
import { createWebhookPaths } from "./networks-webhooks.ts";

/** The chat networks that run: each account is opened, watched, opened again, and closed by itself. */
export interface Networks {
  /** Every account that is configured, in the order of the configuration; none before the start. */
  accounts(): readonly AccountStatus[];
  /** Throws `invalid-request` for a network that there is not, `unavailable` for an account that is not open. */
  open(channel: string, accountId?: string): Promise<OpenAccount>;
  /** Opens what is configured and not stopped; resolves at once: how it goes is in `accounts`. */
  start(): void;
  /** Opens or closes one account until the gateway ends, whatever the configuration says of `enabled`. */
  startAccount(channel: string, accountId?: string): Promise<AccountStatus>;
  stopAccount(channel: string, accountId?: string): Promise<AccountStatus>;
  /** Stops an account and forgets what it kept; answers whether there was anything. */
  forgetAccount(channel: string, accountId?: string): Promise<boolean>;
  /** Takes up the configuration as it is now: accounts whose settings changed are opened anew, the others go on. */
  refresh(): Promise<void>;
  /** The account that has this path on the gateway's port. */
  webhook(path: string): Webhook | undefined;
  close(): Promise<void>;
}

export interface OpenAccount {
  readonly kind: ChannelKind;
  readonly accountId: string;
  readonly channel: Channel;
  /** As the network allows and `textChunkLimit` says. */
  readonly maxText: number;
  readonly replyToMode: "off" | "first" | "all";
  /** Whom it lets write, as it is now. */
  policy(): Policy;
}

export interface AccountStatus {
  readonly channel: string;
  readonly label: string;
  readonly accountId: string;
  readonly name?: string | undefined;
  readonly enabled: boolean;
  /** It has what it signs in with. */
  readonly configured: boolean;
  readonly running: boolean;
  readonly connection: ConnectionState | undefined;
  readonly lastError?: string | undefined;
  readonly lastStartAt?: number | undefined;
  readonly lastInboundAt?: number | undefined;
  readonly lastOutboundAt?: number | undefined;
}

export interface NetworksOptions extends Omit<AccountGround, "host" | "claim" | "changed" | "ready"> {
  readonly kinds: PlanGround["kinds"];
  readonly host: AccountGround["host"] & PlanGround["host"];
  /** The `channels` section, as it is now. */
  section(): Readonly<Record<string, unknown>>;
  /** Variables that may hold what an account signs in with, as they are now. */
  environment(): Readonly<Record<string, string | undefined>>;
  /** Paths of the gateway's port that no network may have. */
  readonly reserved: readonly string[];
  /** Why no account may be opened now; undefined when they may. */
  closed(): Failure | undefined;
  /** An account can be written through, again or for the first time. */
  ready(channel: string, accountId: string): void;
  /** How some account fares has changed. */
  changed(): void;
}

/** An account of the configuration, and what goes on in it. */
interface Member {
  readonly plan: Plan;
  readonly facts: Facts;
  readonly run: AccountRun | undefined;
}

/** Networks over the configuration; nothing is read, loaded or opened before `start`. */
export function createNetworks(options: NetworksOptions): Networks {
  const { kinds, log, store } = options;
  const lanes = createLanes();
  const paths = createWebhookPaths(options.reserved);
  const warned = new Set<string>();
  /** What a person asked for, by account; it goes before the configuration. */
  const wishes = new Map<string, "start" | "stop">();
  let members: readonly Member[] = [];
  let started = false;
  let over = false;

  /** One change after the other: an account is never opened while it is being closed. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => lanes.run("", work);

  function begin(plan: Plan, facts: Facts): AccountRun | undefined {
    const wish = wishes.get(nameOf(plan));
    const wanted = wish === undefined ? plan.enabled : wish === "start";
    if (!wanted || !started || over || options.closed()) return undefined;
    const { channel, accountId } = plan;
    return runAccount(plan, facts, {
      ...options,
      claim: (webhook) => paths.claim(webhook, plan.path),
      ready: () => options.ready(channel, accountId),
      changed: () => options.changed(),
    });
  }

  async function takeUp(): Promise<void> {
    const { plans, unknown } = await planAccounts(options.section(), {
      ...options,
      environment: options.environment(),
    });
    const news = unknown.filter((id) => !warned.has(id));
    for (const id of news) warned.add(id);
    if (news.length > 0)
      log.warn(`channels.${news.join(", channels.")}: no such network here`, {
        known: kinds.map(({ id }) => id).join(", "),
      });
    const before = new Map(members.map((member) => [nameOf(member.plan), member]));
    const stays = ({ plan }: Member): boolean =>
      plans.some((next) => nameOf(next) === nameOf(plan) && next.fingerprint === plan.fingerprint);
    // Closed before the new ones are opened: a network may let one connection in at a time.
    await Promise.all(members.filter((member) => !stays(member)).map(closed));
    members = plans.map((plan) => {
      const old = before.get(nameOf(plan));
      if (old && stays(old)) return { ...old, plan, run: old.run ?? begin(plan, old.facts) };
      const facts = old?.facts ?? {};
      return { plan, facts, run: begin(plan, facts) };
    });
    if (before.size + members.length > 0) options.changed();
  }

  function find(channel: string, accountId?: string): Member | undefined {
    const id = channel.trim().toLowerCase();
    const own = members.filter(({ plan }) => plan.channel === id);
    if (accountId !== undefined) return own.find(({ plan }) => plan.accountId === accountId.trim().toLowerCase());
    return own.find(({ plan }) => plan.accountId === DEFAULT_ACCOUNT) ?? own[0];
  }

  function required(channel: string, accountId?: string): Member {
    const member = find(channel, accountId);
    if (member) return member;
    if (!kinds.some(({ id }) => id === channel.trim().toLowerCase()))
      throw new Failure("invalid-request", `unsupported channel: ${channel.slice(0, 80)}`);
    const account = accountId === undefined ? "" : ` (${accountId.slice(0, 80)})`;
    throw new Failure("unavailable", `${channel}${account} is not configured: see channels.${channel}`);
  }

  /** Ends what goes on in an account, and begins what is wanted now. */
  async function again(member: Member): Promise<AccountStatus> {
    await member.run?.close();
    const next = { ...member, run: begin(member.plan, member.facts) };
    members = members.map((each) => (each === member ? next : each));
    options.changed();
    return statusOf(next);
  }

  return {
    accounts: () => members.map(statusOf),
    async open(channel, accountId) {
      const { plan, run } = required(channel, accountId);
      const open = run?.opened();
      if (open) return open;
      const { connection } = statusOf({ plan, run, facts: {} });
      const why = connection && "reason" in connection ? connection.reason : undefined;
      throw new Failure(
        "unavailable",
        `${plan.label} (${plan.accountId}) is not open${why === undefined ? "" : `: ${why}`}`,
      );
    },
    start() {
      started = true;
      void inTurn(takeUp).catch((error: unknown) =>
        log.error("the chat networks could not be opened", { error: Failure.from(error).message }),
      );
    },
    startAccount: (channel, accountId) =>
      inTurn(async () => {
        const why = options.closed();
        if (why) throw why;
        // What it signs in with may have been renewed, in a file that nobody watches.
        if (started) await takeUp();
        const member = required(channel, accountId);
        wishes.set(nameOf(member.plan), "start");
        return member.run?.opened() ? statusOf(member) : again(member);
      }),
    stopAccount: (channel, accountId) =>
      inTurn(async () => {
        const member = required(channel, accountId);
        wishes.set(nameOf(member.plan), "stop");
        return again(member);
      }),
    forgetAccount: (channel, accountId) =>
      inTurn(async () => {
        const why = options.closed();
        if (why) throw why;
        const member = required(channel, accountId);
        wishes.set(nameOf(member.plan), "stop");
        await again(member);
        return keptOf(store, member.plan).forget();
      }),
    refresh: () => inTurn(async () => (started && !over ? takeUp() : undefined)),
    webhook: (path) => paths.find(path),
    close() {
      over = true;
      return inTurn(async () => {
        await Promise.all(members.map(closed));
        members = members.map((member) => ({ ...member, run: undefined }));
      });
    },
  };
}

async function closed({ run }: Member): Promise<void> {
  await run?.close();
}

function nameOf({ channel, accountId }: Pick<Plan, "channel" | "accountId">): string {
  return `${channel}/${accountId}`;
}

function statusOf({ plan, facts, run }: Member): AccountStatus {
  const { channel, label, accountId, name, enabled, configured, problem } = plan;
  const connection =
    run?.connection() ?? (problem && enabled ? { state: "failed", reason: problem.message } : undefined);
  const running = run !== undefined && connection?.state !== "failed";
  return {
    channel,
    label,
    accountId,
    name,
    enabled,
    configured,
    running,
    connection,
    lastError: problem?.message,
    ...facts,
  };
}
