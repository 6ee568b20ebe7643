import * as v from "valibot";
import type { ChannelKind, Credential } from "../channels/channel.ts";
import type { ChannelEntry } from "../channels/index.ts";
import type { Surroundings } from "../host/host.ts";
import { Failure } from "../kit/error.ts";
import { isObject, type JsonObject } from "../kit/json.ts";
import type { Logger } from "../kit/log.ts";
import { accountName, DEFAULT_ACCOUNT } from "../pairing/sender-place.ts";
import { readSecret } from "./networks-secret.ts";

/** What the configuration says of one account of a network. */
export interface Plan {
  readonly channel: string;
  readonly label: string;
  readonly accountId: string;
  /** Where its settings stand, such as `channels.telegram.accounts.work`. */
  readonly path: string;
  readonly name: string | undefined;
  readonly enabled: boolean;
  /** It has what it signs in with. */
  readonly configured: boolean;
  /** The same text for the same settings. Full of secrets. */
  readonly fingerprint: string;
  /** What it is opened with; absent when it cannot be opened, and `problem` says why. */
  readonly ready?: { readonly kind: ChannelKind; readonly settings: unknown } | undefined;
  readonly problem?: Failure | undefined;
}

export interface PlanGround {
  readonly kinds: readonly ChannelEntry[];
  readonly host: Pick<Surroundings, "files" | "home" | "cwd" | "os">;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: Logger;
}

/**
 * Reads the `channels` section: every account with its settings, checked by its network, of which only those that are
 * named are loaded. What is wrong with one account is told there, and concerns no other.
 */
export async function planAccounts(
  section: Readonly<Record<string, unknown>>,
  ground: PlanGround,
): Promise<{ readonly plans: readonly Plan[]; readonly unknown: readonly string[] }> {
  const { kinds } = ground;
  const ids = Object.keys(section).filter((id) => id !== DEFAULTS);
  const known = ids.flatMap((id) => kinds.find((kind) => kind.id === id) ?? []);
  const plans = await Promise.all(known.map((entry) => planNetwork(entry, section, ground)));
  return { plans: plans.flat(), unknown: ids.filter((id) => !known.some((entry) => entry.id === id)) };
}

/** Settings for all networks stand here, beside the networks. */
const DEFAULTS = "defaults";

async function planNetwork(
  entry: ChannelEntry,
  section: Readonly<Record<string, unknown>>,
  ground: PlanGround,
): Promise<readonly Plan[]> {
  const { id: channel, label } = entry;
  const whole = { channel, label, accountId: DEFAULT_ACCOUNT, path: `channels.${channel}`, name: undefined };
  const failed = (error: unknown): readonly Plan[] => [
    {
      ...whole,
      enabled: true,
      configured: false,
      fingerprint: JSON.stringify(section[channel]),
      problem: shown(error),
    },
  ];
  const written = section[channel];
  if (!isObject(written))
    return failed(new Failure("config", `channels.${channel} is wrong: expected an object of settings`));
  try {
    const kind = await entry.load();
    const defaults = isObject(section[DEFAULTS]) ? section[DEFAULTS] : {};
    const { groupPolicy } = defaults;
    const base = { ...(groupPolicy === undefined ? {} : { groupPolicy }), ...written };
    const seen = new Set<string>();
    return await Promise.all(
      accountsOf(base, kind).map((account) => {
        const plan = planAccount(account, { entry, kind, base, seen }, ground);
        return plan.catch((error: unknown) => ({
          ...whole,
          accountId: account.accountId,
          path: account.path,
          enabled: written["enabled"] !== false,
          configured: false,
          fingerprint: JSON.stringify([base, account]),
          problem: shown(error),
        }));
      }),
    );
  } catch (error) {
    ground.log.error(`${label} cannot be loaded`, { error: Failure.from(error).message });
    return failed(error);
  }
}

interface Account {
  /** As it is written. */
  readonly accountId: string;
  readonly path: string;
  /** What stands under `accounts.<id>`. */
  readonly own: unknown;
}

/** The accounts that a section has: those it names, and `default` where the section itself signs in. */
function accountsOf(base: JsonObject, kind: ChannelKind): readonly Account[] {
  const path = `channels.${kind.id}`;
  const named = isObject(base["accounts"]) ? Object.entries(base["accounts"]) : [];
  const accounts = named.map(([accountId, own]) => ({ accountId, path: `${path}.accounts.${accountId}`, own }));
  const hasDefault = named.some(([id]) => id.trim().toLowerCase() === DEFAULT_ACCOUNT);
  const needed = kind.credentials.filter(({ optional }) => !optional);
  const telling = [needed.filter((each) => !each.public), needed, kind.credentials].find((each) => each.length > 0);
  const signsIn = (telling ?? []).some((credential) => isGiven(base, credential));
  if (hasDefault || (named.length > 0 && !signsIn)) return accounts;
  return [{ accountId: DEFAULT_ACCOUNT, path, own: {} }, ...accounts];
}

function isGiven(settings: JsonObject, { key, file }: Credential): boolean {
  return !isBlank(settings[key]) || (file !== undefined && !isBlank(settings[file]));
}

function isBlank(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === "string" && value.trim() === "");
}

interface Network {
  readonly entry: ChannelEntry;
  readonly kind: ChannelKind;
  readonly base: JsonObject;
  /** Accounts that were met before. */
  readonly seen: Set<string>;
}

async function planAccount(account: Account, network: Network, ground: PlanGround): Promise<Plan> {
  const { entry, kind, base, seen } = network;
  const { path } = account;
  const accountId = accountName(account.accountId);
  if (seen.has(accountId))
    throw new Failure("config", `${path} is the account ${accountId} once more: give it another id`);
  seen.add(accountId);
  const own = account.own ?? {};
  if (!isObject(own)) throw new Failure("config", `${path} is wrong: expected an object of settings`);
  const merged = mergedOf(accountId, { base, own, kind });
  const enabled = base["enabled"] !== false && own["enabled"] !== false;
  const { settings, problem } = await signedIn(merged, { path, accountId, kind, ground, enabled });
  const name = typeof settings["name"] === "string" ? settings["name"] : undefined;
  const missing = kind.credentials.find((each) => !each.optional && isBlank(settings[each.key]));
  const plan = {
    channel: entry.id,
    label: entry.label,
    accountId,
    path,
    name,
    enabled,
    configured: missing === undefined,
    fingerprint: JSON.stringify([enabled, settings]),
  };
  if (problem) return { ...plan, problem };
  if (missing) return { ...plan, problem: new Failure("config", `${path}.${missing.key} is missing: ${missing.help}`) };
  const checked = v.safeParse(kind.settings, { ...settings, enabled });
  if (checked.success) return { ...plan, ready: { kind, settings: checked.output } };
  return { ...plan, problem: wrongSetting(checked.issues[0], { path, own, base: `channels.${entry.id}` }) };
}

/** What one account signs in with is not what another does: of that, a named account has its own or nothing. */
function mergedOf(
  accountId: string,
  { base, own, kind }: { readonly base: JsonObject; readonly own: JsonObject; readonly kind: ChannelKind },
): JsonObject {
  const { accounts: _, ...shared } = base;
  if (accountId !== DEFAULT_ACCOUNT) {
    delete shared["name"];
    for (const { key, file, public: mayBeShared } of kind.credentials) {
      if (mayBeShared) continue;
      delete shared[key];
      if (file !== undefined) delete shared[file];
    }
  }
  return { ...shared, ...own };
}

interface Signing {
  readonly path: string;
  readonly accountId: string;
  readonly kind: ChannelKind;
  readonly ground: PlanGround;
  readonly enabled: boolean;
}

/** The settings with what their files and variables hold. */
async function signedIn(
  merged: JsonObject,
  { path, accountId, kind, ground, enabled }: Signing,
): Promise<{ readonly settings: JsonObject; readonly problem?: Failure }> {
  const settings = { ...merged };
  for (const { key, file, variable } of kind.credentials) {
    if (!isBlank(settings[key])) continue;
    delete settings[key];
    const place = file === undefined ? undefined : settings[file];
    if (typeof place === "string" && place.trim() !== "" && enabled) {
      const read = await readSecret(ground.host, place.trim()).catch((error: unknown) => Failure.from(error));
      if (read instanceof Failure)
        return { settings, problem: new Failure("config", `${path}.${file}: ${read.message}`) };
      settings[key] = read;
    } else if (variable !== undefined && accountId === DEFAULT_ACCOUNT && !isBlank(ground.environment[variable])) {
      settings[key] = ground.environment[variable];
    }
  }
  return { settings };
}

/** Says which setting is wrong and what it is to be, and never what it is, for it may be a secret. */
function wrongSetting(
  issue: v.BaseIssue<unknown>,
  { path, own, base }: { readonly path: string; readonly own: JsonObject; readonly base: string },
): Failure {
  const keys = (issue.path ?? []).map(({ key }) => String(key));
  const [first = ""] = keys;
  const where = [Object.hasOwn(own, first) ? path : base, ...keys].join(".");
  const expected = issue.message.startsWith("Invalid ") ? (issue.expected ?? "something else") : issue.message;
  return new Failure("config", `${where} is wrong: expected ${expected.replaceAll(/\s+/g, " ").slice(0, 200)}`);
}

function shown(error: unknown): Failure {
  return Failure.from(error).shown();
}
