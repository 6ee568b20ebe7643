import { activation } from "./activation.ts";
import { compact } from "./compact.ts";
import { context } from "./context.ts";
import { commandList, help } from "./help.ts";
import { model, models } from "./model.ts";
import { newSession, reset } from "./new.ts";
import { queue } from "./queue.ts";
import { reasoning, verbose } from "./verbose.ts";
import { send } from "./send.ts";
import type { SlashCommand } from "./slash.ts";
import { status } from "./status.ts";
import { stop } from "./stop.ts";
import { think } from "./think.ts";
import { usage } from "./usage.ts";
import { whoami } from "./whoami.ts";

/** Every command that can be given in a chat. */
export const slashCommands: readonly SlashCommand[] = [
  help,
  commandList(() => slashCommands),
  status,
  whoami,
  context,
  newSession,
  reset,
  compact,
  stop,
  think,
  model,
  models,
  verbose,
  reasoning,
  usage,
  queue,
  activation,
  send,
];

/** The command that a message begins with; undefined when it is meant for the model. `/think high`, `/Think: high`. */
export function parseSlash(text: string): { command: SlashCommand; args: string } | undefined {
  const match = /^\/([a-z]+)(?:\s*:|\s|$)(.*)$/is.exec(text.trim());
  const name = match?.[1]?.toLowerCase() ?? "";
  const args = match?.[2]?.trim() ?? "";
  const command = slashCommands.find((each) => each.name === name || each.aliases?.includes(name));
  if (!command || (args !== "" && command.usage === undefined)) return undefined;
  return { command, args };
}
