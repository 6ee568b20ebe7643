import { count } from "../cli/format.ts";
import { clean, columns } from "../cli/layout.ts";
import { absolute, tildify } from "../host/paths.ts";
import { exit, Failure } from "../kit/error.ts";
import { bytesText } from "../kit/amounts.ts";
import { command, type CommandContext } from "./command.ts";

const createOptions = {
  output: { value: "<path>", description: "The archive, or a folder for it; by default the current folder." },
  "include-workspace": {
    description: "With the agents' folders. They are included anyway; see --no-include-workspace.",
  },
  "no-include-workspace": { description: "Without the agents' folders, even if the configuration cannot be read." },
  "only-config": { description: "Only the configuration file, whatever is in it." },
  "dry-run": { description: "Show what would be in it, and write nothing." },
  verify: { description: "Read the archive again when it is written, and check everything in it." },
} as const;

/** Writes one archive of everything that makes this gateway what it is. It may run meanwhile. */
export const backupCreate = command({
  path: ["backup", "create"],
  summary: "Write one archive of the whole state, while the gateway runs.",
  options: createOptions,
  examples: [
    { command: "backup create --verify", description: "Into the current folder, checked." },
    { command: "backup create --output ~/Backups --no-include-workspace", description: "Without the workspaces." },
    { command: "backup create --dry-run", description: "What would be in it." },
  ],
  async run(context) {
    const { program, options, output, signal } = context;
    if (options["include-workspace"] && options["no-include-workspace"])
      throw new Failure("usage", "--include-workspace and --no-include-workspace exclude each other: give one");
    const { planBackup } = await import("../backup/plan.ts");
    const { archivePathFor, createBackup } = await import("../backup/create.ts");
    await refuseCutOff(context);
    const onlyConfig = options["only-config"];
    const includeWorkspace = !onlyConfig && !options["no-include-workspace"];
    const plan = await planBackup(context, { includeWorkspace, onlyConfig });
    const path = await archivePathFor(context, plan, { program, output: options.output });
    const facts = { archivePath: path, includeWorkspace, onlyConfig, dryRun: options["dry-run"] };
    if (options["dry-run"]) {
      if (output.json) output.data({ ...facts, verified: false, assets: plan.assets, skipped: plan.skipped });
      output.print(`Would back up to ${shown(context, path)}:`);
      output.print(assetTable(context, plan));
      printSkipped(context, plan.skipped);
      return exit.ok;
    }
    const creating = createBackup(context, plan, { path, includeWorkspace, onlyConfig, signal });
    const { manifest, bytes } = await output.progress("Backing up", creating);
    if (options.verify) await verified(context, path);
    const { createdAt, archiveRoot, assets, skipped, files } = manifest;
    if (output.json)
      output.data({
        ...facts,
        createdAt,
        archiveRoot,
        verified: options.verify,
        bytes,
        files: files.length,
        assets,
        skipped,
      });
    output.print(`✓ Backed up ${count(files.length, "file")} to ${shown(context, path)} (${bytesText(bytes)})`);
    output.print(assetTable(context, plan));
    printSkipped(context, skipped);
    if (options.verify) output.print("✓ Verified: everything in it is whole.");
    output.print("It has secrets in it: keep it where only you can read it.");
    return exit.ok;
  },
});

/** Reads an archive to its end and says whether everything in it is whole. */
export const backupVerify = command({
  path: ["backup", "verify"],
  summary: "Check that an archive is whole: every file, hash and path.",
  positionals: [{ name: "archive", description: "A file that backup create wrote." }],
  options: {},
  examples: [{ command: "backup verify backup.tar.gz", description: "Reads all of it; changes nothing." }],
  async run(context) {
    const { host, args, output } = context;
    const path = absolute(host, args[0] ?? "");
    const { manifest, bytes, configTrouble } = await verified(context, path);
    const { createdAt, archiveRoot, runtimeVersion, assets, files } = manifest;
    const ok = configTrouble === undefined;
    if (output.json)
      output.data({
        ok,
        archivePath: path,
        archiveRoot,
        createdAt,
        runtimeVersion,
        assets,
        files: files.length,
        bytes,
        configTrouble: configTrouble ?? null,
      });
    output.print(`✓ ${shown(context, path)} is whole: ${count(files.length, "file")}, ${bytesText(bytes)} unpacked`);
    output.print(`Made ${clean(createdAt)} by version ${clean(runtimeVersion)}`);
    output.print(columns(assets.map(({ kind, sourcePath }) => [`  ${kind}`, shown(context, sourcePath)])));
    if (!ok && !output.json) output.warn(`✗ The configuration in it cannot be read: ${clean(configTrouble)}`);
    return ok ? exit.ok : exit.failed;
  },
});

/** Puts an archive in the place of the state folder, and keeps what was there. */
export const backupRestore = command({
  path: ["backup", "restore"],
  summary: "Put an archive in the place of the state; what was there is kept.",
  positionals: [{ name: "archive", description: "A file that backup create wrote." }],
  options: {
    "dry-run": { description: "Verify the archive, show what would be replaced, and change nothing." },
    yes: { description: "Do not ask." },
  },
  examples: [
    { command: "backup restore backup.tar.gz --dry-run", description: "What would happen." },
    { command: "backup restore backup.tar.gz --yes", description: "The gateway must be stopped." },
  ],
  async run(context) {
    const { host, args, options, output, signal } = context;
    const path = absolute(host, args[0] ?? "");
    const { keptLines, planRestore, restoreBackup, resumeRestore } = await import("../backup/restore.ts");
    if (options["dry-run"]) await refuseCutOff(context);
    else if (await resumeRestore(context)) output.warn("A restore that was cut off is finished now.");
    const { manifest, configTrouble } = await verified(context, path);
    if (configTrouble !== undefined)
      output.warn(`The configuration in the archive cannot be read: ${clean(configTrouble)}`);
    const planned = await planRestore(context, manifest);
    const say = (line: string): void => output.print(clean(line));
    if (options["dry-run"]) {
      if (output.json) output.data(asJson(true, path, planned));
      for (const { to } of planned.swaps) say(`[dry-run] restore ${tildify(host, to)}`);
      for (const line of keptLines(host, planned)) say(`[dry-run] ${line}`);
      for (const each of planned.leftInArchive) say(`[dry-run] left in the archive: ${each.path}: ${each.reason}`);
      return exit.ok;
    }
    const places = planned.swaps.map(({ to }) => tildify(host, to)).join(", ");
    const { agreed } = await import("../cli/agreed.ts");
    if (!(await agreed(context, `Replace ${places} by what is in the archive?`))) return exit.failed;
    const restored = await output.progress("Restoring", restoreBackup(context, path, { manifest, signal }));
    if (output.json) output.data(asJson(false, path, restored));
    say(`✓ Restored ${restored.swaps.map(({ to }) => tildify(host, to)).join(", ")} as of ${manifest.createdAt}`);
    for (const line of keptLines(host, restored)) say(line);
    for (const each of restored.leftInArchive) say(`Left in the archive: ${each.path}: ${each.reason}`);
    return exit.ok;
  },
});

type Context = Pick<CommandContext, "host" | "flavour" | "paths" | "program" | "output" | "signal">;
type Placed = { readonly kind: string; readonly sourcePath: string; readonly archivePath: string };

async function verified({ host, output, signal }: Context, path: string) {
  const { readBackup } = await import("../backup/read-backup.ts");
  return output.progress("Verifying", readBackup(host.files, path, { signal }));
}

/** What is there now is half of one state and half of another: nothing to copy. */
async function refuseCutOff({ host, paths, program }: Context): Promise<void> {
  const { pendingRestore } = await import("../backup/swap.ts");
  const pending = await pendingRestore(host, paths.state);
  if (pending)
    throw new Failure("conflict", `A restore of ${tildify(host, pending.archive)} was cut off, and is not finished.`, {
      hints: [`Finish it: ${program} backup restore ${tildify(host, pending.archive)} --yes`],
    });
}

function assetTable(
  context: Context,
  { assets, files }: { assets: readonly Placed[]; files: readonly { readonly path: string; readonly size: number }[] },
): string {
  return columns(
    assets.map(({ kind, sourcePath, archivePath }) => {
      const own = files.filter(({ path }) => path === archivePath || path.startsWith(`${archivePath}/`));
      const bytes = own.reduce((total, { size }) => total + size, 0);
      return [`  ${kind}`, shown(context, sourcePath), count(own.length, "file"), bytesText(bytes)];
    }),
  );
}

function printSkipped(context: Context, skipped: readonly { readonly path: string; readonly reason: string }[]): void {
  if (skipped.length === 0) return;
  context.output.print("Left out:");
  const rows = skipped.slice(0, MAX_SHOWN).map(({ path, reason }) => [`  ${shown(context, path)}`, reason]);
  context.output.print(columns(rows));
  if (skipped.length > MAX_SHOWN) context.output.print(`  and ${skipped.length - MAX_SHOWN} more: see --json`);
}

const MAX_SHOWN = 20;

function shown({ host }: Context, path: string): string {
  return clean(tildify(host, path));
}

function asJson(
  dryRun: boolean,
  archivePath: string,
  { swaps, leftInArchive }: { readonly swaps: readonly Swapped[]; readonly leftInArchive: readonly object[] },
) {
  const restored = swaps.map(({ to, keep, replaces }) => ({ path: to, keptIn: replaces ? keep : null }));
  return { ok: true, dryRun, archivePath, restored, leftInArchive };
}

type Swapped = { readonly to: string; readonly keep: string; readonly replaces: boolean };
