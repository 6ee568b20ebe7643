import type { Flavour } from "../host/flavour.ts";

/** The TCP port of a gateway that was told nothing else; the schema's default for `gateway.port` is the same. */
export const DEFAULT_PORT = 18789;

/** Where the dev profile goes when a gateway of another profile has the default port (cli.md 10.1). */
export const DEV_PORT = 19001;

export const DEFAULT_BIND = "loopback";

/**
 * How long a gateway may take to end once it is told to, all in all; service managers are asked to wait as long. A
 * restart in the process gives running turns the same time.
 */
export const drainMs = 30_000;

/** What of it is kept for closing: running turns have the time before. */
export const closingMs = 5000;

/** The dev profile's state folder under the home folder: `.clawdbot-dev`, `.openclaw-dev`. */
export function devState(flavour: Flavour): string {
  return `${flavour.stateFolder}-dev`;
}
