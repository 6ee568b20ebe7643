import { Failure } from "../kit/error.ts";
import type { Logger } from "../kit/log.ts";
import { allows, type Scope } from "../protocol/scope.ts";
import type { Sessions } from "../session/sessions.ts";
import { parseSlash } from "./slash/index.ts";
import type { SlashCommand, SlashContext, SlashOutcome } from "./slash/slash.ts";
import { ownOutcome, type Recorder } from "./recorder.ts";
import type { Run } from "./run-book.ts";
import type { TurnInput, TurnOrigin } from "./turns.ts";

/** What commands are given beside the turns, which come with them. */
export type CommandContext = Omit<SlashContext, "queue" | "abort">;

export interface Parsed {
  readonly command: SlashCommand;
  readonly args: string;
}

/** The command that a message is; undefined when it is meant for the model. */
export function parseCommand(input: TurnInput, textCommands: boolean): Parsed | undefined {
  const [part] = input.content;
  if (!input.commands || !textCommands || input.content.length !== 1 || part?.type !== "text") return undefined;
  return parseSlash(part.text);
}

/** What a sender must be allowed to do for a command. */
export function scopeOf({ command, args }: Parsed): Scope {
  return typeof command.scope === "function" ? command.scope(args) : command.scope;
}

/** Whether a sender may give a command who may now do this much: in a session of its own more than elsewhere. */
export function mayGive(
  parsed: Parsed,
  { trusted }: Pick<TurnOrigin, "trusted">,
  scopes: ReadonlySet<string>,
): boolean {
  const own = trusted === true && parsed.command.sessionOnly === true;
  return allows(scopes, own ? "operator.write" : scopeOf(parsed));
}

export interface ObeyOptions {
  readonly log: Logger;
  readonly sessions: Sessions;
  readonly recorder: Recorder;
  readonly context: SlashContext;
  readonly signal: AbortSignal;
  /** The sender may give the command now. */
  readonly allowed: boolean;
}

/** Does what a command says. Answers what is left to be given to the model, or undefined when the run is over. Never rejects. */
export async function obey(run: Run, parsed: Parsed, options: ObeyOptions): Promise<TurnInput | undefined> {
  const { sessions, recorder } = options;
  const { input } = run;
  try {
    const row = await sessions.ensure(input.sessionKey, { agentId: input.agentId });
    const { command, args } = parsed;
    const outcome: SlashOutcome = options.allowed
      ? await command.run({ args, row, input, context: options.context, signal: options.signal })
      : { reply: `⚠️ /${command.name} needs ${scopeOf(parsed)}, which this sender does not have.` };
    const { reply, run: text, thinking, model } = outcome;
    if (text !== undefined) {
      if (reply !== undefined) {
        await recorder.writeNote({ sessionKey: input.sessionKey, agentId: input.agentId, text: reply, aside: true });
        await recorder.say(run, reply);
      }
      return {
        ...input,
        content: [{ type: "text", text }],
        commands: false,
        ...(thinking ? { thinking } : {}),
        ...(model ? { model } : {}),
      };
    }
    await recorder.writeReply(run, reply ?? "");
    const said = { kind: "command", text: reply ?? "" } as const;
    await recorder.settle([run], { status: "ok", outcome: ownOutcome(reply ?? ""), said });
  } catch (thrown) {
    const error = Failure.from(thrown);
    options.log.error("a command failed", { command: parsed.command.name, error: error.message });
    const shown = error.shown();
    const text = `⚠️ ${shown.message}`;
    await recorder
      .writeReply(run, text)
      .catch((why: unknown) => options.log.error("a command could not be written", { error: String(why) }));
    await recorder.settle([run], { status: "error", error: shown, said: { kind: "command", text } });
  }
  return undefined;
}
