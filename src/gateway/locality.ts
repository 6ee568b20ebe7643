/** Where a request comes from, after what proxies say has been believed or not (protocol.md 4.4, threat J). */
export interface Locality {
  /** The client's address: the peer's, or the one that a trusted proxy forwards. IPv4-mapped forms normalised. */
  readonly address: string;
  /** A direct connection from this machine: loopback peer and no forwarding header. */
  readonly local: boolean;
  /** The peer itself is a trusted proxy that forwards for somebody. */
  readonly proxied: boolean;
  /** Forwarding headers from a peer that is not a trusted proxy: nothing may be opened for it. */
  readonly forged: boolean;
}

const forwarding = /^(forwarded|x-forwarded-.+|x-real-ip)$/;

export function locate(headers: Headers, peer: string, trustedProxies: readonly string[]): Locality {
  const peerAddress = normaliseAddress(peer);
  const forwarded = [...headers.keys()].some((name) => forwarding.test(name));
  if (!forwarded) return { address: peerAddress, local: isLoopback(peerAddress), proxied: false, forged: false };
  if (!isTrusted(peerAddress, trustedProxies))
    return { address: peerAddress, local: false, proxied: false, forged: true };
  return { address: forwardedFor(headers, trustedProxies) ?? peerAddress, local: false, proxied: true, forged: false };
}

/** An address in one spelling: no zone, no brackets, IPv4-mapped IPv6 as IPv4 (threat I). */
export function normaliseAddress(address: string): string {
  const bare = address
    .trim()
    .replace(/^\[|\](:\d+)?$/g, "")
    .replace(/%.*$/, "")
    .toLowerCase();
  const mapped = /^(?:0*:)*:?(?:0*:)*ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(bare);
  if (mapped?.[1]) return mapped[1];
  const hex = /^(?:0*:)*:?(?:0*:)*ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(bare);
  if (hex?.[1] && hex[2] && bare.includes("::ffff:")) {
    const [high, low] = [Number.parseInt(hex[1], 16), Number.parseInt(hex[2], 16)];
    return [high >> 8, high & 255, low >> 8, low & 255].join(".");
  }
  return /^(0*:)+0*1$/.test(bare) ? "::1" : bare;
}

/** What a limiter counts by: an IPv4 address, or the /64 that one IPv6 subscriber holds. */
export function limiterKey(address: string): string {
  if (!address.includes(":") || address === "::1") return isLoopback(address) ? "loopback" : address;
  const [head = "", tail = ""] = address.split("::");
  const front = head === "" ? [] : head.split(":");
  const back = tail === "" ? [] : tail.split(":");
  const gap = Math.max(8 - front.length - back.length, 0);
  const groups = address.includes("::") ? [...front, ...Array.from({ length: gap }, () => "0"), ...back] : front;
  return `${groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ""))
    .join(":")}::/64`;
}

export function isLoopback(address: string): boolean {
  return address === "::1" || /^127\.\d+\.\d+\.\d+$/.test(address);
}

/** Addresses that never leave the local network: RFC 1918, link-local, unique local, and Tailscale's 100.64.0.0/10. */
export function isPrivate(address: string): boolean {
  if (isLoopback(address)) return true;
  const [a = 0, b = 0] = address.split(".").map(Number);
  if (/^\d+\.\d+\.\d+\.\d+$/.test(address)) {
    return (
      a === 10 ||
      (a === 172 && b >= 16 && b <= 31) ||
      (a === 192 && b === 168) ||
      (a === 169 && b === 254) ||
      (a === 100 && b >= 64 && b <= 127)
    );
  }
  return /^(fe[89ab]|f[cd])/.test(address) && address.includes(":");
}

function isTrusted(address: string, trusted: readonly string[]): boolean {
  return trusted.some((entry) =>
    entry.includes("/") ? inNetwork(address, entry) : normaliseAddress(entry) === address,
  );
}

/** IPv4 networks (`10.0.0.0/8`). */
function inNetwork(address: string, network: string): boolean {
  const [base = "", bits = ""] = network.split("/");
  const [a, b] = [toNumber(address), toNumber(normaliseAddress(base))];
  const length = Number(bits);
  if (a === undefined || b === undefined || !/^\d+$/.test(bits) || length > 32) return false;
  const size = 2 ** (32 - length);
  return Math.floor(a / size) === Math.floor(b / size);
}

function toNumber(address: string): number | undefined {
  if (!/^\d+\.\d+\.\d+\.\d+$/.test(address)) return undefined;
  return address.split(".").reduce((total, part) => total * 256 + Number(part), 0);
}

/** The last address in X-Forwarded-For that is not itself a trusted proxy: the only one a client cannot choose. */
function forwardedFor(headers: Headers, trusted: readonly string[]): string | undefined {
  const chain = (headers.get("x-forwarded-for") ?? headers.get("x-real-ip") ?? "")
    .split(",")
    .map(normaliseAddress)
    .filter((address) => address !== "");
  return chain.findLast((address) => !isTrusted(address, trusted)) ?? chain[0];
}
