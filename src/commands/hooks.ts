import * as v from "valibot";
import { openConfigDoor, type ConfigDoor } from "../cli/config-door.ts";
import { clean, columns } from "../cli/layout.ts";
import { clientOptions } from "../cli/options.ts";
import { at } from "../cli/pick.ts";
import { hooksSection } from "../config/sections/automation.ts";
import { hooks } from "../hooks/index.ts";
import { settingsOf, type Hook } from "../hooks/hook.ts";
import { exit, Failure } from "../kit/error.ts";
import { command, type CommandContext } from "./command.ts";

const name = { name: "name", description: "The hook, from `hooks list`." };

/** Lists what the gateway can do of its own at events. */
export const hooksList = command({
  path: ["hooks", "list"],
  summary: "List what the gateway can do of its own at events.",
  options: clientOptions,
  examples: [{ command: "hooks list", description: "Each with the events that it is for, and whether it runs." }],
  guides: ["automation"],
  async run(context) {
    const { output } = context;
    const { value } = await openConfigDoor(context, "hooks");
    const section = v.safeParse(hooksSection, at(value, "hooks") ?? {});
    const isOn = (hook: string): boolean =>
      section.success && settingsOf({ hooks: section.output }, hook) !== undefined;
    const rows = hooks.map((hook) => ({ ...hook, enabled: isOn(hook.name) }));
    if (output.json)
      output.data({
        hooks: rows.map(({ name, emoji, summary, events, enabled }) => ({
          name,
          description: summary,
          emoji,
          events,
          source: "bundled",
          eligible: true,
          disabled: !enabled,
        })),
      });
    else
      output.print(
        columns([
          ["Hook", "Runs", "What it does", "At"],
          ...rows.map(({ name, emoji, summary, events, enabled }) => [
            `${emoji} ${name}`,
            enabled ? "yes" : "no",
            summary,
            events.join(", "),
          ]),
        ]),
      );
    return exit.ok;
  },
});

/** Has a hook run. */
export const hooksEnable = command({
  path: ["hooks", "enable"],
  summary: "Have a hook run.",
  positionals: [name],
  options: clientOptions,
  examples: [{ command: "hooks enable session-memory", description: "Save what was said when a session begins anew." }],
  async run(context) {
    const hook = named(context);
    const door = await openConfigDoor(context, "hooks enable");
    // Without the word for all, those run that have an entry.
    const all = at(door.value, "hooks", "internal", "enabled") === false ? { enabled: null } : {};
    const internal = { ...all, entries: { [hook.name]: { enabled: true } } };
    return write(context, door, { internal, said: `✓ ${hook.name} runs at ${hook.events.join(", ")}.` });
  },
});

/** Has a hook run no more. */
export const hooksDisable = command({
  path: ["hooks", "disable"],
  summary: "Have a hook run no more.",
  positionals: [name],
  options: clientOptions,
  examples: [{ command: "hooks disable command-logger", description: "What it wrote stays where it is." }],
  async run(context) {
    const hook = named(context);
    const door = await openConfigDoor(context, "hooks disable");
    const internal = { entries: { [hook.name]: { enabled: false } } };
    return write(context, door, { internal, said: `✓ ${hook.name} runs no more.` });
  },
});

async function write(
  { output }: Pick<CommandContext, "output">,
  door: ConfigDoor,
  { internal, said }: { internal: object; said: string },
): Promise<number> {
  const { path, changedPaths } = await door.patch({ hooks: { internal } });
  if (output.json) output.data({ ok: true, path, changedPaths });
  else output.print(said);
  return exit.ok;
}

function named({ args, program }: Pick<CommandContext, "args" | "program">): Hook {
  const [wanted = ""] = args;
  const found = hooks.find((hook) => hook.name === wanted);
  if (found) return found;
  throw new Failure("usage", `there is no hook ${clean(wanted)}`, {
    hints: [`There are: ${hooks.map((hook) => hook.name).join(", ")}. See: ${program} hooks list`],
  });
}
