import * as v from "valibot";
import { heartbeatSection } from "./automation.ts";
import { amount, type KeyMetadata, text, whole } from "./section.ts";

const model = v.union(
  [
    text,
    v.looseObject({
      primary: v.pipe(v.optional(text), v.description("provider/model that is asked first.")),
      fallbacks: v.pipe(
        v.optional(v.array(text, "a list of models")),
        v.description("provider/model references tried in order when the first fails."),
      ),
    }),
  ],
  "provider/model in quotes, or an object with primary and fallbacks",
);

const identity = v.looseObject({
  name: v.pipe(v.optional(text), v.description("The name the agent goes by.")),
  theme: v.pipe(v.optional(text), v.description("A few words on its character.")),
  emoji: v.pipe(v.optional(text), v.description("The emoji that stands for it.")),
  avatar: v.pipe(v.optional(text), v.description("Picture: a path in the workspace or a URL.")),
});

const groupChat = v.looseObject({
  mentionPatterns: v.pipe(
    v.optional(v.array(text, "a list of regular expressions")),
    v.description("What the agent is called by, in place of messages.groupChat.mentionPatterns."),
  ),
});

const common = {
  name: v.pipe(v.optional(text), v.description("Name shown to people.")),
  default: v.pipe(v.optional(v.boolean()), v.description("Takes what no binding sends elsewhere.")),
  workspace: v.pipe(v.optional(text), v.description("The folder the agent works in.")),
  agentDir: v.pipe(v.optional(text), v.description("The folder of the agent's own state.")),
  model: v.pipe(v.optional(model), v.description("The model it asks, as provider/model.")),
  identity: v.pipe(v.optional(identity), v.description("Who the agent is.")),
  heartbeat: v.pipe(
    v.optional(heartbeatSection),
    v.description("Its own heartbeat; where some agent has one, only such agents have any."),
  ),
  groupChat: v.pipe(v.optional(groupChat), v.description("How the agent is called in groups.")),
};

const compaction = v.looseObject({
  mode: v.pipe(
    v.optional(v.picklist(["default", "safeguard"]), "default"),
    v.description("Sum up all at once, or in chunks."),
  ),
  reserveTokens: v.pipe(v.optional(whole(0), 16_384), v.description("Tokens kept free for the answer.")),
  reserveTokensFloor: v.pipe(v.optional(whole(0), 20_000), v.description("Least tokens kept free.")),
  keepRecentTokens: v.pipe(v.optional(whole(0), 20_000), v.description("Newest tokens that stay word by word.")),
  maxAttempts: v.pipe(v.optional(whole(1), 3), v.description("Tries in one run before the oldest is left out.")),
});

const pruning = v.looseObject({
  mode: v.pipe(
    v.optional(v.picklist(["off", "cache-ttl", "adaptive", "aggressive"]), "off"),
    v.description("When old tool results are cut in what is sent; nothing changes on the disk."),
  ),
  ttl: v.pipe(v.optional(text, "5m"), v.description("How long a provider's cache is taken to live.")),
  keepLastAssistants: v.pipe(v.optional(whole(0), 3), v.description("Newest answers whose tool results stay whole.")),
});

const chunk = v.looseObject({
  minChars: v.pipe(v.optional(whole(1), 800), v.description("Least characters of a block.")),
  maxChars: v.pipe(v.optional(whole(1), 1200), v.description("Most characters of a block.")),
  breakPreference: v.pipe(
    v.optional(v.picklist(["paragraph", "newline", "sentence"]), "paragraph"),
    v.description("Where a block may end."),
  ),
});

const limit = {
  usd: v.pipe(v.optional(amount()), v.description("US dollars.")),
  tokens: v.pipe(v.optional(whole(1)), v.description("Tokens, read and written.")),
};

const budget = v.looseObject({
  install: v.pipe(v.optional(v.looseObject(limit), {}), v.description("For this installation, ever.")),
  day: v.pipe(v.optional(v.looseObject(limit), {}), v.description("For each day of the gateway's time zone.")),
  agent: v.pipe(v.optional(v.looseObject(limit), {}), v.description("For each agent and day.")),
  session: v.pipe(v.optional(v.looseObject(limit), {}), v.description("For each session.")),
  warnAt: v.pipe(
    v.optional(v.pipe(v.number("a share from 0 to 1"), v.minValue(0), v.maxValue(1)), 0.8),
    v.description("Share of a limit from which people are warned."),
  ),
});

const defaults = v.looseObject({
  workspace: v.pipe(v.optional(text), v.description("The folder agents work in unless they have their own.")),
  skipBootstrap: v.pipe(v.optional(v.boolean(), false), v.description("Do not write the first files of a workspace.")),
  model: v.pipe(v.optional(model), v.description("The model agents ask unless they have their own.")),
  imageModel: v.pipe(v.optional(model), v.description("The model for pictures, when the first one cannot see.")),
  models: v.pipe(
    v.optional(v.record(v.string(), v.unknown(), "an object")),
    v.description("Models that may be chosen, by provider/model, with alias and parameters."),
  ),
  repoRoot: v.pipe(v.optional(text), v.description("The repository named in the prompt.")),
  bootstrapMaxChars: v.pipe(
    v.optional(whole(1), 20_000),
    v.description("Characters of each workspace file that go into the prompt."),
  ),
  userTimezone: v.pipe(v.optional(text), v.description("The person's time zone, such as Europe/Vienna.")),
  timeFormat: v.pipe(
    v.optional(v.picklist(["auto", "12", "24"]), "auto"),
    v.description("How the time of day is written for the model."),
  ),
  thinkingDefault: v.pipe(
    v.optional(v.picklist(["off", "minimal", "low", "medium", "high", "xhigh"])),
    v.description("How hard models think unless a session says otherwise."),
  ),
  verboseDefault: v.pipe(
    v.optional(v.picklist(["off", "on", "full"]), "off"),
    v.description("Whether tool calls are shown in chats."),
  ),
  blockStreamingDefault: v.pipe(
    v.optional(v.picklist(["off", "on"]), "off"),
    v.description("Whether answers are told in blocks instead of word by word."),
  ),
  blockStreamingChunk: v.pipe(v.optional(chunk, {}), v.description("How large the blocks are, and where they end.")),
  contextTokens: v.pipe(v.optional(whole(1)), v.description("Most tokens of context, when less than the model's.")),
  maxConcurrent: v.pipe(v.optional(whole(1), 4), v.description("Runs at the same time over all sessions.")),
  timeoutSeconds: v.pipe(v.optional(whole(1), 600), v.description("Longest run in seconds.")),
  mediaMaxMb: v.pipe(v.optional(whole(1), 5), v.description("Largest attachment in megabytes.")),
  compaction: v.pipe(v.optional(compaction, {}), v.description("When and how old context is summed up.")),
  contextPruning: v.pipe(v.optional(pruning, {}), v.description("Old tool results left out of requests.")),
  heartbeat: v.pipe(
    v.optional(heartbeatSection, {}),
    v.description("Turns that nobody asks for."),
    v.metadata({ reload: "part" } satisfies KeyMetadata),
  ),
  budget: v.pipe(v.optional(budget, {}), v.description("What may be spent on models.")),
});

/** The `agents` section: who the agents are and what they run on. */
export const agentsSection = v.pipe(
  v.looseObject({
    defaults: v.pipe(v.optional(defaults, {}), v.description("What holds for every agent unless it says otherwise.")),
    list: v.pipe(
      v.optional(
        v.array(
          v.looseObject({ id: v.pipe(text, v.description("Short name that addresses the agent.")), ...common }),
          "a list of agents",
        ),
      ),
      v.description("The agents."),
    ),
    entries: v.pipe(
      v.optional(v.record(v.string(), v.looseObject(common), "an object of agents by id")),
      v.description("The agents by id, newer spelling."),
    ),
  }),
  v.metadata({ reload: "live" } satisfies KeyMetadata),
);
