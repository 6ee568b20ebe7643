import type { Flavour } from "../host/flavour.ts";

/** The TCP port of a gateway that was told nothing else; the schema's default for `gateway.port` is the same. */
export const DEFAULT_PORT = 18789;

/** Where the dev profile goes when a gateway of another profile has the default port (cli.md 10.1). */
export const DEV_PORT = 19001;

export const DEFAULT_BIND = "loopback";

/** The dev profile's state folder under the home folder: `.clawdbot-dev`, `.openclaw-dev`. */
export function devState(flavour: Flavour): string {
  return `${flavour.stateFolder}-dev`;
}
