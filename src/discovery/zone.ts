import { crc32 } from "../kit/crc32.ts";

export interface ZoneFacts {
  /** The product's name, for the comment. */
  readonly product: string;
  /** With its dot at the end. */
  readonly domain: string;
  /** Where the DNS server and the gateway are: this machine's tailnet addresses. */
  readonly address: string;
  readonly address6?: string | undefined;
  /** Absent before there was a gateway: the zone can be served all the same. */
  readonly gateway?: ZoneGateway | undefined;
}

export interface ZoneGateway {
  readonly types: readonly string[];
  /** A single label each. */
  readonly hostname: string;
  readonly port: number;
  readonly txt: readonly (readonly [key: string, value: string])[];
}

/**
 * The text of a zone file (RFC 1035 5, RFC 6763) that announces a gateway, or undefined when `previous` says the same
 * already. Servers take up a zone whose serial has grown: it is the day and a number (RFC 1912 2.2), and never goes back,
 * also when the clock does.
 */
export function zoneText(
  facts: ZoneFacts,
  { previous, now }: { previous?: string | undefined; now: number },
): string | undefined {
  const lines = recordLines(facts);
  const hash = crc32(new TextEncoder().encode(JSON.stringify([facts.domain, lines])))
    .toString(16)
    .padStart(8, "0");
  const withSerial = (serial: number): string =>
    [
      `; ${facts.product}-content-hash: ${hash}`,
      `$ORIGIN ${facts.domain}`,
      "$TTL 60",
      `@ IN SOA ns1 hostmaster ${serial} 7200 3600 1209600 60`,
      ...lines,
      "",
    ].join("\n");
  const last = serialOf(previous ?? "");
  if (last !== undefined && withSerial(last) === previous) return undefined;
  return withSerial(Math.max(firstOfDay(now), last === undefined ? 0 : last + 1));
}

function recordLines({ address, address6, gateway }: ZoneFacts): readonly string[] {
  const addresses = (name: string): readonly string[] => [
    `${name} IN A ${address}`,
    ...(address6 === undefined ? [] : [`${name} IN AAAA ${address6}`]),
  ];
  return [
    "@ IN NS ns1",
    ...addresses("ns1"),
    ...(gateway && gateway.hostname !== "ns1" ? addresses(gateway.hostname) : []),
    ...(gateway?.types.flatMap((type) => serviceLines(type, gateway)) ?? []),
  ];
}

function serviceLines(type: string, { hostname, port, txt }: ZoneGateway): readonly string[] {
  const service = `${hostname.slice(0, 63 - suffix.length)}${suffix}.${type}`;
  return [
    `${type} IN PTR ${service}`,
    `${service} IN SRV 0 0 ${port} ${hostname}`,
    `${service} IN TXT ${txt.map(([key, value]) => quoted(`${key}=${value}`)).join(" ")}`,
  ];
}

const suffix = "-gateway";

/** A character string of a zone file: quotes, backslashes and whatever is not printable ASCII as escapes, 255 bytes at most. */
function quoted(text: string): string {
  const bytes = new TextEncoder().encode(text).subarray(0, 255);
  let out = "";
  for (const byte of bytes) {
    const character = String.fromCharCode(byte);
    if (byte < 0x20 || byte > 0x7e) out += `\\${String(byte).padStart(3, "0")}`;
    else out += character === '"' || character === "\\" ? `\\${character}` : character;
  }
  return `"${out}"`;
}

/** A serial has 32 bits. One that somebody set near their end, where it could not grow, is not followed. */
function serialOf(text: string): number | undefined {
  const serial = Number(/^@ IN SOA ns1 hostmaster (\d{1,10}) /m.exec(text)?.[1] ?? Number.NaN);
  return serial < 4_294_000_000 ? serial : undefined;
}

function firstOfDay(now: number): number {
  return Number(`${new Date(now).toISOString().slice(0, 10).replaceAll("-", "")}01`);
}
