import { count } from "../cli/format.ts";
import { clean, columns } from "../cli/layout.ts";
import type { Migration } from "../backup/migrate.ts";
import { absolute, tildify } from "../host/paths.ts";
import { bytesText } from "../kit/amounts.ts";
import { exit } from "../kit/error.ts";
import { command, type CommandContext } from "./command.ts";

const options = {
  from: { value: "<folder>", description: "The state folder of the other program; by default the one that is found." },
  "dry-run": { description: "Only show what would be done. This is what happens without --apply." },
  apply: { description: "Do it." },
  yes: { description: "The same as --apply." },
  force: { description: "Keep what is in the way under another name, and go on." },
} as const;

type Context = CommandContext<typeof options>;

/** Goes on with what Clawdbot, Moltbot or OpenClaw left in a state folder of their own, which stays as it is. */
export const migrate = command({
  path: ["migrate"],
  summary: "Take over from Clawdbot, Moltbot or OpenClaw; shows first, and leaves theirs as it is.",
  options,
  examples: [
    { command: "migrate", description: "What would be copied, converted and left out." },
    { command: "migrate --from ~/.clawdbot --apply", description: "Do it." },
  ],
  async run(context) {
    const { host, paths, options: flags, output, program, signal } = context;
    const apply = (flags.apply || flags.yes) && !flags["dry-run"];
    const { findSource, migrate: move, planMigration, refusal } = await import("../backup/migrate.ts");
    const source = await findSource(context, flags.from === undefined ? undefined : absolute(host, flags.from));
    if (source === ((await host.files.realPath(paths.state)) ?? paths.state)) return tellSame(context);
    const working = apply ? move(context, source, { force: flags.force, signal }) : planMigration(context, source);
    const plan = await output.progress(apply ? "Migrating" : "Looking", working);
    if (output.json) output.data(asJson(context, plan, apply));
    for (const line of asText(context, plan)) output.print(clean(line));
    for (const note of plan.notes) output.warn(`Note: ${clean(note)}`);
    if (apply) {
      output.print(`✓ Migrated to ${tildify(host, plan.target)}. ${tildify(host, source)} is as it was.`);
      output.print(`Next: ${program} config validate, then ${program} gateway`);
      return exit.ok;
    }
    if (plan.conflicts.length > 0 && !flags.force && !output.json)
      for (const line of [refusal(plan).message, ...refusal(plan).hints]) output.warn(clean(line));
    else output.print(`Nothing was changed. Do it: ${program} migrate --from ${tildify(host, source)} --apply`);
    return exit.ok;
  },
});

/** The program reads the files of its predecessors where they lie: there is nothing to move. */
async function tellSame({ host, paths, output }: Context): Promise<number> {
  const { files } = host;
  const isNew = !(await files.stat(`${paths.state}/sessions/index.jsonl`));
  const takenOver: string[] = [];
  for (const id of isNew ? await files.list(`${paths.state}/agents`) : [])
    if (await files.stat(`${paths.state}/agents/${id}/sessions/sessions.json`))
      takenOver.push(`sessions of agent ${id}`);
  const folder = tildify(host, paths.state);
  const { source, target } = { source: paths.state, target: paths.state };
  if (output.json) output.data({ ok: true, dryRun: true, same: true, source, target, takenOver });
  output.print(`Nothing needs to move: the files in ${folder} are read as they are.`);
  if (takenOver.length > 0) output.print("Taken over at the first start of the gateway:");
  for (const each of takenOver) output.print(`  ${clean(each)}`);
  return exit.ok;
}

function asText({ host, paths }: Context, plan: Migration): readonly string[] {
  const rows = [...groups(plan)].map(([name, { files, bytes, done }]) => [
    `  ${name}`,
    done === files ? "there already" : (words[name] ?? "copied"),
    count(files, "file"),
    bytesText(bytes),
  ]);
  const { config, left } = plan;
  const changed = config && config.changes.length > 0;
  const converted = config
    ? [
        [
          `  ${tildify(host, paths.config)}`,
          config.state === "same" ? "there already" : changed ? "converted" : "copied",
        ],
      ]
    : [];
  const shownLeft = left.slice(0, MAX_SHOWN).map(({ path, reason }) => [`  ${tildify(host, path)}`, reason]);
  return [
    `From ${tildify(host, plan.source)} to ${tildify(host, plan.target)}:`,
    ...columns([...rows, ...converted]).split("\n"),
    ...(config?.changes ?? []).map((change) => `    ${change}`),
    ...(left.length > 0 ? ["Left where it is:", ...columns(shownLeft).split("\n")] : []),
    ...(left.length > MAX_SHOWN ? [`  and ${left.length - MAX_SHOWN} more: see --json`] : []),
  ];
}

const MAX_SHOWN = 20;

/** What becomes of the things in a state folder, by name. */
const words: Readonly<Record<string, string>> = {
  agents: "copied; sessions are taken over at first use",
  devices: "copied; paired devices stay paired",
  identity: "copied; this machine stays who it is",
  cron: "copied",
  credentials: "copied",
};

/** What is copied, by the first part of its name there. */
function groups({ files, target }: Migration): ReadonlyMap<string, Group> {
  const found = new Map<string, Group>();
  for (const { to, size, state } of files) {
    const [name = ""] = to.slice(target.length + 1).split("/");
    const { files: before, bytes, done } = found.get(name) ?? { files: 0, bytes: 0, done: 0 };
    found.set(name, { files: before + 1, bytes: bytes + size, done: done + (state === "same" ? 1 : 0) });
  }
  return found;
}

interface Group {
  readonly files: number;
  readonly bytes: number;
  readonly done: number;
}

function asJson({ paths }: Context, plan: Migration, apply: boolean): unknown {
  const { source, target, config, left, notes, conflicts } = plan;
  return {
    ok: true,
    dryRun: !apply,
    same: false,
    source,
    target,
    copied: plan.files.map(({ from, to, size, state }) => ({ from, to, size, state })),
    config: config ? { from: config.from, to: paths.config, state: config.state, changes: config.changes } : null,
    left,
    notes,
    conflicts,
  };
}
