import type { Config } from "../config/schema.ts";
import { lanAddresses, tailnetAddresses } from "../host/addresses.ts";
import type { NetInterface } from "../host/host.ts";
import type { Tls } from "../tls/load.ts";
import { formatIp, inNetwork, parseIp } from "../kit/ip.ts";
import { beyondLoopback, everyIpv4, everyIpv6, loopbackAddresses } from "./addresses.ts";

type GatewayConfig = Config["gateway"];
export type BindMode = GatewayConfig["bind"];
export type AuthMode = NonNullable<GatewayConfig["auth"]["mode"]>;
export type TailscaleMode = GatewayConfig["tailscale"]["mode"];

/** What the gateway may show to the network, decided before anything is opened. */
export interface Exposure {
  readonly bind: BindMode;
  /** The hosts to listen on, all or none; `0.0.0.0` and `::` stand for every IPv4 and IPv6 address of this machine. */
  readonly addresses: readonly string[];
  readonly authMode: AuthMode;
  readonly token?: string | undefined;
  readonly password?: string | undefined;
  readonly tailscale: TailscaleMode;
  /** Whether the identity that Tailscale Serve vouches for is a proof. */
  readonly allowTailscale: boolean;
  /** What to encrypt with; decided apart, as it is read from files. */
  readonly tls?: Tls | undefined;
  /** What the person who starts it should know, a sentence each. */
  readonly notes: readonly string[];
}

/** Why it may not start: lines for standard error, and the exit status of a configuration refusal. */
export interface Refusal {
  readonly lines: readonly string[];
  readonly exit: 78;
}

export interface ExposureRequest {
  /** Flags win over the environment, and that over the configuration. */
  readonly flags: {
    readonly bind?: BindMode | undefined;
    readonly auth?: AuthMode | undefined;
    readonly token?: string | undefined;
    readonly password?: string | undefined;
    readonly tailscale?: TailscaleMode | undefined;
  };
  readonly environment: { readonly token?: string | undefined; readonly password?: string | undefined };
  readonly config: Pick<GatewayConfig, "bind" | "customBindHost" | "auth" | "trustedProxies" | "tailscale" | "tls">;
  readonly interfaces: readonly NetInterface[];
  /** Listening on `::` takes IPv4 too (Deno, which has no switch for it). */
  readonly dualStack?: boolean | undefined;
  /** `CLAWDBOT_` or `OPENCLAW_`: how the texts name the environment variables. */
  readonly envPrefix: string;
}

/**
 * Decides the addresses to listen on and how callers prove themselves, or why starting would be unsafe (cli.md 4).
 * Beyond loopback nothing opens without authentication, whatever the addresses turn out to be.
 */
export function decideExposure(request: ExposureRequest): Exposure | Refusal {
  const { flags, config } = request;
  const bind = flags.bind ?? config.bind;
  const tailscale = flags.tailscale ?? config.tailscale.mode;
  const auth = decideAuth(request);
  if ("lines" in auth) return auth;
  const allowTailscale = decideIdentity(tailscale, auth.authMode, config.auth.allowTailscale);
  if (!["loopback", "auto"].includes(bind) && auth.authMode === "none") return refuseOpen(bind, request.envPrefix);
  const places = decideAddresses(bind, request, auth.authMode !== "none");
  if ("lines" in places) return places;
  const exposed = places.addresses.some(beyondLoopback);
  if (tailscale !== "off") {
    const wantsCertificates = config.tls.enabled && config.tls.caPath !== undefined;
    const proofs = { ...auth, allowTailscale, wantsCertificates };
    const refusal = refuseTailscale(tailscale, exposed, proofs, request.envPrefix);
    if (refusal) return refusal;
  }
  const published = exposed || tailscale !== "off";
  const notes = [...places.notes, ...auth.notes, ...(published ? weakSecrets(auth) : [])];
  return { bind, tailscale, allowTailscale, ...auth, ...places, notes };
}

type Auth = Pick<Exposure, "authMode" | "token" | "password" | "notes">;

function decideAuth({ flags, environment, config, envPrefix }: ExposureRequest): Auth | Refusal {
  const token = secret(flags.token) ?? secret(environment.token) ?? secret(config.auth.token);
  const password = secret(flags.password) ?? secret(environment.password) ?? secret(config.auth.password);
  const mode = flags.auth ?? config.auth.mode ?? modeOfFlags(flags);
  switch (mode ?? (token ? (password ? "both" : "token") : password ? "password" : "none")) {
    case "both":
      return refuse(
        "Gateway auth is ambiguous: both a token and a password are configured, and gateway.auth.mode is unset.",
        "Set gateway.auth.mode to token or password, or pass --auth token or --auth password.",
      );
    case "token":
      if (!token) return refuseMissing("token", envPrefix);
      return { authMode: "token", token, notes: unused("password", flags.password) };
    case "password":
      if (!password) return refuseMissing("password", envPrefix);
      return { authMode: "password", password, notes: unused("token", flags.token) };
    case "trusted-proxy":
      if (!config.auth.trustedProxy?.userHeader || config.trustedProxies.length === 0)
        return refuse(
          "Gateway auth is set to trusted-proxy, but no proxy is trusted.",
          "Set gateway.trustedProxies to the proxy's addresses and gateway.auth.trustedProxy.userHeader to its header.",
        );
      if ((flags.bind ?? config.bind) === "loopback" && !trustsLoopback(config))
        return refuse(
          "Gateway auth is set to trusted-proxy, but no trusted proxy can reach it on loopback.",
          "For a proxy on this machine add 127.0.0.1 to gateway.trustedProxies and set gateway.auth.trustedProxy.allowLoopback=true; for another one set gateway.bind.",
        );
      return { authMode: "trusted-proxy", password, notes: unused("token", flags.token) };
    default:
      return { authMode: "none", notes: [...unused("token", flags.token), ...unused("password", flags.password)] };
  }
}

function trustsLoopback({ auth, trustedProxies }: ExposureRequest["config"]): boolean {
  const loopback = ["127.0.0.1", "::1"].flatMap((address) => parseIp(address) ?? []);
  const listed = trustedProxies.some((network) => loopback.some((ip) => inNetwork(ip, network)));
  return listed && auth.trustedProxy?.allowLoopback === true;
}

/**
 * Funnel carries no identity, and a proxy that is trusted with the identity is the only one that is. A password says
 * that this is what counts, unless told otherwise (cli.md 4.3).
 */
function decideIdentity(tailscale: TailscaleMode, mode: AuthMode, configured: boolean | undefined): boolean {
  if (tailscale === "funnel" || mode === "trusted-proxy") return false;
  return configured ?? (tailscale === "serve" && mode !== "password");
}

/** One secret on the command line says which mode is meant, whatever else the configuration holds. */
function modeOfFlags(flags: ExposureRequest["flags"]): AuthMode | undefined {
  const [token, password] = [secret(flags.token), secret(flags.password)];
  if (token && !password) return "token";
  return password && !token ? "password" : undefined;
}

/** Blank text is no secret: an unset variable in a unit file must not become one. */
function secret(text: string | undefined): string | undefined {
  return text?.trim() ? text : undefined;
}

function unused(name: "token" | "password", flag: string | undefined): readonly string[] {
  return flag === undefined ? [] : [`--${name} is not used: the auth mode is another one (pass --auth ${name})`];
}

type Places = Pick<Exposure, "addresses" | "notes">;

/**
 * Where a mode names addresses one by one it means those of now: what the machine gets later is listened on after a
 * restart. The wildcards of lan mean whatever comes.
 */
function decideAddresses(bind: BindMode, request: ExposureRequest, hasAuth: boolean): Places | Refusal {
  const { interfaces, dualStack } = request;
  const loopback = loopbackAddresses(interfaces);
  if (bind === "loopback") return { addresses: loopback, notes: [] };
  const lan = lanAddresses(interfaces);
  switch (bind) {
    case "lan":
      if (!lan.some(isIpv6)) return { addresses: [everyIpv4], notes: [] };
      return { addresses: dualStack ? [everyIpv6] : [everyIpv4, everyIpv6], notes: [] };
    case "tailnet": {
      const addresses = tailnetAddresses(interfaces);
      if (addresses.length > 0) return { addresses: [...addresses, "127.0.0.1"], notes: [] };
      return {
        addresses: loopback,
        notes: ["bind tailnet: no Tailscale address (100.64.0.0/10) found; loopback only"],
      };
    }
    case "auto":
      if (hasAuth) return { addresses: [...loopback, ...lan], notes: [] };
      return { addresses: loopback, notes: ["bind auto: loopback only, because no gateway token or password is set"] };
    default:
      return decideCustom(request);
  }
}

function decideCustom({ config, interfaces, dualStack }: ExposureRequest): Places | Refusal {
  const configured = config.customBindHost?.trim();
  if (!configured)
    return refuse(
      "Gateway bind is set to custom, but gateway.customBindHost is not set.",
      "Set gateway.customBindHost to an IP address of this machine.",
    );
  const ip = parseIp(configured);
  const host = ip && formatIp(ip);
  const ours = interfaces.flatMap(({ address }) => parseIp(address) ?? []).map(formatIp);
  const choices = [
    everyIpv4,
    ...(ours.some(isIpv6) && !dualStack ? [everyIpv6] : []),
    ...ours.filter((each) => !isLinkLocal(each)),
  ];
  if (host === undefined || !choices.includes(host)) {
    const what =
      host && isLinkLocal(host)
        ? "is link-local: without its interface it names nobody"
        : "is not an address of this machine";
    return refuse(
      `Gateway bind is set to custom, but gateway.customBindHost ${JSON.stringify(configured)} ${what}.`,
      `Set it to one of: ${[...new Set(choices)].join(", ")}.`,
    );
  }
  // Commands on this machine find it on loopback, whatever else it listens on.
  return { addresses: host === everyIpv4 ? [host] : [...new Set([host, "127.0.0.1"])], notes: [] };
}

function isIpv6(address: string): boolean {
  return address.includes(":");
}

/** IPv6 addresses that count together with an interface only; those of IPv4 may be listened on as they are. */
function isLinkLocal(address: string): boolean {
  return /^fe[89ab]/.test(address);
}

function refuseOpen(bind: BindMode, prefix: string): Refusal {
  return refuse(
    `Refusing to bind gateway to ${bind} without auth.`,
    `Set gateway.auth.token/password (or ${prefix}GATEWAY_TOKEN/${prefix}GATEWAY_PASSWORD) or pass --token/--password.`,
  );
}

function refuseMissing(mode: "token" | "password", prefix: string): Refusal {
  return refuse(
    `Gateway auth is set to ${mode}, but no ${mode} is configured.`,
    `Set gateway.auth.${mode} (or ${prefix}GATEWAY_${mode.toUpperCase()}), or pass --${mode}.`,
  );
}

function refuseTailscale(
  mode: TailscaleMode,
  exposed: boolean,
  {
    authMode: auth,
    allowTailscale,
    wantsCertificates,
  }: Pick<Exposure, "authMode" | "allowTailscale"> & { readonly wantsCertificates: boolean },
  prefix: string,
): Refusal | undefined {
  if (exposed)
    return refuse("Gateway failed to start: Error: tailscale serve/funnel requires gateway bind=loopback (127.0.0.1)");
  if (mode === "funnel" && auth !== "password")
    return refuse(
      `Gateway failed to start: Error: tailscale funnel requires gateway auth mode=password (set gateway.auth.password or ${prefix}GATEWAY_PASSWORD)`,
    );
  if (mode === "serve" && auth === "none" && !allowTailscale)
    return refuse(
      "Refusing to publish gateway through tailscale serve without auth.",
      "Set gateway.auth.token/password, or let gateway.auth.allowTailscale accept the identity that Tailscale vouches for.",
    );
  if (wantsCertificates)
    return refuse(
      "tailscale serve/funnel has no client certificate, and gateway.tls.caPath asks everybody for one.",
      "Unset gateway.tls.caPath, or set gateway.tailscale.mode to off.",
    );
  return undefined;
}

function refuse(...lines: readonly string[]): Refusal {
  return { lines, exit: 78 };
}

const examples = /^(?:your[-_ ](?:secure[-_ ])?(?:token|password)|x+|change-?me|password|secret|token|admin|1234\d*)$/i;

function weakSecrets({ token, password }: Auth): readonly string[] {
  const value = token ?? password;
  if (value === undefined) return [];
  const name = token === undefined ? "password" : "token";
  if (examples.test(value)) return [`the gateway ${name} is one that everybody tries first: choose another`];
  const wanted = token === undefined ? 12 : 16;
  return value.length < wanted ? [`the gateway ${name} is short: use at least ${wanted} characters`] : [];
}
