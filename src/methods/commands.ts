import * as v from "valibot";
import { method } from "./method.ts";

export const commandMethods = [
  method({
    name: "commands.list",
    scope: "operator.read",
    summary: "Slash commands that can be given in a chat: none, as there is no chat to give them in.",
    params: v.object({
      agentId: v.optional(v.string()),
      sessionKey: v.optional(v.string()),
      provider: v.optional(v.string()),
      scope: v.optional(v.picklist(["text", "native", "both"])),
      includeArgs: v.optional(v.boolean()),
    }),
    result: v.object({ commands: v.array(v.looseObject({ name: v.string() })) }),
    run: () => ({ commands: [] }),
  }),
] as const;
