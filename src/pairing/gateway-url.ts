import type { NetInterface } from "../host/host.ts";
import { Failure } from "../kit/error.ts";
import { inNetwork, parseIp } from "../kit/ip.ts";

/** What decides under which URL a device that is set up will find this gateway. */
export interface UrlFacts {
  /** Given with the question. */
  readonly publicUrl?: string | undefined;
  /** `gateway.remote.url`, where the question prefers it. */
  readonly remoteUrl?: string | undefined;
  readonly publicOrigin?: string | undefined;
  /** Where Tailscale publishes the gateway, while it does. */
  readonly tailscaleUrl?: string | undefined;
  readonly bind: string;
  readonly customBindHost?: string | undefined;
  readonly port: number;
  readonly tls: boolean;
  readonly interfaces: readonly NetInterface[];
}

export interface GatewayUrl {
  /** `ws://` or `wss://`. */
  readonly url: string;
  /** Which setting it comes from. */
  readonly source: string;
}

/**
 * Chooses the URL that a setup code carries: what somebody has said first, then what is published, then this machine's
 * own address. Throws when a device elsewhere could not reach it, or only across a network that others can read.
 */
export function chooseGatewayUrl(facts: UrlFacts): GatewayUrl {
  const named: readonly (readonly [source: string, url: string | undefined])[] = [
    ["publicUrl", facts.publicUrl],
    ["gateway.remote.url", facts.remoteUrl],
    ["gateway.publicOrigin", facts.publicOrigin],
    ["gateway.tailscale.mode", facts.tailscaleUrl],
  ];
  const [source, text] = named.find(([, url]) => url?.trim()) ?? [`gateway.bind=${facts.bind}`, ownUrl(facts)];
  if (text === undefined) throw onlyHere();
  return { url: toWebSocket(text, source), source };
}

/** As long as a QR code can still be read from a screen. */
const MOST_CHARACTERS = 512;

function ownUrl({ bind, customBindHost, port, tls, interfaces }: UrlFacts): string | undefined {
  const beyond = interfaces.filter(({ internal }) => !internal).map(({ address }) => address);
  const lan = beyond.find((address) => lies(address, local4)) ?? beyond.find((address) => lies(address, local6));
  const every = customBindHost === "0.0.0.0" || customBindHost === "::";
  const hosts: Readonly<Record<string, string | undefined>> = {
    lan,
    auto: lan,
    tailnet: beyond.find((address) => lies(address, ["100.64.0.0/10"])),
    custom: every ? lan : customBindHost,
  };
  const host = hosts[bind];
  if (host === undefined) return undefined;
  return `${tls ? "wss" : "ws"}://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function toWebSocket(text: string, source: string): string {
  const known = text.length <= MOST_CHARACTERS && URL.canParse(text.trim());
  const url = known ? new URL(text.trim()) : undefined;
  const secure = url && /^(wss|https):$/.test(url.protocol);
  if (!url || !(secure || /^(ws|http):$/.test(url.protocol)) || url.username || url.password)
    throw new Failure("invalid-request", `${source} is no gateway URL: give one such as wss://gateway.example`);
  if (!secure && !isPrivate(url.hostname))
    throw new Failure(
      "invalid-request",
      `ws://${url.host} (from ${source}) would send what is said across a network that others can read: use wss://, with gateway.tls.enabled or tailscale serve`,
    );
  const path = url.pathname.replace(/\/+$/, "");
  return `${secure ? "wss" : "ws"}://${url.host}${path}`;
}

/** Whether a name or address leads nowhere but to this machine or its local network. */
function isPrivate(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, "");
  return (
    host === "localhost" || host.endsWith(".local") || lies(host, [...local4, ...local6, "127.0.0.0/8", "::1/128"])
  );
}

const local4 = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];
const local6 = ["fc00::/7"];

function lies(address: string, networks: readonly string[]): boolean {
  const ip = parseIp(address);
  return ip !== undefined && networks.some((network) => inNetwork(ip, network));
}

function onlyHere(): Failure {
  return new Failure(
    "invalid-request",
    "Gateway is only bound to loopback. Set gateway.bind=lan, enable tailscale serve, or configure gateway.publicOrigin.",
  );
}
