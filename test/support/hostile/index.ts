import type { Attack } from "./attack.ts";
import { authority } from "./authority.ts";
import { codes } from "./codes.ts";
import { conversation } from "./conversation.ts";
import { frames } from "./frames.ts";
import { handshake } from "./handshake.ts";
import { identity } from "./identity.ts";
import { limits } from "./limits.ts";
import { locality } from "./locality.ts";
import { origins } from "./origins.ts";
import { pairing } from "./pairing.ts";
import { secrets } from "./secrets.ts";

/** Every attack, by theme. The last ones leave an address locked out for a while. */
export const attacks: Readonly<Record<string, readonly Attack[]>> = {
  frames,
  handshake,
  identity,
  authority,
  pairing,
  codes,
  origins,
  locality,
  secrets,
  conversation,
  limits,
};
