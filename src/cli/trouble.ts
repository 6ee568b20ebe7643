import { detailCode } from "../client/failures.ts";
import type { Target } from "../client/target.ts";
import type { Failure } from "../kit/error.ts";
import { spellFingerprint } from "../kit/fingerprint.ts";
import { textAt } from "./pick.ts";

/** What kept a gateway from being reached, for programs. */
export type TroubleKind =
  | "refused"
  | "no-such-name"
  | "no-answer"
  | "no-route"
  | "certificate"
  | "client-certificate"
  | "pairing-required"
  | "rate-limited"
  | "credentials-missing"
  | "credentials-wrong"
  | "other-protocol"
  | "not-a-gateway"
  | "unknown";

export interface Trouble {
  readonly kind: TroubleKind;
  /** What it means and what to do, a line each. */
  readonly advice: readonly string[];
}

/** What a failure to connect comes down to. The text of the failure stays what the system or the gateway said. */
export function troubleOf(failure: Failure, target: Target, program: string): Trouble {
  const { code, message, details } = failure;
  const detail = detailCode(details) ?? "";
  const request = textAt(details, "requestId");
  if (request !== undefined)
    return {
      kind: "pairing-required",
      advice: [`Fix: approve this device on the gateway: ${program} devices approve ${request}`],
    };
  if (code === "rate-limited") return { kind: "rate-limited", advice: ["Fix: wait before trying again."] };
  if (wantsSecret.test(detail)) return { kind: "credentials-missing", advice: [fixCredentials(target)] };
  if (code === "not-paired")
    return { kind: "pairing-required", advice: [`Fix: look for this device on the gateway: ${program} devices list`] };
  if (detail.startsWith("AUTH_")) return { kind: "credentials-wrong", advice: [fixCredentials(target)] };
  if (/protocol mismatch/i.test(message))
    return { kind: "other-protocol", advice: ["It speaks another version of the protocol: update the older of both."] };
  const [kind, sentence] = patterns.find(([, , pattern]) => pattern.test(message)) ?? [];
  if (kind !== undefined && sentence !== undefined) return { kind, advice: sentence(target, { program, message }) };
  return code === "timeout" ? { kind: "no-answer", advice: silent(target) } : { kind: "unknown", advice: [] };
}

/** The ways in which a gateway says that it was given no proof at all (protocol.md 3.4, 4.2). */
export const wantsSecret = /^(AUTH_TOKEN_MISSING|AUTH_PASSWORD_MISSING|AUTH_REQUIRED|DEVICE_IDENTITY_REQUIRED)$/;

type Sentence = (target: Target, said: { program: string; message: string }) => readonly string[];

/** What runtimes, resolvers and TLS say, in the order in which they are tried. */
const patterns: readonly (readonly [TroubleKind, Sentence, RegExp])[] = [
  ["client-certificate", ownCertificate, /only clients with a certificate/],
  ["certificate", compare, /certificate/i],
  ["refused", refused, /ECONNREFUSED/],
  [
    "no-such-name",
    ({ url }) => [`The name ${hostOf(url)} does not resolve: check the spelling, or use the address.`],
    /ENOTFOUND|EAI_AGAIN|getaddrinfo/,
  ],
  [
    "no-route",
    ({ url }) => [`There is no way to ${hostOf(url)} from here: is this machine in its network, or its tailnet?`],
    /EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|EADDRNOTAVAIL/,
  ],
  ["no-answer", silent, /ETIMEDOUT|no answer within|gateway timeout/],
  [
    "not-a-gateway",
    () => [
      "Something else answers there, or one side speaks TLS and the other does not: check port, and ws:// or wss://.",
    ],
    /not hello-ok|the server answered \d|nexpected server response|socket hang up|ECONNRESET|EPROTO|wrong version number|Parse Error|HPE_|Invalid Sec-WebSocket/,
  ],
];

/** Not trusted, or not the pinned one: compare first, then pin. */
function compare(target: Target, { program, message }: { program: string; message: string }): readonly string[] {
  const shown = /certificate .*sha256 ([0-9a-f]{64})/.exec(message)?.[1];
  if (shown === undefined) return [];
  if (target.kind === "local")
    return [
      "Another program may answer there, or the certificate was changed since this machine's gateway read it.",
      `Fix: look who listens (${program} gateway status), then restart the gateway.`,
    ];
  return [
    `Compare: the gateway prints its own as "TLS certificate: sha256 ..." when it starts, and in ${program} gateway status there.`,
    `Only if it is the same as here: ${spellFingerprint(shown)}`,
    `Fix: pass --tls-fingerprint ${shown}, or set gateway.remote.tlsFingerprint to it.`,
  ];
}

/** There is no setting for a certificate of one's own: the gateway makes one for its own machine, and that is all. */
function ownCertificate({ kind }: Target, { program }: { program: string }): readonly string[] {
  const why = "It takes only clients with a certificate of its authority (gateway.tls.caPath).";
  if (kind === "local")
    return [`${why} The one that it makes for this machine is missing.`, `Fix: ${program} gateway restart`];
  return [
    `${why} Commands have one for the gateway of their own machine alone.`,
    `Fix: run the command there, such as: ssh <host> ${program} health`,
  ];
}

function refused({ kind, url }: Target, { program }: { program: string }): readonly string[] {
  if (kind === "local") return [`Nothing listens there. Start it: ${program} gateway`];
  return [
    `Nothing listens at ${hostOf(url)}: is the gateway running there, and open beyond its own machine (gateway.bind)?`,
  ];
}

function silent({ url }: Target): readonly string[] {
  return [
    `${hostOf(url)} does not answer: is it on, in reach, and not behind a firewall? A slow one needs a longer --timeout.`,
  ];
}

function fixCredentials({ kind }: Target): string {
  if (kind === "local") return "Fix: pass --token or --password, or set gateway.auth in the configuration.";
  if (kind === "remote")
    return "Fix: pass --token or --password, or set gateway.remote.token to what that gateway asks for.";
  return "Fix: pass what this gateway asks for: --token or --password";
}

function hostOf(url: string): string {
  return new URL(url).host;
}
