import type { CommandContext } from "../commands/command.ts";
import { Failure } from "../kit/error.ts";

type Context = Pick<CommandContext, "host" | "output"> & { readonly options: { readonly yes: boolean } };

/** Whether to go on with what replaces or removes things: `--yes`, or a person who says so. Throws when nobody can be asked. */
export async function agreed({ host, output, options }: Context, question: string): Promise<boolean> {
  if (options.yes) return true;
  if (!host.terminal.interactive || output.json) throw new Failure("usage", "Non-interactive mode requires --yes.");
  const { confirmed } = await import("./questions.ts");
  return confirmed(question);
}
