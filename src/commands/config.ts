import { openConfigFile } from "../cli/config-file.ts";
import { columns } from "../cli/layout.ts";
import { toJson } from "../cli/output.ts";
import { runningGateway } from "../cli/settings.ts";
import type { ConfigIssue, ConfigSnapshot, ConfigWrite } from "../config/config.ts";
import { parseConfig } from "../config/parse.ts";
import { parsePath, valueAt } from "../config/path.ts";
import { tildify } from "../host/paths.ts";
import { exit, Failure } from "../kit/error.ts";
import { command, type CommandContext } from "./command.ts";

const path = { name: "path", description: "Where in the configuration, such as gateway.port." };

/** Prints what is configured, secrets left out. */
export const configGet = command({
  path: ["config", "get"],
  summary: "Print what is configured, secrets left out.",
  positionals: [{ ...path, optional: true }],
  options: {},
  examples: [{ command: "config get gateway.port", description: "One value." }],
  async run(context) {
    const { output, args } = context;
    const store = await openConfigFile(context);
    const all = store.redacted(store.current().source ?? {});
    const value = args[0] === undefined ? all : valueAt(all, parsePath(args[0]));
    if (value === undefined) throw new Failure("not-found", `Config path not found: ${args[0]}`);
    if (output.json) output.data(value);
    else output.print(typeof value === "string" ? value : toJson(value, 2));
    return exit.ok;
  },
});

/** Sets one value; JSON5 where it reads as such, else text. */
export const configSet = command({
  path: ["config", "set"],
  summary: "Set a value; comments in the file are kept.",
  positionals: [path, { name: "value", description: "A JSON5 value; what is not one is taken as text." }],
  options: {},
  examples: [
    { command: "config set gateway.port 19001", description: "A number." },
    { command: "config set agents.defaults.model anthropic/claude-opus-4-5", description: "A text." },
  ],
  guides: ["configuration"],
  async run(context) {
    const [where = "", text = ""] = context.args;
    const value = await valueOf(text);
    const write = await (await openConfigFile(context)).set(where, value, { by: "config set" });
    return written(context, write, "Updated", where);
  },
});

/** Removes one value. */
export const configUnset = command({
  path: ["config", "unset"],
  summary: "Remove a value, so that its default applies.",
  positionals: [path],
  options: {},
  examples: [{ command: "config unset gateway.port", description: "Back to 18789." }],
  async run(context) {
    const [where = ""] = context.args;
    const write = await (await openConfigFile(context)).set(where, undefined, { by: "config unset" });
    return written(context, write, "Removed", where);
  },
});

/** Says what is wrong with the file. */
export const configValidate = command({
  path: ["config", "validate"],
  summary: "Check the configuration and say what is wrong.",
  options: {},
  examples: [{ command: "config validate", description: "Status 1 when something is wrong." }],
  async run(context) {
    const { output, host } = context;
    const {
      path: file,
      exists,
      valid,
      issues,
      warnings,
      unknownKeys,
      unsafe,
    } = (await openConfigFile(context)).current();
    const sound = valid && unsafe.length === 0;
    if (output.json) output.data({ valid: sound, path: file, exists, issues, warnings, unknownKeys, unsafe });
    else {
      const shown = tildify(host, file);
      const state = sound ? `✓ Config valid: ${shown}` : `Config invalid\nFile: ${shown}\nProblem:`;
      output.print(exists || !sound ? state : `✓ No config file; defaults apply: ${shown}`);
      for (const issue of [...issues, ...unsafe]) output.print(`  - ${issueText(issue)}`);
      for (const issue of warnings) output.print(`  ! ${issueText(issue)}`);
      for (const key of unknownKeys) output.print(`  ! ${key}: unknown key, kept and not used`);
    }
    return sound ? exit.ok : exit.failed;
  },
});

/** Prints where the file is. */
export const configFile = command({
  path: ["config", "file"],
  summary: "Print where the configuration file is.",
  options: {},
  examples: [{ command: "config file", description: "Its path, for scripts." }],
  async run({ output, paths }) {
    if (output.json) output.data({ path: paths.config });
    else output.print(paths.config);
    return exit.ok;
  },
});

/** Lists the versions that were replaced. */
export const configHistory = command({
  path: ["config", "history"],
  summary: "List earlier versions of the configuration and what changed.",
  options: {},
  examples: [{ command: "config history", description: "Newest first." }],
  async run(context) {
    const { output } = context;
    const revisions = await (await openConfigFile(context)).history();
    const rows = revisions.map((revision) => [
      String(revision.number),
      new Date(revision.savedAt).toISOString(),
      revision.by,
      revision.changedPaths.join(", ") || "-",
    ]);
    if (output.json) output.data({ revisions });
    else if (rows.length === 0) output.print("No earlier versions.");
    else output.print(columns([["#", "Saved", "Replaced by", "Changed"], ...rows]));
    return exit.ok;
  },
});

/** Brings back an earlier version. */
export const configRollback = command({
  path: ["config", "rollback"],
  summary: "Bring back an earlier version of the configuration.",
  positionals: [{ name: "number", description: "Which one, from `config history`; 1 is the newest." }],
  options: {},
  examples: [{ command: "config rollback 1", description: "Undo the last change." }],
  async run(context) {
    const [text = ""] = context.args;
    if (!/^[1-9]\d{0,3}$/.test(text))
      throw new Failure("usage", `${text} is not the number of a version; see ${context.program} config history`);
    const { snapshot, changedPaths } = await (await openConfigFile(context)).rollback(Number(text));
    if (context.output.json) context.output.data({ ok: true, path: snapshot.path, hash: snapshot.hash, changedPaths });
    else context.output.print(`Rolled back to version ${text} (${changedPaths.join(", ") || "nothing changed"}).`);
    return exit.ok;
  },
});

async function valueOf(text: string): Promise<unknown> {
  try {
    return await parseConfig(text);
  } catch (error) {
    if (Failure.from(error).code === "config") return text; // not JSON5: the text itself
    throw error;
  }
}

async function written(
  context: CommandContext,
  { snapshot, changedPaths }: ConfigWrite,
  did: string,
  where: string,
): Promise<number> {
  const { output } = context;
  if (output.json) output.data({ ok: true, path: snapshot.path, hash: snapshot.hash, changedPaths });
  else output.print(`${did} ${where}. ${await whatNext(context, snapshot, changedPaths)}`);
  return exit.ok;
}

/** What a gateway that runs makes of the change by itself, and what is left to do. */
async function whatNext(
  context: CommandContext,
  { value }: ConfigSnapshot,
  changedPaths: readonly string[],
): Promise<string> {
  const { mode } = value.gateway.reload;
  if (mode === "off" || !(await runningGateway(context))) return "Restart the gateway to apply.";
  const { effectOf, restartKeys } = await import("../config/reload.ts");
  if (restartKeys(changedPaths, mode, false).length > 0) return "The running gateway restarts to apply it.";
  return changedPaths.some((path) => effectOf(path) === "restart")
    ? "Restart the gateway to apply."
    : "The running gateway takes it up.";
}

function issueText({ path, message }: ConfigIssue): string {
  return message.startsWith(`${path} `) || message.startsWith(`${path}:`) ? message : `${path || "<root>"}: ${message}`;
}
