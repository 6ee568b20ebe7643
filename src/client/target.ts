import { Failure } from "../kit/error.ts";

/** Which gateway a command talks to, with what, and how that was decided. */
export interface Target {
  readonly kind: "explicit" | "remote" | "local";
  readonly url: string;
  /** For people: `cli --url`, `config gateway.remote.url`, `local loopback`. */
  readonly source: string;
  /** Present for a gateway of this machine. */
  readonly bind?: string;
  readonly configPath: string;
  readonly credentials: Credentials;
  readonly fingerprint?: string | undefined;
}

export interface Credentials {
  readonly token?: string | undefined;
  readonly password?: string | undefined;
}

/** Everything that has a say in it, gathered by the caller. */
export interface TargetFacts {
  readonly flags: Credentials & { readonly url?: string | undefined };
  readonly env: Credentials & { readonly url?: string | undefined; readonly port?: number | undefined };
  readonly settings: GatewaySettings;
  /** What a running gateway of this profile wrote of itself. */
  readonly running?: { readonly url: string } | undefined;
  /** This machine's address in its tailnet. */
  readonly tailnetAddress?: string | undefined;
  readonly configPath: string;
}

/** The part of the configuration that decides where a gateway is. */
export interface GatewaySettings extends Credentials {
  readonly mode?: string | undefined;
  readonly port?: number | undefined;
  readonly bind?: string | undefined;
  readonly tls?: boolean | undefined;
  readonly remote: Credentials & { readonly url?: string | undefined; readonly fingerprint?: string | undefined };
}

/** The gateway that a command without further wishes talks to: flag, then environment, then configuration. */
export function resolveTarget(facts: TargetFacts): Target {
  const explicit = explicitTarget(facts);
  if (explicit) return explicit;
  if (facts.settings.mode !== "remote") return localTarget(facts);
  const remote = remoteTarget(facts);
  if (remote) return remote;
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
  return { kind: "explicit", url: webSocketUrl(url, source), source, configPath, credentials };
}

/** The configured remote gateway, when there is one. */
export function remoteTarget({ flags, env, settings, configPath }: TargetFacts): Target | undefined {
  const { url, fingerprint } = settings.remote;
  if (url === undefined) return undefined;
  const source = "config gateway.remote.url";
  const credentials = firstOf(flags.url === undefined ? flags : {}, env, settings.remote);
  return { kind: "remote", url: webSocketUrl(url, source), source, configPath, credentials, fingerprint };
}

/** The gateway of this profile on this machine: a port that somebody named, else where it says it listens. */
export function localTarget({ flags, env, settings, running, tailnetAddress, configPath }: TargetFacts): Target {
  const bind = settings.bind ?? "loopback";
  const named = env.port ?? settings.port;
  const tailnet = bind === "tailnet" && tailnetAddress !== undefined;
  const address = tailnet ? tailnetAddress : "127.0.0.1";
  const computed = `${settings.tls ? "wss" : "ws"}://${address}:${named ?? defaultPort}`;
  return {
    kind: "local",
    url: named === undefined && running ? running.url : computed,
    source: tailnet ? "local tailnet" : "local loopback",
    bind,
    configPath,
    credentials: firstOf(flags.url === undefined ? flags : {}, env, settings),
  };
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
