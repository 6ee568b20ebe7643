import type { Config } from "../config/schema.ts";
import { factsOf, type ProviderFacts, providerFacts } from "../providers/facts.ts";
import { type Api, apis } from "../providers/provider.ts";

/** A provider of models as the configuration and what is known of it make it together. */
export interface ProviderEntry {
  readonly id: string;
  readonly label: string;
  readonly api: Api;
  /** Without a slash at the end. Its credentials go nowhere else (threat A). */
  readonly baseUrl: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** The key that the configuration has for it. */
  readonly apiKey?: string | undefined;
  /** Environment variables that hold a key for it; only those of a known provider. */
  readonly variables: readonly string[];
  readonly needsCredential: boolean;
  /** On this machine or in a private network. */
  readonly local: boolean;
  readonly own?: OwnProvider | undefined;
  readonly facts?: ProviderFacts | undefined;
}

export type OwnProvider = Config["models"]["providers"][string];

export interface Entries {
  /** The configured ones first. */
  readonly entries: readonly ProviderEntry[];
  /** Configured providers that cannot be used, by id, with what to write instead. */
  readonly wrong: ReadonlyMap<string, string>;
  /** What works and yet deserves a word. */
  readonly odd: readonly string[];
}

/** The providers there are. `mode: replace` leaves the configured ones, and the one that is built in. */
export function entriesOf({ mode, providers }: Config["models"]): Entries {
  const wrong = new Map<string, string>();
  const entries = Object.entries(providers).flatMap(([id, own]) => {
    const problem = problemOf(id, own);
    if (problem === undefined) return [entryOf(id, own, factsOf(id))];
    wrong.set(id, problem);
    return [];
  });
  const others = providerFacts.filter(
    ({ id }) => providers[id] === undefined && (mode === "merge" || id === "clawlet"),
  );
  return {
    entries: [...entries, ...others.map((facts) => entryOf(facts.id, undefined, facts))],
    wrong,
    odd: entries
      .filter(isOpen)
      .map(
        ({ id }) =>
          `${path(id)}.baseUrl is plain http to a public address: whoever is on the way reads the key and the conversation; write https`,
      ),
  };
}

function problemOf(id: string, { api, baseUrl, headers, apiKey }: OwnProvider): string | undefined {
  if (!/^[\w.-]{1,64}$/.test(id)) return `${path(id)} is no name for a provider: use letters, digits, ".", "_" and "-"`;
  if (api !== undefined && !isApi(api))
    return `${path(id)}.api is ${JSON.stringify(api.slice(0, 60))}: write one of ${apis.filter((known) => known !== "echo").join(", ")}`;
  const facts = factsOf(id);
  if (baseUrl === undefined && facts === undefined)
    return `${path(id)}.baseUrl is missing: write the address of its interface, such as http://127.0.0.1:8080/v1`;
  if (baseUrl !== undefined && !isPlainUrl(baseUrl))
    return `${path(id)}.baseUrl must be an http or https address without user, password, "?" and "#"; a key belongs into apiKey or headers`;
  if (apiKey !== undefined && !isSendable(apiKey))
    return `${path(id)}.apiKey holds characters that no key has: copy it again`;
  const header = Object.entries(headers ?? {}).find(([name, value]) => !isHeader(name, value))?.[0];
  if (header !== undefined)
    return `${path(id)}.headers.${header} is no HTTP header: its name or its value is not allowed there`;
  return undefined;
}

/** Whether a text can be sent as a credential. */
export function isSendable(secret: string): boolean {
  return /^[\x21-\x7e]{1,16384}$/.test(secret.trim());
}

function entryOf(id: string, own: OwnProvider | undefined, facts: ProviderFacts | undefined): ProviderEntry {
  const baseUrl = (own?.baseUrl ?? facts?.baseUrl ?? "").trim().replace(/\/+$/, "");
  const proves = Object.keys(own?.headers ?? {}).some((name) => /^(authorization|x-api-key|api-key)$/i.test(name));
  const required = facts === undefined ? own?.baseUrl === undefined : facts.credential === "required";
  return {
    id,
    label: facts?.label ?? id,
    // Most servers that people run or rent speak this one.
    api: own?.api !== undefined && isApi(own.api) ? own.api : (facts?.api ?? "openai-completions"),
    baseUrl,
    headers: own?.headers,
    apiKey: own?.apiKey?.trim(),
    variables: facts?.variables ?? [],
    needsCredential: required && !proves,
    local: baseUrl === "" || isPrivate(new URL(baseUrl).hostname),
    own,
    facts,
  };
}

export function isApi(text: string): text is Api {
  return apis.some((api) => api === text);
}

function isPlainUrl(text: string): boolean {
  if (!URL.canParse(text.trim())) return false;
  const { protocol, username, password, search, hash } = new URL(text.trim());
  return /^https?:$/.test(protocol) && `${username}${password}${search}${hash}` === "";
}

function isHeader(name: string, value: string): boolean {
  return /^[\w!#$%&'*+.^`|~-]+$/.test(name) && /^[\x20-\x7e\t]*$/.test(value);
}

function isOpen({ baseUrl, local }: ProviderEntry): boolean {
  return baseUrl.startsWith("http:") && !local;
}

/** Loopback, link-local and private addresses, and names that only a local network knows. `URL` has normalised them. */
function isPrivate(hostname: string): boolean {
  return (
    /^(localhost|[^.]+|.+\.(localhost|local|lan|internal|home\.arpa))$/.test(hostname) ||
    /^(127|10|169\.254|192\.168|172\.(1[6-9]|2\d|3[01]))\.[\d.]+$/.test(hostname) ||
    /^\[(::1|f[cd][0-9a-f]{2}:.*|fe[89ab][0-9a-f]:.*)\]$/.test(hostname)
  );
}

function path(id: string): string {
  return `models.providers.${id.slice(0, 64)}`;
}
