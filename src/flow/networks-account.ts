import * as v from "valibot";
import type { Channel, ChannelContext, ChannelKind, ConnectionState, Inbound, Webhook } from "../channels/channel.ts";
import type { Policy } from "../channels/channel-policy.ts";
import type { Surroundings } from "../host/host.ts";
import { createBackoff } from "../kit/backoff.ts";
import { Failure } from "../kit/error.ts";
import type { Logger } from "../kit/log.ts";
import { redact } from "../kit/redact.ts";
import type { Store } from "../store/store.ts";
import type { Intake, Source } from "./intake.ts";
import { keptOf } from "./networks-kept.ts";
import type { Plan } from "./networks-plan.ts";
import type { OpenAccount } from "./networks.ts";

/** What has happened in an account since the gateway began, over all the times that it was opened. */
export interface Facts {
  lastError?: string;
  lastStartAt?: number;
  lastInboundAt?: number;
  lastOutboundAt?: number;
}

/** An account that is being opened, is open, or has failed. */
export interface AccountRun {
  connection(): ConnectionState;
  /** Undefined while nothing can be sent through it. */
  opened(): OpenAccount | undefined;
  /** Resolves when it is closed, or has had its time. */
  close(): Promise<void>;
}

export interface AccountGround {
  readonly host: Pick<Surroundings, "clock" | "net" | "processes">;
  readonly log: Logger;
  readonly store: Store;
  readonly fetch: typeof fetch;
  readonly random: () => number;
  readonly intake: Intake;
  /** Takes the path for it; throws `config` when that cannot be. The answer gives it back. */
  claim(webhook: Webhook): () => void;
  /** It can be written through. */
  ready(): void;
  /** How it fares has changed. */
  changed(): void;
}

const FIRST_MS = 1000;
const MAX_MS = 120_000;
const CLOSE_MS = 5000;
const MAX_REASON = 500;

/** Opens an account, again while it may help, until it is closed. Whatever its network throws ends that account alone. */
export function runAccount(plan: Plan, facts: Facts, ground: AccountGround): AccountRun {
  const { clock } = ground.host;
  const log = ground.log.child(`channels/${plan.channel}/${plan.accountId}`);
  const ending = new AbortController();
  let connection: ConnectionState = { state: "connecting" };
  let open: { readonly account: OpenAccount; readonly release: () => void } | undefined;

  function become(told: ConnectionState): void {
    if (ending.signal.aborted) return;
    const was = connection;
    const next = presentable(told);
    connection = next;
    const reason = "reason" in next ? next.reason : undefined;
    if (reason !== undefined) facts.lastError = reason;
    else if (next.state === "ready") delete facts.lastError;
    if (was.state !== next.state || ("reason" in was ? was.reason : undefined) !== reason) ground.changed();
    if (was.state !== "ready" && next.state === "ready") {
      log.info("connected", { as: next.self?.name ?? next.self?.id });
      if (open) ground.ready();
    }
  }

  function fail(error: unknown): void {
    const failure = Failure.from(error);
    log.error("the account cannot run", { error: failure.message });
    become({ state: "failed", reason: failure.shown().message });
  }

  async function begin({ kind, settings }: NonNullable<Plan["ready"]>): Promise<void> {
    const backoff = createBackoff({ firstMs: FIRST_MS, maxMs: MAX_MS, random: ground.random });
    while (!ending.signal.aborted) {
      const attempt = new AbortController();
      const signal = AbortSignal.any([ending.signal, attempt.signal]);
      try {
        return await take(kind, settings, signal);
      } catch (error) {
        attempt.abort();
        if (ending.signal.aborted) return;
        const failure = Failure.from(error);
        if (!failure.retryable) return fail(failure);
        const ms = Math.max(failure.retryAfterMs ?? 0, backoff.next());
        log.warn("cannot be opened yet", { error: failure.message, nextAttemptInMs: ms });
        become({ state: "connecting", reason: failure.message });
        await clock.sleep(ms, ending.signal).catch((stopped: unknown) => {
          // Closed while it waited: the loop sees it.
          if (!ending.signal.aborted) throw stopped;
        });
      }
    }
  }

  async function take(kind: ChannelKind, settings: unknown, signal: AbortSignal): Promise<void> {
    const shared = v.parse(sharedSettings, settings);
    const own = kind.policy(settings);
    const given = { ...ground, plan, facts, kind, settings, shared, signal, log };
    const context = contextOf(given, { become, channel: () => open?.account.channel });
    const channel = watched(await kind.open(settings, context), () => (facts.lastOutboundAt = clock.now()));
    try {
      signal.throwIfAborted();
      const release = channel.webhook ? ground.claim(channel.webhook) : () => undefined;
      const maxText = Math.min(channel.maxText, shared.textChunkLimit ?? channel.maxText);
      const { replyToMode } = shared;
      const policy = (): Policy => channel.policy ?? own;
      open = { account: { kind, accountId: plan.accountId, channel, maxText, replyToMode, policy }, release };
    } catch (error) {
      await channel.close();
      throw error;
    }
    // Some say that they are connected before they have been given out.
    if (connection.state === "ready") ground.ready();
  }

  facts.lastStartAt = clock.now();
  delete facts.lastError;
  const { ready, problem } = plan;
  if (!ready) fail(problem ?? new Failure("config", `${plan.path} cannot be used`));
  const begun = ready ? begin(ready).catch(fail) : Promise.resolve();

  async function end(): Promise<void> {
    await begun;
    open?.release();
    await open?.account.channel.close();
  }

  return {
    connection: () => connection,
    opened: () => (connection.state === "failed" || ending.signal.aborted ? undefined : open?.account),
    async close() {
      ending.abort();
      open?.release();
      await new Promise<void>((resolve) => {
        const late = clock.after(CLOSE_MS, () => {
          log.warn("the account does not end; going on without it");
          resolve();
        });
        end()
          .catch((error: unknown) => log.warn("the account did not end well", { error: Failure.from(error).message }))
          .finally(() => {
            late();
            resolve();
          });
      });
    },
  };
}

/** The same without what must not be shown: whoever may read sees it (threat G). */
function presentable(told: ConnectionState): ConnectionState {
  if (!("reason" in told) || told.reason === undefined) return told;
  return { ...told, reason: redact(told.reason).slice(0, MAX_REASON) };
}

/** Settings that mean the same in every network, whether its own schema has them or not. */
const sharedSettings = v.looseObject({
  mediaMaxMb: v.fallback(v.number(), 8),
  textChunkLimit: v.fallback(v.optional(v.number()), undefined),
  replyToMode: v.fallback(v.picklist(["off", "first", "all"]), "off"),
});

interface Given extends Pick<AccountGround, "host" | "store" | "fetch" | "random" | "intake"> {
  readonly plan: Plan;
  readonly facts: Facts;
  readonly kind: ChannelKind;
  readonly settings: unknown;
  readonly shared: v.InferOutput<typeof sharedSettings>;
  readonly signal: AbortSignal;
  readonly log: Logger;
}

interface Live {
  readonly become: (state: ConnectionState) => void;
  readonly channel: () => Channel | undefined;
}

/** What the network's code is given of the gateway. */
function contextOf(given: Given, { become, channel }: Live): ChannelContext {
  const { plan, facts, kind, host, store, fetch, random, intake, signal, log } = given;
  const { clock, processes } = host;
  const net: ChannelContext["net"] = host.net ?? {};
  const policy = kind.policy(given.settings);
  const { channel: id, label, accountId } = plan;
  const mediaMaxBytes = Math.floor(given.shared.mediaMaxMb * 1024 * 1024);
  const opened = (): Channel => {
    const now = channel();
    if (now && !signal.aborted) return now;
    throw new Failure("unavailable", `${label} (${accountId}) is not open`);
  };
  const source = (): Source => ({
    channel: id,
    label,
    accountId,
    ignoreCase: kind.ignoreCase ?? false,
    mediaMaxBytes,
    signal,
    policy: channel()?.policy ?? policy,
    say: async (to, text, key) => void (await opened().send(to, { text }, { key, signal })),
    ...(channel()?.react ? { react: async (to, message, emoji) => opened().react?.(to, message, emoji) } : {}),
  });
  return {
    accountId,
    signal,
    clock,
    log,
    fetch,
    random,
    net,
    processes,
    kept: keptOf(store, plan),
    async receive(message: Inbound) {
      if (signal.aborted) throw new Failure("unavailable", `${label} (${accountId}) is being closed`);
      facts.lastInboundAt = clock.now();
      await intake.receive(source(), message);
    },
    status: (state) => void (signal.aborted || become(state)),
  };
}

/** The same channel, with somebody told of each message that went out. */
function watched(channel: Channel, sent: () => void): Channel {
  const send: Channel["send"] = async (...message) => {
    const answer = await channel.send(...message);
    sent();
    return answer;
  };
  // Not copied: what a network says of itself, such as whom it lets write, may change.
  return Object.create(channel, { send: { value: send, enumerable: true } }) as Channel;
}
