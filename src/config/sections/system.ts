import * as v from "valibot";
import { levels } from "../../kit/log.ts";
import { type KeyMetadata, text, whole } from "./section.ts";

const level = v.picklist([...levels, "silent"]);

/** The `logging` section. */
export const loggingSection = v.pipe(
  v.looseObject({
    level: v.pipe(v.optional(level, "info"), v.description("Least level written to the log file.")),
    file: v.pipe(
      v.optional(text),
      v.description("The log file, when not in its usual place."),
      v.metadata({ reload: "part" } satisfies KeyMetadata),
    ),
    maxFileBytes: v.pipe(
      v.optional(whole(1024)),
      v.description("Size at which the log file is rotated."),
      v.metadata({ reload: "part" } satisfies KeyMetadata),
    ),
    consoleLevel: v.pipe(v.optional(level, "info"), v.description("Least level shown on the console.")),
    consoleStyle: v.pipe(
      v.optional(v.picklist(["pretty", "compact", "json"])),
      v.description("Look of the lines on the console."),
    ),
    redactSensitive: v.pipe(
      v.optional(v.picklist(["tools", "off"]), "tools"),
      v.description("Whether secrets in the details of tool calls are masked."),
    ),
    redactPatterns: v.pipe(
      v.optional(v.array(text, "a list of regular expressions"), []),
      v.description("More patterns of what counts as a secret."),
    ),
  }),
  v.metadata({ reload: "live" } satisfies KeyMetadata),
);

/** The `commands` section: what may be asked for in chats and by signals. */
export const commandsSection = v.pipe(
  v.looseObject({
    restart: v.pipe(
      v.optional(v.boolean(), true),
      v.description("Allow a restart in process, by command or SIGUSR1."),
      v.metadata({ whenWrong: false } satisfies KeyMetadata),
    ),
    config: v.pipe(v.optional(v.boolean(), false), v.description("Allow changes of the configuration from chats.")),
    debug: v.pipe(v.optional(v.boolean(), false), v.description("Allow the debugging commands in chats.")),
    bash: v.pipe(v.optional(v.boolean(), false), v.description("Allow shell commands from chats.")),
    text: v.pipe(v.optional(v.boolean(), true), v.description("Understand commands written as text.")),
    useAccessGroups: v.pipe(
      v.optional(v.boolean(), true),
      v.description("Hold commands to the allow lists of the channel."),
    ),
    ownerAllowFrom: v.pipe(
      v.optional(
        v.array(
          v.union([text, v.pipe(v.number(), v.safeInteger(), v.transform(String))]),
          "a list such as telegram:123",
        ),
        [],
      ),
      v.description("Who may give every command from a chat: ids of people, with their network before them."),
    ),
  }),
  v.metadata({ reload: "live" } satisfies KeyMetadata),
);

/** The `env` section: variables for `${NAME}` in this file, after the process's own. */
export const envSection = v.pipe(
  v.record(v.string(), v.unknown(), "an object of variables"),
  v.metadata({ secret: true, reload: "restart" } satisfies KeyMetadata),
);
