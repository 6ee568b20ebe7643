/** An IP address as a number of 32 or 128 bits: two spellings of one address are equal. */
export interface Ip {
  readonly family: 4 | 6;
  readonly value: bigint;
}

/**
 * Reads an address as text: IPv4 with four decimal numbers, IPv6 (RFC 4291 2.2) with or without a zone, which is left
 * out. IPv4-mapped IPv6 is the IPv4 address that it stands for. Undefined for anything else, leading zeros included:
 * some programs take `010.0.0.1` for another address.
 */
export function parseIp(text: string): Ip | undefined {
  const four = parseV4(text);
  if (four !== undefined) return { family: 4, value: four };
  const six = parseV6(text.replace(/%[^%]*$/, ""));
  if (six === undefined) return undefined;
  return six >> 32n === mappedPrefix ? { family: 4, value: six & 0xffff_ffffn } : { family: 6, value: six };
}

/** The one spelling of an address: dotted decimal, or IPv6 as RFC 5952 4 writes it. */
export function formatIp({ family, value }: Ip): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 255n)).join(".");
  const groups = Array.from({ length: 8 }, (_, index) => (value >> BigInt(112 - 16 * index)) & 0xffffn);
  return canonical(groups.map((group) => group.toString(16)).join(":"));
}

/** An address as the host of a URL. */
export function urlHost(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}

/** An address in network byte order, 4 or 16 of them as it is spelled; undefined when it is none. */
export function ipBytes(text: string): Uint8Array | undefined {
  const four = parseV4(text);
  const value = four ?? parseV6(text);
  if (value === undefined) return undefined;
  const length = four === undefined ? 16 : 4;
  return Uint8Array.from({ length }, (_, index) => Number((value >> BigInt(8 * (length - 1 - index))) & 255n));
}

/** The spelling of an address from its 4 or 16 bytes. */
export function ipText(bytes: Uint8Array): string {
  const value = bytes.reduce((total, byte) => (total << 8n) + BigInt(byte), 0n);
  return formatIp({ family: bytes.length === 4 ? 4 : 6, value });
}

/** Whether two addresses share their first `bits`. */
export function samePrefix(a: string, b: string, bits: number): boolean {
  const ip = parseIp(a);
  return ip !== undefined && inNetwork(ip, `${b}/${bits}`);
}

/** Addresses that share their first `bits`. */
export interface Network {
  readonly base: Ip;
  readonly bits: number;
}

/** Reads `10.0.0.0/8` or `fd00::/8`; one address is the network of itself. */
export function parseNetwork(text: string): Network | undefined {
  const [, address = "", length] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text.trim()) ?? [];
  const base = parseIp(address);
  if (!base) return undefined;
  // A mapped network is written with the length of an IPv6 one.
  const mapped = base.family === 4 && address.includes(":");
  const bits = length === undefined ? widthOf(base) : Number(length) - (mapped ? 96 : 0);
  return bits >= 0 && bits <= widthOf(base) ? { base, bits } : undefined;
}

/** Whether an address lies in a network given as text; in what is no network lies nothing. */
export function inNetwork(ip: Ip, network: string): boolean {
  const { base, bits } = parseNetwork(network) ?? {};
  if (!base || bits === undefined || ip.family !== base.family) return false;
  return networkOf(ip, bits).value === networkOf(base, bits).value;
}

/** The first address of the network of this length that an address is in. */
export function networkOf({ family, value }: Ip, bits: number): Ip {
  const rest = BigInt(widthOf({ family }) - bits);
  return { family, value: (value >> rest) << rest };
}

const mappedPrefix = 0xffffn;

function widthOf({ family }: Pick<Ip, "family">): number {
  return family === 4 ? 32 : 128;
}

function parseV4(text: string): bigint | undefined {
  const part = "(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
  const parts = new RegExp(`^${part}\\.${part}\\.${part}\\.${part}$`).exec(text)?.slice(1);
  return parts?.reduce((total, each) => total * 256n + BigInt(each), 0n);
}

function parseV6(text: string): bigint | undefined {
  // The longest spelling has 45 characters. What else a URL's host may hold is no address.
  if (!/^[0-9a-f:.]{2,45}$/i.test(text) || !URL.canParse(`http://[${text}]`)) return undefined;
  const [head = [], tail = []] = canonical(text)
    .split("::")
    .map((half) => (half === "" ? [] : half.split(":")));
  const gap = Array.from({ length: 8 - head.length - tail.length }, () => "0");
  return [...head, ...gap, ...tail].reduce((total, group) => (total << 16n) + BigInt(`0x${group}`), 0n);
}

/** The URL standard has the one spelling of RFC 5952, and no IPv4 in it. */
function canonical(text: string): string {
  return new URL(`http://[${text}]`).hostname.slice(1, -1);
}
