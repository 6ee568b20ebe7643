import * as v from "valibot";
import { withBareIds } from "./channel-people.ts";
import { commonSettings, policyOf, type Policy } from "./channel-policy.ts";

/** The settings of an account of Mattermost (cli.md 9.11). */
export const mattermostSettings = v.looseObject({
  ...commonSettings,
  botToken: v.pipe(v.optional(v.string("a text in quotes")), v.description("The access token of a bot account.")),
  baseUrl: v.pipe(
    v.optional(v.pipe(v.string(), v.regex(/^https?:\/\/[^\s?#]+$/, "an address such as https://chat.example.org"))),
    v.description("Where the server is."),
  ),
  chatmode: v.pipe(
    v.optional(v.picklist(["oncall", "onmessage", "onchar"]), "oncall"),
    v.description(
      "What is answered in channels: messages that name us, all, or those that begin with a prefix as well.",
    ),
  ),
  oncharPrefixes: v.pipe(
    v.optional(v.array(v.pipe(v.string(), v.minLength(1))), [">", "!"]),
    v.description("What a message begins with that is meant for us, with chatmode onchar."),
  ),
});

export type MattermostSettings = v.InferOutput<typeof mattermostSettings>;

/** Whom the settings let write; what is answered in channels, chatmode says. */
export function mattermostPolicy(settings: MattermostSettings): Policy {
  const shared = policyOf(settings);
  const requireMention = settings.chatmode !== "onmessage" && settings.requireMention;
  return withBareIds({ ...shared, groups: { ...shared.groups, requireMention } }, /^(?:mattermost|user):/i);
}
