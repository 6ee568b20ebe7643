import type { DialOptions } from "../host/host.ts";
import { inTailnet } from "../host/addresses.ts";
import { Failure } from "../kit/error.ts";
import { parseFingerprint } from "../kit/fingerprint.ts";
import { urlHost } from "../kit/ip.ts";

/** Which gateway a command talks to, with what, and how that was decided. */
export interface Target {
  readonly kind: "explicit" | "remote" | "tunnel" | "local";
  readonly url: string;
  /** For people: `cli --url`, `config gateway.remote.url`, `local loopback`. */
  readonly source: string;
  /** Present for a gateway of this machine. */
  readonly bind?: string;
  readonly configPath: string;
  readonly credentials: Credentials;
  /** The one certificate that it may show, as 64 hex digits; without one, the system's trust decides. */
  readonly fingerprint?: string | undefined;
  /** What this machine shows where the gateway asks its clients for a certificate. */
  readonly certificate?: DialOptions["certificate"] | undefined;
}

export interface Credentials {
  readonly token?: string | undefined;
  readonly password?: string | undefined;
}

/** Everything that has a say in it, gathered by the caller. */
export interface TargetFacts {
  readonly flags: Credentials & { readonly url?: string | undefined; readonly fingerprint?: string | undefined };
  readonly env: Credentials & { readonly url?: string | undefined; readonly port?: number | undefined };
  /** The secrets of this machine's service: its gateway asks for them, and nobody else hears of them. */
  readonly service?: Credentials | undefined;
  readonly settings: GatewaySettings;
  /** What a running gateway of this profile wrote of itself. */
  readonly running?:
    | { readonly url: string; readonly pid?: number; readonly fingerprint?: string | undefined }
    | undefined;
  /** What the gateway of this profile made for the commands of this machine to show it; nobody else sees it. */
  readonly certificate?: DialOptions["certificate"] | undefined;
  /** This machine's address in its tailnet, IPv4 where it has one. */
  readonly tailnetAddress?: string | undefined;
  readonly configPath: string;
}

/** The part of the configuration that decides where a gateway is. */
export interface GatewaySettings extends Credentials {
  readonly mode?: string | undefined;
  readonly port?: number | undefined;
  readonly bind?: string | undefined;
  readonly tls?: boolean | undefined;
  /** Of the certificate that this machine's gateway serves with. */
  readonly fingerprint?: string | undefined;
  readonly remote: RemoteSettings;
}

/** The section `gateway.remote`. */
export interface RemoteSettings extends Credentials {
  readonly url?: string | undefined;
  readonly fingerprint?: string | undefined;
  readonly sshTarget?: string | undefined;
  readonly sshIdentity?: string | undefined;
}

/** The gateway that a command without further wishes talks to: flag, then environment, then configuration. */
export function resolveTarget(facts: TargetFacts): Target {
  const explicit = explicitTarget(facts);
  if (explicit) return explicit;
  const configured = facts.settings.mode === "remote" ? remoteTarget(facts) : localTarget(facts);
  if (configured) return { ...configured, ...pinFlag(facts, configured.url) };
  throw new Failure("config", 'gateway.mode is "remote" but gateway.remote.url is not set; set it, or pass --url', {
    hints: [`Config: ${facts.configPath}`],
  });
}

/** The URL given on the command line or in the environment. Configured credentials are for other gateways (SC-185). */
export function explicitTarget({ flags, env, configPath }: TargetFacts): Target | undefined {
  const url = flags.url ?? env.url;
  if (url === undefined) return undefined;
  const [source, credentials] =
    flags.url === undefined ? ["environment GATEWAY_URL", firstOf(flags, env)] : ["cli --url", firstOf(flags)];
  const pinned = pinFlag({ flags }, webSocketUrl(url, source));
  return { kind: "explicit", url, source, configPath, credentials, ...pinned };
}

/**
 * The configured remote gateway, when there is one. Its own credentials come before those of the environment, which speak
 * of it only where commands talk to it: with mode local they are for the gateway of this machine.
 */
export function remoteTarget({ flags, env, settings, configPath }: TargetFacts): Target | undefined {
  const { url, fingerprint } = settings.remote;
  if (url === undefined) return undefined;
  const source = "config gateway.remote.url";
  const credentials = remoteCredentials({ flags, env, settings });
  const pinned =
    fingerprint === undefined
      ? {}
      : pin(fingerprint, webSocketUrl(url, source), { source: "gateway.remote.tlsFingerprint", code: "config" });
  return { kind: "remote", url: webSocketUrl(url, source), source, configPath, credentials, ...pinned };
}

/** The gateway of this profile on this machine: a port that somebody named, else where it says it listens. */
export function localTarget(facts: TargetFacts): Target {
  const { flags, env, service = {}, settings, running, tailnetAddress, certificate, configPath } = facts;
  const bind = settings.bind ?? "loopback";
  const named = env.port ?? settings.port;
  const tailnet = bind === "tailnet" && tailnetAddress !== undefined;
  const host = tailnet ? urlHost(tailnetAddress) : "127.0.0.1";
  const computed = `${settings.tls ? "wss" : "ws"}://${host}:${named ?? defaultPort}`;
  const url = named === undefined && running ? running.url : computed;
  // What the running one says of itself counts: its files may have been renewed since it read them.
  const same = running !== undefined && new URL(running.url).port === new URL(url).port;
  const fingerprint = (same ? running.fingerprint : undefined) ?? settings.fingerprint;
  return {
    kind: "local",
    url,
    source: tailnet ? "local tailnet" : "local loopback",
    bind,
    configPath,
    credentials: firstOf(flags.url === undefined ? flags : {}, env, service, settings),
    ...(url.startsWith("wss:") ? { fingerprint, certificate } : {}),
  };
}

/**
 * The gateway at the far end of a tunnel. What is configured for the remote gateway is sent only when the tunnel leads to
 * it: to another machine goes what was named beside it, and nothing to one that merely announced itself.
 */
export function tunnelTarget(
  facts: TargetFacts,
  { localPort, leadsTo }: { localPort: number; leadsTo: "remote" | "named" | "announced" },
): Target {
  const { flags, settings, configPath } = facts;
  const named = flags.url === undefined ? firstOf(flags) : {};
  const { url, fingerprint } = settings.remote;
  // The name in the certificate is not that of the near end: without a pin nothing could be checked.
  const tls = leadsTo === "remote" && fingerprint !== undefined && url?.startsWith("wss:") === true;
  return {
    kind: "tunnel",
    url: `${tls ? "wss" : "ws"}://127.0.0.1:${localPort}`,
    source: "SSH tunnel",
    configPath,
    credentials: { remote: remoteCredentials(facts), named, announced: {} }[leadsTo],
    ...(tls ? pin(fingerprint, url, { source: "gateway.remote.tlsFingerprint", code: "config" }) : {}),
  };
}

/** The same facts for a gateway that flags and environment do not speak of. */
export function unaddressed(facts: TargetFacts): TargetFacts {
  return { ...facts, flags: {}, env: { port: facts.env.port } };
}

export const defaultPort = 18789;

/** What to print under trouble with a gateway (cli.md 4.4). */
export function targetLines({ url, source, configPath, bind }: Target): readonly string[] {
  const lines = [`Gateway target: ${url}`, `Source: ${source}`, `Config: ${configPath}`];
  return bind === undefined ? lines : [...lines, `Bind: ${bind}`];
}

/** Whether the URL leads to this machine itself. */
export function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
}

/**
 * Whether what is sent there can be read on the way. A tailnet encrypts what goes to its own addresses and names, and
 * what goes to this machine itself is on no network, a tunnel's near end included.
 */
export function isInTheClear(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  const tailnet = inTailnet(hostname.replace(/^\[|\]$/g, "")) || hostname.endsWith(".ts.net");
  return protocol === "ws:" && !isLoopback(url) && !tailnet;
}

/** `--tls-fingerprint` for the gateway that the command talks to. */
function pinFlag({ flags }: Pick<TargetFacts, "flags">, url: string): Pick<Target, "fingerprint"> {
  if (flags.fingerprint === undefined) return {};
  return pin(flags.fingerprint, url, { source: "--tls-fingerprint", code: "usage" });
}

/** A pin that is no fingerprint, or for a connection without a certificate, must not be dropped in silence. */
function pin(
  text: string,
  url: string,
  { source, code }: { readonly source: string; readonly code: "usage" | "config" },
): Pick<Target, "fingerprint"> {
  const fingerprint = parseFingerprint(text);
  if (fingerprint === undefined)
    throw new Failure(code, `${source} is not a SHA-256 fingerprint: use its 64 hex digits, with or without colons`);
  if (!url.startsWith("wss:")) throw new Failure(code, `${source} needs a wss:// URL, and the gateway's is ${url}`);
  return { fingerprint };
}

function remoteCredentials({ flags, env, settings }: Pick<TargetFacts, "flags" | "env" | "settings">): Credentials {
  return firstOf(flags.url === undefined ? flags : {}, settings.remote, settings.mode === "remote" ? env : {});
}

/** One source's credentials, never a token of one with the password of another. */
function firstOf(...sources: readonly Credentials[]): Credentials {
  const found = sources.find(({ token, password }) => token !== undefined || password !== undefined);
  return { token: found?.token, password: found?.password };
}

function webSocketUrl(text: string, source: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && ["ws:", "wss:"].includes(url.protocol) && url.username === "" && url.password === "") return text;
  const code = source.startsWith("cli") ? "usage" : "config";
  throw new Failure(
    code,
    `${source} is not a WebSocket URL: use ws://host:port or wss://host:port, without user or password`,
  );
}
