import { isObject, type JsonObject } from "../kit/json.ts";
import { textIn } from "./conversation.ts";

/** A command that can be given in a chat. */
export interface SlashCommand {
  readonly name: string;
  readonly description: string;
  readonly takesArguments: boolean;
}

/** Reads an answer of `commands.list`. */
export function commandsIn({ commands }: JsonObject): readonly SlashCommand[] {
  const listed: readonly unknown[] = Array.isArray(commands) ? commands : [];
  return listed.filter(isObject).map((command) => ({
    name: textIn(command, "name"),
    description: textIn(command, "description"),
    takesArguments: command["acceptsArgs"] === true,
  }));
}

/** The commands that somebody may be about to write: none once there is more than a word. */
export function matching(commands: readonly SlashCommand[], text: string): readonly SlashCommand[] {
  const begun = /^\/([a-z-]*)$/i.exec(text)?.[1]?.toLowerCase();
  return begun === undefined ? [] : commands.filter(({ name }) => name.toLowerCase().startsWith(begun));
}
