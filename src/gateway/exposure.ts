import type { Config } from "../config/schema.ts";
import type { NetInterface } from "../host/host.ts";
import { beyondLoopback, lanAddresses, loopbackAddresses, tailnetAddress } from "./addresses.ts";

type GatewayConfig = Config["gateway"];
export type BindMode = GatewayConfig["bind"];
export type AuthMode = NonNullable<GatewayConfig["auth"]["mode"]>;
export type TailscaleMode = GatewayConfig["tailscale"]["mode"];

/** What the gateway may show to the network, decided before anything is opened. */
export interface Exposure {
  readonly bind: BindMode;
  /** The hosts to listen on; `0.0.0.0` stands for every IPv4 address of this machine. */
  readonly addresses: readonly string[];
  /** The addresses a person can use to reach `0.0.0.0`. */
  readonly lan: readonly string[];
  readonly authMode: AuthMode;
  readonly token?: string | undefined;
  readonly password?: string | undefined;
  readonly tailscale: TailscaleMode;
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
  readonly config: Pick<GatewayConfig, "bind" | "customBindHost" | "auth" | "trustedProxies" | "tailscale">;
  readonly interfaces: readonly NetInterface[];
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
  if (!["loopback", "auto"].includes(bind) && auth.authMode === "none") return refuseOpen(bind, request.envPrefix);
  const places = decideAddresses(bind, request, auth.authMode !== "none");
  if ("lines" in places) return places;
  const exposed = places.addresses.some(beyondLoopback);
  if (tailscale !== "off") {
    const refusal = refuseTailscale(tailscale, exposed, auth.authMode, request.envPrefix);
    if (refusal) return refusal;
  }
  const notes = [...places.notes, ...auth.notes, ...(exposed ? weakSecrets(auth) : []), ...tailscaleNotes(tailscale)];
  return { bind, tailscale, lan: [], ...auth, ...places, notes };
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
      return {
        authMode: "trusted-proxy",
        notes: [...unused("token", flags.token), ...unused("password", flags.password)],
      };
    default:
      return { authMode: "none", notes: [...unused("token", flags.token), ...unused("password", flags.password)] };
  }
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

type Places = Pick<Exposure, "addresses" | "notes"> & { readonly lan?: readonly string[] };

function decideAddresses(bind: BindMode, request: ExposureRequest, hasAuth: boolean): Places | Refusal {
  const loopback = loopbackAddresses(request.interfaces);
  const lan = lanAddresses(request.interfaces);
  switch (bind) {
    case "loopback":
      return { addresses: loopback, notes: [] };
    case "lan":
      return { addresses: ["0.0.0.0"], lan, notes: [] };
    case "tailnet": {
      const address = tailnetAddress(request.interfaces);
      if (address) return { addresses: [address, "127.0.0.1"], notes: [] };
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

function decideCustom({ config, interfaces }: ExposureRequest): Places | Refusal {
  const host = config.customBindHost?.trim();
  if (!host)
    return refuse(
      "Gateway bind is set to custom, but gateway.customBindHost is not set.",
      "Set gateway.customBindHost to an IP address of this machine.",
    );
  if (host === "0.0.0.0") return { addresses: [host], lan: lanAddresses(interfaces), notes: [] };
  const ours = interfaces.map(({ address }) => address);
  if (!ours.includes(host))
    return refuse(
      `Gateway bind is set to custom, but gateway.customBindHost ${JSON.stringify(host)} is not an address of this machine.`,
      `Set it to one of: ${[...new Set(["0.0.0.0", ...ours])].join(", ")}.`,
    );
  return { addresses: [...new Set([host, "127.0.0.1"])], notes: [] };
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

function refuseTailscale(mode: TailscaleMode, exposed: boolean, auth: AuthMode, prefix: string): Refusal | undefined {
  if (exposed)
    return refuse("Gateway failed to start: Error: tailscale serve/funnel requires gateway bind=loopback (127.0.0.1)");
  if (mode === "funnel" && auth !== "password")
    return refuse(
      `Gateway failed to start: Error: tailscale funnel requires gateway auth mode=password (set gateway.auth.password or ${prefix}GATEWAY_PASSWORD)`,
    );
  return undefined;
}

function refuse(...lines: readonly string[]): Refusal {
  return { lines, exit: 78 };
}

/** The mode is checked, but this release starts nothing: saying so is better than a tunnel that never comes. */
function tailscaleNotes(mode: TailscaleMode): readonly string[] {
  return mode === "off"
    ? []
    : [`tailscale ${mode} is not started by this release: run \`tailscale ${mode} --bg\` yourself`];
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
