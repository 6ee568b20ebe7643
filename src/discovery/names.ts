import { escapeLabel } from "../host/dns-name.ts";
import { truncateUtf8, utf8Length } from "../kit/text.ts";

/** What is announced under: both may carry a number when somebody else has the name (RFC 6762 9). */
export interface Names {
  /** The service, as people read it: `vm (OpenClaw)`. */
  readonly instance: string;
  /** The first label of the machine's name, before `.local`. */
  readonly hostname: string;
}

/** The number that each name carries; 1 is none at all. */
export interface Numbers {
  readonly instance: number;
  readonly hostname: number;
}

/** Names that nobody else has had. */
export const unnumbered: Numbers = { instance: 1, hostname: 1 };

const maxLabelBytes = 63;

/** The instance's `number`th name: `vm (OpenClaw)`, `vm (OpenClaw) (2)`, ... */
export function numberedInstance(name: string, number: number): string {
  return withSuffix(name, number > 1 ? ` (${number})` : "");
}

/**
 * The host's `number`th name: `vm`, `vm-2`, ... Brackets as in the instance's name would be no legal host name
 * (RFC 1123 2.1), which resolvers and browsers refuse.
 */
export function numberedHostname(name: string, number: number): string {
  return withSuffix(name, number > 1 ? `-${number}` : "");
}

/** The full name of an instance of a service type. */
export function instanceName(instance: string, type: string): string {
  return `${escapeLabel(instance)}.${type}.local`;
}

export function hostName(hostname: string): string {
  return `${escapeLabel(hostname)}.local`;
}

function withSuffix(name: string, suffix: string): string {
  return truncateUtf8(name, maxLabelBytes - utf8Length(suffix)) + suffix;
}
