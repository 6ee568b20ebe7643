import type { Net } from "../host/host.ts";
import { inNetwork, parseIp } from "../kit/ip.ts";

/** Which addresses an agent's browser may ask: a page, or a model that reads one, must not reach what only we can (SSRF). */
export interface Guard {
  /** Why this address may not be asked; undefined when it may. */
  refusal(url: string): Promise<string | undefined>;
  /** The same for the machine that has answered: names may lead elsewhere the second time. */
  refusalOf(url: string, remoteAddress: string): string | undefined;
}

export interface GuardSettings {
  /** This machine and private networks may be asked too. */
  readonly allowPrivateNetwork: boolean;
  /** Hosts that may be asked wherever they lie. */
  readonly allowedHostnames: readonly string[];
}

const RESOLVE_MS = 3000;
/** Names whose addresses are remembered while the browser runs. */
const MOST_NAMES = 1000;

export function createGuard(net: Pick<Net, "resolve">, settings: GuardSettings): Guard {
  const known = new Map<string, Promise<boolean>>();
  const allowed = new Set(settings.allowedHostnames.map((name) => name.toLowerCase()));
  const isFree = (hostname: string): boolean => settings.allowPrivateNetwork || allowed.has(hostname);

  /** Whether one of a name's addresses is not of the internet. A name that nobody knows leads nowhere. */
  async function leadsInside(hostname: string): Promise<boolean> {
    const [four, six] = await Promise.all(
      (["A", "AAAA"] as const).map(
        async (type) => (await net.resolve?.(hostname, type, { timeoutMs: RESOLVE_MS }).catch(() => [])) ?? [],
      ),
    );
    return [...(four ?? []), ...(six ?? [])].some((address) => !isPublic(address));
  }

  return {
    async refusal(url) {
      const parsed = URL.canParse(url) ? new URL(url) : undefined;
      if (!parsed || !/^(https?|wss?):$/.test(parsed.protocol))
        return /^(data|blob|about):/.test(url)
          ? undefined
          : `${kindOf(url)} addresses are not opened: http and https are`;
      const hostname = bare(parsed.hostname);
      if (isFree(hostname)) return undefined;
      if (isLocalName(hostname) || (parseIp(hostname) && !isPublic(hostname))) return inside(hostname);
      if (parseIp(hostname)) return undefined;
      if (known.size >= MOST_NAMES) known.clear();
      const leads = known.get(hostname) ?? leadsInside(hostname);
      known.set(hostname, leads);
      return (await leads) ? inside(hostname) : undefined;
    },
    refusalOf(url, remoteAddress) {
      const hostname = URL.canParse(url) ? bare(new URL(url).hostname) : "";
      const address = bare(remoteAddress);
      return address === "" || isFree(hostname) || isPublic(address) ? undefined : inside(hostname);
    },
  };
}

function inside(hostname: string): string {
  return `${hostname} is this machine or in a private network: whoever runs the gateway allows it by browser.ssrfPolicy.allowedHostnames`;
}

function kindOf(url: string): string {
  return /^([a-z][a-z0-9+.-]{0,20}):/i.exec(url)?.[1]?.toLowerCase() ?? "such";
}

function bare(hostname: string): string {
  return hostname
    .toLowerCase()
    .replace(/^\[|\]$/g, "")
    .replace(/\.$/, "");
}

/** Names that are not asked of servers, or are those of machines nearby (RFC 6761, RFC 6762, RFC 8375). */
function isLocalName(hostname: string): boolean {
  return !/[.:]/.test(hostname) || /\.(localhost|local|internal|lan|home|home\.arpa)$/.test(hostname);
}

/** Whether an address is one of the internet. */
export function isPublic(address: string): boolean {
  const ip = parseIp(address);
  return ip !== undefined && !special.some((network) => inNetwork(ip, network));
}

/** The registries of special addresses (RFC 6890 and its successors), with those that hold an IPv4 address. */
const special = (
  "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 " +
  "192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/3 ::/96 64:ff9b::/32 100::/64 2001::/23 " +
  "2001:db8::/32 2002::/16 fc00::/7 fe80::/10 fec0::/10 ff00::/8"
).split(" ");
