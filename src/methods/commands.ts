import * as v from "valibot";
import { slashCommands } from "../flow/slash/index.ts";
import type { SlashCommand } from "../flow/slash/slash.ts";
import { method } from "./method.ts";

const text = v.pipe(v.string(), v.nonEmpty());
const argument = v.object({
  name: v.string(),
  description: v.string(),
  type: v.literal("string"),
  required: v.optional(v.boolean()),
  choices: v.optional(v.array(v.object({ value: v.string(), label: v.string() }))),
});

export const commandMethods = [
  method({
    name: "commands.list",
    scope: "operator.read",
    summary: "The slash commands that can be given in a chat; none where they are switched off (commands.text).",
    params: () =>
      v.object({
        agentId: v.optional(text),
        sessionKey: v.optional(text),
        provider: v.optional(text),
        scope: v.pipe(
          v.optional(v.picklist(["text", "native", "both"])),
          v.description("Accepted: every command is of both kinds."),
        ),
        includeArgs: v.pipe(v.optional(v.boolean(), true), v.description("Say what may follow each command.")),
      }),
    result: () =>
      v.object({
        commands: v.array(
          v.object({
            name: v.string(),
            nativeName: v.string(),
            textAliases: v.array(v.string()),
            description: v.string(),
            category: v.picklist(["session", "options", "status", "management"]),
            source: v.literal("native"),
            scope: v.literal("both"),
            acceptsArgs: v.boolean(),
            args: v.optional(v.array(argument)),
          }),
        ),
      }),
    run: ({ app, params }) => ({
      commands: app.config.current().value.commands.text
        ? slashCommands.map((command) => entryOf(command, params.includeArgs))
        : [],
    }),
  }),
] as const;

function entryOf({ name, aliases = [], summary, category, usage }: SlashCommand, includeArgs: boolean) {
  return {
    name,
    nativeName: name,
    textAliases: [name, ...aliases].map((each) => `/${each}`),
    description: summary,
    category,
    source: "native" as const,
    scope: "both" as const,
    acceptsArgs: usage !== undefined,
    ...(includeArgs && usage !== undefined ? { args: [argumentOf(usage)] } : {}),
  };
}

/** A usage such as `off|on|full` is a choice of words; any other is shown as it is. */
function argumentOf(usage: string) {
  const choices = /^[a-z]+(\|[a-z]+)+$/.test(usage) ? usage.split("|").map((value) => ({ value, label: value })) : [];
  return {
    name: "value",
    description: usage,
    type: "string" as const,
    required: false,
    ...(choices.length === 0 ? {} : { choices }),
  };
}
