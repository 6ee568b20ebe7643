import * as v from "valibot";
import type {
  Abilities,
  Channel,
  ChannelContext,
  ChannelKind,
  Outbound,
  SendOptions,
  Target,
} from "../../src/channels/channel.ts";
import { commonSettings, policyOf } from "../../src/channels/channel-policy.ts";
import type { ChannelEntry } from "../../src/channels/index.ts";
import type { AccountStatus, Networks, OpenAccount } from "../../src/flow/networks.ts";
import { Failure } from "../../src/kit/error.ts";

/** A chat network that exists only in the test: the test sees what is sent, and decides what becomes of it. */
export interface ScriptedChannel {
  readonly kind: ChannelKind;
  /** As `src/channels/index.ts` lists a network. */
  readonly entry: ChannelEntry;
  /** Every attempt to send, in order, whatever became of it. */
  readonly attempts: readonly Attempt[];
  /** What the network has taken, in order: what people see. Those that were taken back are not among them. */
  readonly shown: readonly Shown[];
  /** Reactions, by message. */
  readonly reactions: ReadonlyMap<string, string>;
  /** Where it was shown that an answer is being written, in order. */
  readonly typed: readonly Target[];
  /** What a real network would have refused: a test ends by asserting that it is empty. */
  readonly violations: readonly string[];
  /** The accounts that are open now, by id. */
  readonly accounts: ReadonlyMap<string, ChannelContext>;
  /** What becomes of the next attempts, in order; `ok` when there is no decision left. */
  next(...decisions: readonly Decision[]): void;
  /** What becomes of every attempt for which `next` has no decision. */
  always(decide: (attempt: Attempt) => Decision): void;
  /** Lets go of attempts that hang: they are taken. */
  release(): void;
  /** An account as `Networks.open` answers it, without networks. */
  account(accountId?: string): OpenAccount;
}

export interface Attempt {
  readonly accountId: string;
  readonly to: Target;
  readonly message: Outbound;
  readonly key: string;
}

export interface Shown extends Attempt {
  readonly id: string;
  /** As it reads now. */
  readonly text: string;
}

/**
 * `lost-answer`: the network takes it, and the sender hears `timeout`. `hang`: nothing comes until `release`, or until
 * the sender gives up. A number: `rate-limited` for so many milliseconds.
 */
export type Decision = "ok" | "unavailable" | "timeout" | "lost-answer" | "refused" | "hang" | number;

export interface ScriptedChannelOptions {
  readonly id?: string;
  readonly label?: string;
  readonly maxText?: number;
  readonly abilities?: Partial<Abilities>;
  /** It takes a message once per key, as Discord and Matrix do. */
  readonly knowsKeys?: boolean;
  readonly ignoreCase?: boolean;
  readonly replyToMode?: OpenAccount["replyToMode"];
  /** What `account` was opened with. */
  readonly settings?: object;
}

export function scriptedChannel(options: ScriptedChannelOptions = {}): ScriptedChannel {
  const { id = "scripted", label = "Scripted", maxText = 4000, knowsKeys = false, ignoreCase = false } = options;
  const abilities: Abilities = {
    chats: ["direct", "group", "channel", "thread"],
    media: true,
    reactions: true,
    edit: true,
    typing: true,
    ...options.abilities,
  };
  const [attempts, shown, typed, violations]: [Attempt[], Shown[], Target[], string[]] = [[], [], [], []];
  const reactions = new Map<string, string>();
  const accounts = new Map<string, ChannelContext>();
  const decisions: Decision[] = [];
  const held = new Set<() => void>();
  let decide: (attempt: Attempt) => Decision = () => "ok";
  let count = 0;

  function check(wrong: boolean, what: string): void {
    if (!wrong) return;
    violations.push(what);
    throw new Failure("invalid-request", `the network refuses it: ${what}`);
  }

  function checkTarget({ to, thread }: Target): void {
    check(to.trim() === "", "a message to nobody");
    check(thread?.trim() === "", "a thread without an id");
  }

  function take(attempt: Attempt): { id: string } {
    const known = knowsKeys ? shown.find(({ key }) => key === attempt.key) : undefined;
    if (known) return { id: known.id };
    const taken = `${id}-${++count}`;
    shown.push({ ...attempt, id: taken, text: attempt.message.text });
    return { id: taken };
  }

  async function send(attempt: Attempt, { key, signal }: SendOptions): Promise<{ id: string }> {
    attempts.push(attempt);
    const { message } = attempt;
    checkTarget(attempt.to);
    check(key === "", "a message without a key");
    check(message.text.length > maxText, `${message.text.length} characters where ${maxText} fit`);
    check(message.text.trim() === "" && (message.media ?? []).length === 0, "an empty message");
    check(!abilities.media && (message.media ?? []).length > 0, "a file where none can be sent");
    signal.throwIfAborted();
    const decision = decisions.shift() ?? decide(attempt);
    if (decision === "ok") return take(attempt);
    if (decision === "unavailable") throw new Failure("unavailable", "the network is out of order");
    if (decision === "timeout") throw new Failure("timeout", "the network did not answer");
    if (decision === "refused") throw new Failure("forbidden", "the bot was blocked by the user");
    if (decision === "lost-answer") {
      take(attempt);
      throw new Failure("timeout", "the network did not answer");
    }
    if (typeof decision === "number") {
      throw new Failure("rate-limited", "too many messages", { retryAfterMs: decision });
    }
    await new Promise<void>((resolve, reject) => {
      const go = (): void => {
        held.delete(go);
        signal.removeEventListener("abort", stop);
        resolve();
      };
      const stop = (): void => {
        held.delete(go);
        reject(signal.reason);
      };
      held.add(go);
      signal.addEventListener("abort", stop, { once: true });
    });
    return take(attempt);
  }

  function find(messageId: string): number {
    const at = shown.findIndex((each) => each.id === messageId);
    if (at < 0) throw new Failure("not-found", `there is no message ${messageId}`);
    return at;
  }

  function channelOf(accountId: string): Channel {
    return {
      maxText,
      send: (to, message, more) => send({ accountId, to, message, key: more.key }, more),
      ...(abilities.edit && {
        async edit(to: Target, messageId: string, text: string) {
          checkTarget(to);
          const old = shown[find(messageId)];
          if (old) shown[find(messageId)] = { ...old, text };
        },
        async remove(to: Target, messageId: string) {
          checkTarget(to);
          shown.splice(find(messageId), 1);
        },
      }),
      ...(abilities.reactions && {
        async react(to: Target, messageId: string, emoji: string) {
          checkTarget(to);
          if (emoji === "") reactions.delete(messageId);
          else reactions.set(messageId, emoji);
        },
      }),
      ...(abilities.typing && {
        async typing(to: Target) {
          checkTarget(to);
          typed.push(to);
        },
      }),
      probe: async () => ({ id: "bot", name: "Bot" }),
      close: async () => void accounts.delete(accountId),
    };
  }

  const settings = v.looseObject({ ...commonSettings, token: v.optional(v.string()) });
  const kind: ChannelKind<typeof settings> = {
    id,
    label,
    settings,
    credentials: [{ key: "token", variable: "SCRIPTED_TOKEN", help: "Any text." }],
    abilities,
    ignoreCase,
    policy: policyOf,
    target(written) {
      const [, to, thread] = /^(?:user:|group:|channel:)?([\w@.+-]{1,200})(?::topic:(\w+))?$/.exec(written) ?? [];
      if (to === undefined) throw new Failure("invalid-request", `${JSON.stringify(written)} is no recipient`);
      return { to, ...(thread === undefined ? {} : { thread }) };
    },
    async open(given, context) {
      if (given.token === "wrong") throw new Failure("config", "the network does not know this token");
      accounts.set(context.accountId, context);
      context.signal.addEventListener("abort", () => void accounts.delete(context.accountId), { once: true });
      context.status({ state: "ready", self: { id: "bot", name: "Bot" } });
      return channelOf(context.accountId);
    },
  };
  // The settings' own type ends here, as it does in the gateway's table.
  const plain = kind as unknown as ChannelKind;
  return {
    kind: plain,
    entry: { id, label, load: async () => plain },
    attempts,
    shown,
    reactions,
    typed,
    violations,
    accounts,
    next: (...more) => void decisions.push(...more),
    always: (each) => void (decide = each),
    release() {
      for (const go of held) go();
    },
    account: (accountId = "default") => ({
      kind: plain,
      accountId,
      channel: channelOf(accountId),
      maxText,
      replyToMode: options.replyToMode ?? "off",
      policy: () => policyOf(v.parse(settings, options.settings ?? {})),
    }),
  };
}

/** Networks of which every account is open until the test says otherwise. */
export interface ScriptedNetworks extends Networks {
  /** From now on this account is not open, or is again. */
  setOpen(channel: string, isOpen: boolean, accountId?: string): void;
}

/** For tests of what uses networks; `Networks` itself has its own. Each network has the account `default` and those given. */
export function scriptedNetworks(
  channels: readonly ScriptedChannel[],
  accountIds: readonly string[] = ["default"],
): ScriptedNetworks {
  const shut = new Set<string>();
  const nameOf = (channel: string, accountId = "default"): string => JSON.stringify([channel, accountId]);
  const unused = (): never => {
    throw new Error("this test does not open or close accounts");
  };
  return {
    accounts: () =>
      channels.flatMap(({ kind }) =>
        accountIds.map((accountId): AccountStatus => {
          const running = !shut.has(nameOf(kind.id, accountId));
          const connection = running ? ({ state: "ready" } as const) : undefined;
          const { id: channel, label } = kind;
          return { channel, label, accountId, enabled: true, configured: true, running, connection };
        }),
      ),
    async open(channel, accountId = "default") {
      const found = channels.find(({ kind }) => kind.id === channel);
      if (!found) throw new Failure("invalid-request", `unsupported channel: ${channel}`);
      if (!accountIds.includes(accountId) || shut.has(nameOf(channel, accountId)))
        throw new Failure("unavailable", `the account ${accountId} of ${channel} is not open`);
      return found.account(accountId);
    },
    start: () => undefined,
    startAccount: unused,
    stopAccount: unused,
    forgetAccount: unused,
    refresh: async () => undefined,
    webhook: () => undefined,
    close: async () => undefined,
    setOpen(channel, isOpen, accountId) {
      if (isOpen) shut.delete(nameOf(channel, accountId));
      else shut.add(nameOf(channel, accountId));
    },
  };
}
