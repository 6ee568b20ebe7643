import * as v from "valibot";
import { queueModes } from "../../session/sessions.ts";
import { type KeyMetadata, text, whole } from "./section.ts";

const hour = v.pipe(
  v.number("an hour from 0 to 23"),
  v.integer("an hour from 0 to 23"),
  v.minValue(0, "an hour from 0 to 23"),
  v.maxValue(23, "an hour from 0 to 23"),
);

const reset = v.looseObject({
  mode: v.pipe(v.optional(v.picklist(["daily", "idle"])), v.description("Begin anew each day, or after a pause.")),
  atHour: v.pipe(v.optional(hour), v.description("Local hour at which the day begins.")),
  idleMinutes: v.pipe(v.optional(whole(1)), v.description("Pause after which a session begins anew.")),
});

const byName = <S extends v.GenericSchema>(schema: S) => v.record(v.string(), schema, "an object by name");

/** The `session` section: how messages are gathered into sessions. */
export const sessionSection = v.pipe(
  v.looseObject({
    scope: v.pipe(
      v.optional(v.picklist(["per-sender", "global"]), "per-sender"),
      v.description("A session for each sender, or one for all."),
    ),
    mainKey: v.pipe(v.optional(text, "main"), v.description("Name of the main session.")),
    dmScope: v.pipe(
      v.optional(v.picklist(["main", "per-peer", "per-channel-peer", "per-account-channel-peer"]), "main"),
      v.description("Which session direct messages go to."),
    ),
    identityLinks: v.pipe(
      v.optional(byName(v.array(text, "a list such as telegram:123")), {}),
      v.description("One person's names on several networks, by the name to use for all of them."),
    ),
    reset: v.pipe(v.optional(reset, {}), v.description("When a session begins anew.")),
    resetByType: v.pipe(v.optional(byName(reset), {}), v.description("The same for direct, dm, group or thread.")),
    resetByChannel: v.pipe(v.optional(byName(reset), {}), v.description("The same by chat network.")),
    idleMinutes: v.pipe(v.optional(whole(1)), v.description("Older spelling of reset.idleMinutes.")),
    resetTriggers: v.pipe(
      v.optional(v.array(text, "a list of commands"), ["/new", "/reset"]),
      v.description("Messages that begin a new session."),
    ),
    maintenance: v.pipe(
      v.optional(
        v.looseObject({
          mode: v.pipe(
            v.optional(v.picklist(["warn", "enforce"]), "warn"),
            v.description("Say what is too much, or remove it."),
          ),
          pruneAfter: v.pipe(v.optional(text, "30d"), v.description("Age from which untouched sessions may go.")),
          maxEntries: v.pipe(v.optional(whole(1)), v.description("Most sessions kept.")),
        }),
        {},
      ),
      v.description("How many sessions are kept, and for how long."),
    ),
  }),
  v.metadata({ reload: "live" } satisfies KeyMetadata),
);

const queue = {
  mode: v.pipe(v.optional(v.picklist(queueModes), "steer"), v.description("What becomes of messages during a run.")),
  debounceMs: v.pipe(v.optional(whole(0), 500), v.description("Pause after the last of them before they are taken.")),
  cap: v.pipe(v.optional(whole(1), 20), v.description("Most messages that wait.")),
  drop: v.pipe(
    v.optional(v.picklist(["summarize", "old", "new"]), "summarize"),
    v.description("What becomes of those above the cap."),
  ),
  byChannel: v.pipe(v.optional(byName(v.picklist(queueModes)), {}), v.description("The mode by chat network.")),
};

const groupChat = v.looseObject({
  mentionPatterns: v.pipe(
    v.optional(v.array(text, "a list of regular expressions"), []),
    v.description("What an agent is called by in groups: regular expressions, capitals or not."),
  ),
  historyLimit: v.pipe(
    v.optional(whole(0)),
    v.description("Most messages of a group that are shown before the one that is answered, in all networks."),
  ),
});

/** The `messages` section: what becomes of messages. */
export const messagesSection = v.pipe(
  v.looseObject({
    queue: v.pipe(v.optional(v.looseObject(queue), {}), v.description("Messages that come during a run.")),
    responsePrefix: v.pipe(
      v.optional(v.string("a text in quotes"), ""),
      v.description(
        "Put before answers in chat networks: a text, which may name {model}, {modelFull}, {provider}, {thinkingLevel} and {identity.name}, or auto for the agent's name.",
      ),
    ),
    groupChat: v.pipe(v.optional(groupChat, {}), v.description("Messages of groups.")),
    ackReaction: v.pipe(
      v.optional(v.string("an emoji in quotes"), "👀"),
      v.description("Reaction that shows that a message was seen; empty for none."),
    ),
    ackReactionScope: v.pipe(
      v.optional(v.picklist(["group-mentions", "group-all", "direct", "all", "off"]), "group-mentions"),
      v.description("Which messages get it."),
    ),
  }),
  v.metadata({ reload: "live" } satisfies KeyMetadata),
);
