import { Failure } from "../kit/error.ts";

/** Where strangers write to: a channel, and which of its accounts. */
export interface Place {
  readonly channel: string;
  readonly accountId: string;
}

/** The account that a channel has when nobody names another. */
export const DEFAULT_ACCOUNT = "default";

/** The place of these names. Throws for names that must not become a file's. */
export function placeOf(channel: string, accountId: string = DEFAULT_ACCOUNT): Place {
  return { channel: channelName(channel), accountId: accountName(accountId) };
}

/** A channel's id in lower case, strictly matched: it becomes a file's name (threat M). */
export function channelName(name: string): string {
  return checked("a channel", name, CHANNEL);
}

/** The same for an account of a channel. */
export function accountName(name: string): string {
  return checked("an account", name, /^[a-z0-9][a-z0-9_-]{0,63}$/);
}

/** The storage key of those who wait at a channel, at all its accounts (cli.md 2.10). */
export function waitingKey(channel: string): string {
  return `${FOLDER}${channel}${WAITING}`;
}

/** The channels that have such a key among these. */
export function channelsIn(keys: readonly string[]): readonly string[] {
  const names = keys.filter((key) => key.endsWith(WAITING)).map((key) => key.slice(FOLDER.length, -WAITING.length));
  return names.filter((name) => CHANNEL.test(name));
}

/** What the keys of all places begin with. */
export const FOLDER = "credentials/";

/**
 * The storage keys of those who are let in at a place. The first is the one that is written: for the default account
 * without its name, as gateways from before there were accounts have it.
 */
export function allowedKeys({ channel, accountId }: Place): readonly [string, ...string[]] {
  const own = `${FOLDER}${channel}-${accountId}-allowFrom.json`;
  return accountId === DEFAULT_ACCOUNT ? [`${FOLDER}${channel}-allowFrom.json`, own] : [own];
}

/**
 * Whether this can be the id by which a network knows one person for good (threat L): not empty, not everybody, not a
 * name that its holder may change or give away, and not a group of people.
 */
export function isSenderId(id: string): boolean {
  return id.length <= 256 && /^[^\s\p{C}]+$/u.test(id) && !notAPerson.some((pattern) => pattern.test(id));
}

const CHANNEL = /^[a-z][a-z0-9_-]{0,63}$/;
const WAITING = "-pairing.json";

const notAPerson: readonly RegExp[] = [
  /^\*$/,
  // `@alice` is a name; `@alice:example.org` is how Matrix knows her for good.
  /^@[^:]*$/,
  /^(group|supergroup|channel|room|thread|chat|guild|server|team|conversation|role|spaces?)[:/]/i,
  // Groups of Telegram, then of WhatsApp.
  /^-\d+$/,
  /@(g\.us|broadcast|newsletter)$/i,
];

function checked(what: string, name: string, pattern: RegExp): string {
  const plain = name.trim().toLowerCase();
  if (pattern.test(plain)) return plain;
  throw new Failure(
    "invalid-request",
    `${JSON.stringify(name.slice(0, 80))} is not the id of ${what}: use at most 64 letters, digits, - and _`,
  );
}
