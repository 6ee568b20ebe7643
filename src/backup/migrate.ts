import type { Files } from "../host/host.ts";
import { dirname, basename, join } from "../host/paths.ts";
import { readRuntime } from "../host/runtime-file.ts";
import { Failure } from "../kit/error.ts";
import { stateContents, type Skipped, type Source } from "./contents.ts";
import { convertConfig, findConfig, type ConvertedConfig } from "./migrate-config.ts";
import { whileStopped } from "./own-state.ts";
import type { Place } from "./plan.ts";

/** What it takes to go on here with what another program of this family keeps in `source`. Nothing of it is changed. */
export interface Migration {
  readonly source: string;
  readonly target: string;
  readonly files: readonly Copy[];
  readonly config: (ConvertedConfig & { readonly state: CopyState }) | undefined;
  readonly left: readonly Skipped[];
  /** What a person should know before. */
  readonly notes: readonly string[];
  /** What is here already and says otherwise: it is never overwritten. */
  readonly conflicts: readonly string[];
}

export interface Copy extends Source {
  readonly to: string;
  readonly state: CopyState;
}

/** `same`: there already, byte for byte. `other`: something else has its place. */
export type CopyState = "new" | "same" | "other";

/** The state folder that is meant: the one named, or the only one of another program here. */
export async function findSource({ host, paths }: Place, from: string | undefined): Promise<string> {
  const { files, home } = host;
  if (from !== undefined) {
    if ((await files.stat(from))?.kind === "folder") return (await files.realPath(from)) ?? from;
    throw new Failure("not-found", `--from ${from}: there is no such folder`);
  }
  const known = [".clawdbot", ".moltbot", ".openclaw"].map((name) => join(home, name));
  const found: string[] = [];
  for (const folder of known) if ((await files.stat(folder))?.kind === "folder") found.push(folder);
  const others = found.filter((folder) => folder !== paths.state);
  if (others.length > 1)
    throw new Failure("usage", `There are ${others.length} to choose from: say which with --from.`, {
      hints: others.map((folder) => `--from ${folder}`),
    });
  const source = others[0] ?? found[0];
  if (source !== undefined) return source;
  throw new Failure("not-found", "There is nothing to migrate from: neither ~/.clawdbot, ~/.moltbot nor ~/.openclaw.", {
    hints: ["If it is elsewhere, name it: --from <folder>"],
  });
}

/** Looks what there is, and what becomes of it. Changes nothing, here or there. */
export async function planMigration(place: Place, source: string): Promise<Migration> {
  const { host, paths } = place;
  const { files } = host;
  const target = paths.state;
  if (`${target}/`.startsWith(`${source}/`) || `${source}/`.startsWith(`${target}/`))
    throw new Failure("usage", `${source} and ${target} lie in each other: choose another --from`);
  const configFile = await findConfig(files, source);
  const contents = await stateContents(files, source, configFile === undefined ? [] : [configFile]);
  const left: Skipped[] = contents.skipped.filter(({ path }) => path !== configFile);
  const copies: Copy[] = [];
  for (const each of contents.sources) {
    const why = notTaken(each.name);
    const to = join(target, placeOf(each.name));
    if (why !== undefined) left.push({ path: each.from, reason: why });
    else copies.push({ ...each, to, state: await compare(files, each.from, to) });
  }
  const converted = configFile === undefined ? undefined : await convertConfig(place, { source, file: configFile });
  const config = converted && { ...converted, state: await compareText(files, converted.text, paths.config) };
  const index = await ownIndex(files, target, copies);
  return {
    source,
    target,
    files: copies,
    config,
    left,
    notes: [...(await notesOf(place, source, contents.sources)), ...(converted?.notes ?? [])],
    conflicts: [
      ...(index === undefined ? [] : [index]),
      ...copies.filter(({ state }) => state === "other").map(({ to }) => to),
      ...(config?.state === "other" ? [paths.config] : []),
    ],
  };
}

/**
 * Copies what is new, the configuration last: a migration that was killed has left a gateway that does not start, and is
 * just run again. What is in the way is kept under another name, and only if `force` says so.
 */
export async function migrate(place: Place, source: string, { force, signal }: MigrateOptions): Promise<Migration> {
  const { host, paths } = place;
  const { files } = host;
  await files.makeFolder(paths.state);
  return whileStopped(host, paths.state, "migrate", async () => {
    const plan = await planMigration(place, source);
    if (plan.conflicts.length > 0 && !force) throw refusal(plan);
    const stamp = new Date(host.clock.now()).toISOString().replaceAll(":", "-");
    for (const path of plan.conflicts) await files.rename(path, `${path}.before-migrate-${stamp}`);
    for (const copy of plan.files) {
      signal?.throwIfAborted();
      if (copy.state !== "same") await copyFile(files, copy);
    }
    if (plan.config && plan.config.state !== "same") {
      await files.makeFolder(dirname(paths.config));
      await files.write(paths.config, plan.config.text, { mode: 0o600 });
    }
    return plan;
  });
}

export interface MigrateOptions {
  readonly force: boolean;
  readonly signal?: AbortSignal;
}

/** What to say of a target that has things of its own. */
export function refusal({ target, conflicts }: Migration): Failure {
  const shown = conflicts.slice(0, 5).map((path) => `  ${path}`);
  return new Failure("conflict", `${target} has things of its own that would be in the way; nothing was changed.`, {
    hints: [
      ...shown,
      ...(conflicts.length > shown.length ? [`  and ${conflicts.length - shown.length} more`] : []),
      "With --force they are kept under another name, and what is migrated takes their place.",
    ],
  });
}

/** Where the oldest versions kept things that lie elsewhere now (cli.md 2.12). */
function placeOf(name: string): string {
  if (/^sessions\/(?!index\.)/.test(name)) return `agents/main/${name}`;
  if (name.startsWith("agent/")) return `agents/main/${name}`;
  const [, whatsapp] =
    /^credentials\/((?:creds\.json|(?:app-state-sync|session|sender-key|pre-key)-)[^/]*)$/.exec(name) ?? [];
  return whatsapp === undefined ? name : `credentials/whatsapp/default/${whatsapp}`;
}

function notTaken(name: string): string | undefined {
  if (isDatabase(name)) return "a database: it cannot be read here";
  if (/^(clawdbot|moltbot|openclaw)\.json(\.|$)/.test(name)) return "an older version of the configuration";
  if (/\.(sock|pid)$/.test(name) || name === "update-check.json") return "about a running process";
  return undefined;
}

function isDatabase(name: string): boolean {
  return /\.sqlite(-(wal|shm|journal))?$/.test(name);
}

async function notesOf({ host }: Place, source: string, sources: readonly Source[]): Promise<readonly string[]> {
  const notes: string[] = [];
  const running = await readRuntime(host.files, source);
  if (running && host.processes.alive(running.pid))
    notes.push(
      `A gateway runs on ${source} (PID ${running.pid}): stop it first, or what it writes from now on is not taken.`,
    );
  const databases = sources.filter(({ name }) => isDatabase(name)).map(({ name }) => name);
  if (databases.length > 0)
    notes.push(
      `${databases.join(", ")}: newer versions of OpenClaw keep sessions, pairings and jobs in these databases, which ` +
        "only that program can read. While it runs, `openclaw sessions --json` lists its sessions, and " +
        '`openclaw gateway call chat.history --params \'{"sessionKey":"<key>"}\' --json` prints one. Pair devices anew.',
    );
  return notes;
}

/** Sessions of another program are taken over when there is no index yet; this one would keep them out. */
async function ownIndex(files: Files, target: string, copies: readonly Copy[]): Promise<string | undefined> {
  const index = join(target, "sessions/index.jsonl");
  const foreign = copies.some(
    ({ to, state }) => state !== "same" && /\/agents\/[^/]+\/sessions\/sessions\.json$/.test(to),
  );
  return foreign && !copies.some(({ to }) => to === index) && (await files.stat(index)) ? index : undefined;
}

async function copyFile(files: Files, { from, to, executable }: Copy): Promise<void> {
  const source = await files.openRead(from);
  if (!source) throw new Failure("unavailable", `${from} went away while it was copied: run migrate again`);
  try {
    await files.makeFolder(dirname(to));
    const temporary = join(dirname(to), `.${basename(to)}.migrating.tmp`);
    await files.remove(temporary);
    const file = await files.open(temporary);
    try {
      for (let at = 0; at < source.stat.size; at += CHUNK)
        await file.append(await source.read(at, Math.min(at + CHUNK, source.stat.size)));
      await file.append("", { flush: true });
    } finally {
      await file.close();
    }
    if (executable) await files.chmod(temporary, 0o700);
    await files.rename(temporary, to);
  } finally {
    await source.close();
  }
}

const CHUNK = 256 * 1024;

async function compare(files: Files, from: string, to: string): Promise<CopyState> {
  const [a, b] = [await files.stat(from), await files.stat(to)];
  if (!b) return "new";
  if (!a || b.kind !== "file" || a.size !== b.size) return "other";
  for (let at = 0; at < a.size; at += CHUNK) {
    const [one, two] = [await files.readRange(from, at, at + CHUNK), await files.readRange(to, at, at + CHUNK)];
    if (one.length !== two.length || one.some((byte, index) => byte !== two[index])) return "other";
  }
  return "same";
}

async function compareText(files: Files, text: string, to: string): Promise<CopyState> {
  const present = await files.read(to);
  return present === undefined ? "new" : present === text ? "same" : "other";
}
