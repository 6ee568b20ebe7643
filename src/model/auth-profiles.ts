import type { Host } from "../host/host.ts";
import { dirname, join } from "../host/paths.ts";
import { Failure } from "../kit/error.ts";
import { isObject, type JsonObject, parseJson } from "../kit/json.ts";
import type { UsageStats } from "./cooldowns.ts";

/** A credential from `auth-profiles.json`. */
export interface StoredProfile {
  /** Such as `anthropic:default`. */
  readonly id: string;
  readonly provider: string;
  readonly type: "api_key" | "token" | "oauth";
  readonly secret: string;
  /** Milliseconds since 1970. */
  readonly expires?: number | undefined;
  readonly email?: string | undefined;
}

export interface ProfileFile {
  readonly profiles: readonly StoredProfile[];
  readonly stats: ReadonlyMap<string, UsageStats>;
}

/** The storage key of an agent's credentials. */
export function profilesKey(agentId: string): string {
  return `agents/${agentId}/agent/auth-profiles.json`;
}

/**
 * The credentials that a text of `auth-profiles.json` holds, those of other kinds left out; undefined when the text is
 * no such file. An OAuth profile counts with its access token: refreshing it is for the program that made it.
 */
export function readProfiles(text: string | undefined): ProfileFile | undefined {
  const document = text === undefined ? {} : parseJson(text);
  if (!isObject(document)) return undefined;
  return {
    profiles: entriesOf(document["profiles"]).flatMap(([id, value]) => profileOf(id, value) ?? []),
    stats: new Map(entriesOf(document["usageStats"]).map(([id, value]) => [id, statsOf(value)])),
  };
}

/** The text with one profile's statistics changed and everything else as it was. Throws when it is no such file. */
export function withStats(text: string | undefined, id: string, edit: (stats: UsageStats) => UsageStats): string {
  const document = editable(text);
  const all = objectOf(document["usageStats"]);
  const old = objectOf(all[id]);
  const changed = edit(statsOf(old));
  const others = Object.fromEntries(Object.entries(old).filter(([name]) => !(name in statFields)));
  return written({ ...document, usageStats: { ...all, [id]: { ...others, ...changed } } });
}

/** The text without these profiles and what was known of them. Throws when it is no such file. */
export function withoutProfiles(text: string | undefined, ids: ReadonlySet<string>): string {
  const document = editable(text);
  const left = (value: unknown): JsonObject => Object.fromEntries(entriesOf(value).filter(([id]) => !ids.has(id)));
  return written({
    ...document,
    profiles: left(document["profiles"]),
    ...(document["usageStats"] === undefined ? {} : { usageStats: left(document["usageStats"]) }),
  });
}

/**
 * Keeps an API key as the main agent's `<provider>:default` profile, in a file of its own that only its owner may read
 * (cli.md 2.10). Other profiles stay; what was held against the key that it replaces does not. Answers the file's path.
 */
export async function saveApiKey(
  { files }: Pick<Host, "files">,
  state: string,
  { provider, key }: { provider: string; key: string },
): Promise<string> {
  const path = join(state, profilesKey("main"));
  const text = await files.read(path);
  const id = `${provider}:default`;
  if (text !== undefined && !isObject(parseJson(text)))
    throw new Failure("config", `${path} is not a JSON object: the API key was not saved`, {
      hints: ["Repair the file, or move it away and run this again."],
    });
  const document = editable(withoutProfiles(text, new Set([id])));
  const profiles = { ...objectOf(document["profiles"]), [id]: { type: "api_key", provider, key } };
  await files.makeFolder(dirname(path));
  await files.write(path, written({ ...document, profiles }), { mode: 0o600 });
  return path;
}

function profileOf(id: string, value: unknown): StoredProfile | undefined {
  if (!isObject(value)) return undefined;
  const { provider, type, expires, email } = value;
  if (typeof provider !== "string" || (type !== "api_key" && type !== "token" && type !== "oauth")) return undefined;
  const secret = value[{ api_key: "key", token: "token", oauth: "access" }[type]];
  if (typeof secret !== "string" || secret.trim() === "") return undefined;
  return {
    id,
    provider,
    type,
    secret: secret.trim(),
    expires: type !== "api_key" && typeof expires === "number" && expires > 0 ? expires : undefined,
    email: typeof email === "string" ? email : undefined,
  };
}

const statFields = {
  lastUsed: 0,
  cooldownUntil: 0,
  disabledUntil: 0,
  disabledReason: 0,
  errorCount: 0,
  failureCounts: 0,
  lastFailureAt: 0,
} satisfies Record<keyof UsageStats, 0>;

function statsOf(value: unknown): UsageStats {
  const stats = objectOf(value);
  const number = (name: keyof UsageStats): number | undefined => {
    const found = stats[name];
    return typeof found === "number" && Number.isFinite(found) && found >= 0 ? found : undefined;
  };
  const reason = stats["disabledReason"];
  const counts = entriesOf(stats["failureCounts"]).filter(
    (entry): entry is [string, number] => typeof entry[1] === "number" && entry[1] > 0,
  );
  return {
    lastUsed: number("lastUsed"),
    cooldownUntil: number("cooldownUntil"),
    disabledUntil: number("disabledUntil"),
    disabledReason: typeof reason === "string" ? reason : undefined,
    errorCount: number("errorCount"),
    failureCounts: counts.length > 0 ? Object.fromEntries(counts) : undefined,
    lastFailureAt: number("lastFailureAt"),
  };
}

function editable(text: string | undefined): JsonObject {
  const document = text === undefined ? {} : parseJson(text);
  if (!isObject(document)) throw new Failure("failed", "auth-profiles.json is not a JSON object: it was left as it is");
  return { version: 1, profiles: {}, ...document };
}

function written(document: JsonObject): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}

function entriesOf(value: unknown): readonly [string, unknown][] {
  return Object.entries(objectOf(value));
}

function objectOf(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}
