import { agentsOf, workspaceOf } from "../agent/roster.ts";
import { openConfig } from "../config/file.ts";
import type { Files } from "../host/host.ts";
import { basename, dirname, join, tildify } from "../host/paths.ts";
import { restoreMark } from "../host/restore-mark.ts";
import { Failure } from "../kit/error.ts";
import { createLogger } from "../kit/log.ts";
import { ofThisMachine } from "./contents.ts";
import type { Manifest } from "./manifest.ts";
import { whileStopped } from "./own-state.ts";
import type { Place } from "./plan.ts";
import { drain, readBackup, type Sink } from "./read-backup.ts";
import { finishSwaps, pendingRestore, swapAll, type Swap } from "./swap.ts";

/** What a restore would do, or did. */
export interface Restored {
  readonly swaps: readonly (Swap & {
    /** There was something, which is kept. */
    readonly replaces: boolean;
  })[];
  /** What is in the archive and stays there, and why. */
  readonly leftInArchive: readonly { readonly path: string; readonly reason: string }[];
}

/** Finishes a restore that was cut off; answers what it did, or undefined when there is none. */
export async function resumeRestore({ host, paths }: Place): Promise<readonly Swap[] | undefined> {
  if (!(await pendingRestore(host, paths.state))) return undefined;
  return whileStopped(host, paths.state, "finish a restore", async () => {
    const pending = await pendingRestore(host, paths.state);
    if (pending) await finishSwaps(host, paths.state, pending);
    return pending?.swaps ?? [];
  });
}

/** Where the parts of an archive would go. Changes nothing. */
export async function planRestore(place: Place, manifest: Manifest): Promise<Restored & { readonly routes: Routes }> {
  const { host, paths } = place;
  const { files } = host;
  const stamp = new Date(host.clock.now()).toISOString().replaceAll(":", "-");
  const swaps: Swap[] = [];
  const routes: [string, string][] = [];
  const leftInArchive: { path: string; reason: string }[] = [];
  const beside = (to: string): Swap => {
    const swap = { from: `${to}${RESTORING}${host.processes.pid}`, to, keep: `${to}.before-restore-${stamp}` };
    swaps.push(swap);
    return swap;
  };
  const state = manifest.assets.find(({ kind }) => kind === "state");
  const newState = state && beside(paths.state);
  /** Below the new state folder where that is its place, else a swap of its own. */
  const routeTo = (archivePath: string, to: string): void => {
    const inside = newState && to.startsWith(`${paths.state}/`);
    routes.push([archivePath, inside ? newState.from + to.slice(paths.state.length) : beside(to).from]);
  };
  if (state && newState) routes.push([state.archivePath, newState.from]);
  const known = await workspacesHere(place);
  for (const { kind, sourcePath, archivePath } of manifest.assets) {
    if (kind === "config") routeTo(archivePath, paths.config);
    if (kind !== "workspace") continue;
    const below =
      state && sourcePath.startsWith(`${state.sourcePath}/`) ? sourcePath.slice(state.sourcePath.length) : "";
    const to = below === "" ? sourcePath : join(paths.state, below);
    // Only where this profile keeps its workspaces: an archive must not say where on this machine it writes (threat M).
    const holdsMore = `${host.home}/`.startsWith(`${to}/`) || `${paths.state}/`.startsWith(`${to}/`);
    if (!holdsMore && (known.has(to) || (below !== "" && to.startsWith(`${paths.state}/`)))) routeTo(archivePath, to);
    else leftInArchive.push({ path: archivePath, reason: `${sourcePath} is no workspace of this profile` });
  }
  const replaced = await Promise.all(swaps.map(async (swap) => ({ ...swap, replaces: await holds(files, swap.to) })));
  return { swaps: replaced, leftInArchive, routes };
}

/** Folders and files of the archive, and where each is unpacked. */
export type Routes = readonly (readonly [archivePath: string, to: string])[];

/**
 * Puts an archive that was verified in the place of what is here. Refuses while a gateway runs. Everything is unpacked
 * and checked once more beside its place before anything is moved; what was there is kept.
 */
export async function restoreBackup(
  place: Place,
  archive: string,
  { signal, manifest }: { readonly signal?: AbortSignal; readonly manifest: Manifest },
): Promise<Restored> {
  const { host, paths } = place;
  const { files } = host;
  return whileStopped(host, paths.state, "restore a backup", async () => {
    const { routes, swaps, leftInArchive } = await planRestore(place, manifest);
    for (const { to } of swaps) await removeLeftovers(files, to);
    const executable = new Set(manifest.files.filter((file) => file.executable).map(({ path }) => path));
    try {
      for (const { from, to } of swaps) if (to === paths.state) await files.makeFolder(from);
      const sink: Sink = (path, pieces) => {
        const target = targetOf(routes, path);
        return target === undefined
          ? drain(pieces)
          : unpack(files, { target, pieces, executable: executable.has(path) });
      };
      const again = await readBackup(files, archive, { sink, signal });
      if (JSON.stringify(again.manifest) !== JSON.stringify(manifest))
        throw new Failure("conflict", `${archive} was replaced while it was restored; nothing was changed: try again`);
      for (const { from, to } of swaps) if (to === paths.state) await keepService(files, to, from);
      signal?.throwIfAborted();
    } catch (error) {
      for (const { from } of swaps) await files.remove(from);
      throw error;
    }
    const present = await Promise.all(swaps.map(async (swap) => ((await files.stat(swap.from)) ? [swap] : [])));
    await swapAll(host, paths.state, { archive, swaps: present.flat() });
    // The lock of this very process went along with what was there; a folder that held nothing else is not worth keeping.
    for (const { to, keep, replaces } of present.flat())
      if (to === paths.state) await files.remove(replaces ? join(keep, "gateway.lock") : keep);
    return { swaps: present.flat(), leftInArchive };
  });
}

/** The service goes on with the restored state: its script and its secrets are of this machine, not of the archive. */
async function keepService(files: Files, state: string, next: string): Promise<void> {
  for (const name of ofThisMachine) {
    const text = await files.read(join(state, name));
    if (text !== undefined) await files.write(join(next, name), text, { mode: 0o600 });
  }
}

const RESTORING = ".restoring-";

/** What a restore left that was killed before its decision, or while it wrote that down. */
async function removeLeftovers(files: Files, to: string): Promise<void> {
  const unpacked = basename(to) + RESTORING;
  const decision = `.${basename(restoreMark(to))}.`;
  for (const name of await files.list(dirname(to)))
    if (
      (name.startsWith(unpacked) && /^\d+$/.test(name.slice(unpacked.length))) ||
      (name.startsWith(decision) && name.endsWith(".tmp"))
    )
      await files.remove(join(dirname(to), name));
}

function targetOf(routes: Routes, path: string): string | undefined {
  // The longest one that fits: a workspace may lie in the state folder.
  const [best] = routes
    .filter(([at]) => path === at || path.startsWith(`${at}/`))
    .toSorted(([a], [b]) => b.length - a.length);
  return best && best[1] + path.slice(best[0].length);
}

interface Unpacking {
  readonly target: string;
  readonly pieces: AsyncIterable<Uint8Array>;
  readonly executable: boolean;
}

async function unpack(files: Files, { target, pieces, executable }: Unpacking): Promise<void> {
  await files.makeFolder(dirname(target));
  if (await files.stat(target))
    throw new Failure("failed", `${basename(target)} is in the archive under two names that this disk takes for one`);
  const file = await files.open(target);
  try {
    for await (const piece of pieces) await file.append(piece);
    await file.append("", { flush: true });
  } finally {
    await file.close();
  }
  if (executable) await files.chmod(target, 0o700);
}

/** Whether something is there but our own lock. */
async function holds(files: Files, path: string): Promise<boolean> {
  const stat = await files.stat(path);
  if (stat?.kind !== "folder") return stat !== undefined;
  return (await files.list(path)).some((name) => !/\.lock(\.claim-.*)?$/.test(name));
}

/** The workspaces that this profile's configuration names, and the usual one. */
async function workspacesHere({ host, flavour, paths }: Place): Promise<ReadonlySet<string>> {
  const store = await openConfig(
    host,
    flavour,
    paths,
    createLogger(() => host.clock.now(), []),
  );
  const { value } = store.current();
  return new Set([paths.workspace, ...agentsOf(value).map((agent) => workspaceOf(agent, value, { host, paths }))]);
}

/** For people: what became of what was there. */
export function keptLines(host: Place["host"], { swaps }: Restored): readonly string[] {
  return swaps.flatMap(({ to, keep, replaces }) =>
    replaces ? [`What was in ${tildify(host, to)} is kept in ${tildify(host, keep)}.`] : [],
  );
}
