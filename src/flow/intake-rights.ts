import type { Inbound } from "../channels/channel.ts";
import { type Standing, standings } from "./admit.ts";
import { mayGive, type Parsed } from "./command.ts";
import { textOf } from "./intake-words.ts";
import { parseSlash } from "./slash/index.ts";
import type { TurnOrigin } from "./turns.ts";

/** What a sender may do with commands. It goes with the message: whatever the text says changes nothing in it (threat F). */
export function rightsOf(standing: Standing): Rights {
  return rights[standing];
}

type Rights = Pick<TurnOrigin, "scopes" | "trusted">;

const rights: Readonly<Record<Standing, Rights>> = {
  // Less would be not to write at all.
  guest: { scopes: ["operator.write"] },
  trusted: { scopes: ["operator.write"], trusted: true },
  owner: { scopes: ["operator.admin"] },
};

/** The command that a message is; undefined when it is meant for the model. */
export function commandIn(message: Inbound, isUnderstood: boolean): Parsed | undefined {
  const alone = (message.attachments ?? []).length === 0;
  return isUnderstood && alone ? parseSlash(textOf(message)) : undefined;
}

/** The least standing that may give a command; a guest none at all where commands are `held` to the allow lists. */
export function leastFor(command: Parsed, held: boolean): Standing {
  const able = standings.filter((standing) => mayGive(command, rights[standing], new Set(rights[standing].scopes)));
  return able.find((standing) => !held || standing !== "guest") ?? "owner";
}
