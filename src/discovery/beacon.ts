import { flavours, type Flavour } from "../host/flavour.ts";
import { truncateUtf8, utf8Length } from "../kit/text.ts";
import type { Advertisement } from "./service.ts";

/** What a gateway knows of itself that others may be told. */
export interface BeaconFacts {
  readonly flavour: Pick<Flavour, "id" | "title" | "serviceType">;
  /** This machine's name for people. */
  readonly displayName: string;
  /** The first label of its name in DNS. */
  readonly hostname: string;
  readonly port: number;
  /** Whether other machines can connect without a tunnel. */
  readonly reachable: boolean;
  /** SHA-256 of the certificate in hex, when the port speaks TLS. */
  readonly tlsFingerprint?: string | undefined;
  /** The name in the tailnet, when there is one. */
  readonly tailnetDns?: string | undefined;
  readonly cliPath?: string | undefined;
  /** Where it is not the usual one. */
  readonly sshPort?: number | undefined;
}

type Txt = readonly (readonly [key: string, value: string])[];

/**
 * What is announced on the local network (cli.md 6.1): the mode `minimal` leaves out what only a tunnel needs, because
 * everybody in the network can read it.
 */
export function beaconOf(facts: BeaconFacts, mode: "minimal" | "full"): Advertisement {
  const { hostname, port, reachable, cliPath, sshPort, tailnetDns } = facts;
  const full = mode === "full";
  const displayName = truncateUtf8(facts.displayName, maxLabel);
  return {
    types: serviceTypes(facts.flavour),
    instance: instanceName(facts),
    hostname,
    port,
    txt: fitting([
      ["role", "gateway"],
      ["gatewayPort", String(port)],
      ["lanHost", `${hostname}.local`],
      ["displayName", displayName],
      ["cliPath", full ? cliPath : undefined],
      ["sshPort", full ? (sshPort ?? 22) : undefined],
      ["transport", "gateway"],
      ["tailnetDns", full ? tailnetDns : undefined],
      ...tlsHints(facts),
      ["gatewayDirectReachable", reachable ? 1 : undefined],
    ]),
  };
}

/** The same through DNS servers, for the owner's own tailnet: nobody else can ask them (cli.md 6.2). */
export function wideAreaTxt(facts: BeaconFacts): Txt {
  const { port, cliPath, sshPort, tailnetDns } = facts;
  return fitting([
    ["displayName", instanceName(facts)],
    ["role", "gateway"],
    ["transport", "gateway"],
    ["gatewayPort", String(port)],
    ["cliPath", cliPath],
    ...tlsHints(facts),
    ["tailnetDns", tailnetDns],
    ["sshPort", sshPort],
  ]);
}

/** Both service types, this product's own first: clients that are older than its name look for the other. */
export function serviceTypes({ serviceType }: Pick<Flavour, "serviceType">): readonly string[] {
  const all = Object.values(flavours).map((each) => each.serviceType);
  return [serviceType, ...all.filter((each) => each !== serviceType)];
}

/** The first label of a machine's name, as DNS and every resolver take it (RFC 1123); `.local` and the like are cut. */
export function hostLabel(name: string, otherwise: string): string {
  const [first = ""] = name.split(".");
  const label = first
    .replace(/[^A-Za-z0-9-]+/g, "-")
    .slice(0, maxLabel)
    .replace(/^-+|-+$/g, "");
  return label === "" ? otherwise : label;
}

/** A DNS label has at most so many bytes (RFC 1035 2.3.4). */
const maxLabel = 63;
/** And a string of a TXT record (RFC 6763 6.1). */
const maxString = 255;

function instanceName({ displayName, flavour }: BeaconFacts): string {
  const product = ` (${flavour.title})`;
  return `${truncateUtf8(displayName, maxLabel - product.length)}${product}`;
}

type Hint = readonly [key: string, value: string | number | undefined];

function tlsHints({ tlsFingerprint }: BeaconFacts): readonly Hint[] {
  return [
    ["gatewayTls", tlsFingerprint === undefined ? undefined : 1],
    ["gatewayTlsSha256", tlsFingerprint],
  ];
}

/** What is known and fits: half a path would be a wrong one. */
function fitting(hints: readonly Hint[]): Txt {
  return hints.flatMap(([key, value]) => {
    const text = String(value ?? "");
    return text === "" || utf8Length(`${key}=${text}`) > maxString ? [] : [[key, text] as const];
  });
}
