import type { Files } from "../host/host.ts";
import { absolute, basename, dirname, join, tildify } from "../host/paths.ts";
import { Failure } from "../kit/error.ts";
import { createSha256 } from "../kit/sha256.ts";
import { VERSION } from "../kit/version.ts";
import { endOfLines } from "../store/torn.ts";
import { MANIFEST, manifestText, type Manifest, type ManifestFile } from "./manifest.ts";
import type { BackupChoice, BackupPlan, Place } from "./plan.ts";
import { mostUnpacked } from "./read-tar.ts";
import { writeArchive, type ArchiveWriter } from "./write-tar.ts";

export interface Created {
  readonly archive: string;
  readonly bytes: number;
  readonly manifest: Manifest;
}

/** Where the archive will be: a new file outside of everything that goes into it. */
export async function archivePathFor(
  { host }: Place,
  plan: BackupPlan,
  { program, output }: { readonly program: string; readonly output: string | undefined },
): Promise<string> {
  const { files } = host;
  const name = `${new Date(host.clock.now()).toISOString().replaceAll(":", "-")}-${program}-backup.tar.gz`;
  const wanted = output === undefined ? undefined : absolute(host, output);
  const isFolder =
    wanted !== undefined && (/[\\/]$/.test(output ?? "") || (await files.stat(wanted))?.kind === "folder");
  const usual = (await insideOf(files, plan, host.cwd)) === undefined ? host.cwd : host.home;
  const path = wanted === undefined ? join(usual, name) : isFolder ? join(wanted, name) : wanted;
  const source = await insideOf(files, plan, dirname(path));
  if (source !== undefined)
    throw new Failure(
      "usage",
      `${tildify(host, path)} lies in ${tildify(host, source)}, which is backed up: choose --output elsewhere`,
    );
  if (await files.stat(path))
    throw new Failure("conflict", `${tildify(host, path)} exists, and no archive is overwritten: choose another name`);
  return path;
}

/**
 * Writes the archive under a name of its own, and gives it `path` when it is whole and on the disk. A gateway may run
 * and write meanwhile. Nothing is held in memory but one piece of one file, and the list of all.
 */
export async function createBackup(
  { host }: Place,
  plan: BackupPlan,
  options: BackupChoice & { readonly path: string; readonly signal?: AbortSignal },
): Promise<Created> {
  const { files } = host;
  const folder = dirname(options.path);
  await files.makeFolder(folder);
  await removeLeftovers(host, folder);
  const temporary = join(folder, `.${basename(options.path)}.${host.processes.pid}${UNFINISHED}`);
  const createdAt = new Date(host.clock.now()).toISOString();
  const root = basename(options.path).replace(/\.(tar\.gz|tgz)$/i, "");
  try {
    const file = await files.open(temporary);
    try {
      const archive = writeArchive(file);
      try {
        const { listed, gone } = await copyAll(files, archive, { plan, root, now: host.clock.now(), ...options });
        const manifest: Manifest = {
          schemaVersion: 1,
          createdAt,
          archiveRoot: root,
          runtimeVersion: VERSION,
          platform: host.os,
          options: { includeWorkspace: options.includeWorkspace, onlyConfig: options.onlyConfig },
          assets: plan.assets.map((asset) => ({ ...asset, archivePath: `${root}/${asset.archivePath}` })),
          files: listed,
          skipped: [...plan.skipped, ...gone],
        };
        const text = new TextEncoder().encode(manifestText(manifest));
        const facts = { size: text.length, mode: 0o600, modifiedAt: host.clock.now() };
        await archive.add(`${root}/${MANIFEST}`, facts, once(text));
        await archive.finish();
        const bytes = file.size;
        const unpacked = listed.reduce((total, { size }) => total + size, 0);
        if (unpacked > mostUnpacked(bytes))
          throw new Failure(
            "failed",
            `what is backed up is nearly empty (${unpacked} bytes pack to ${bytes}): leave it out`,
          );
        if (await files.stat(options.path))
          throw new Failure("conflict", `${options.path} has come to be meanwhile: choose another name`);
        await files.rename(temporary, options.path);
        return { archive: options.path, bytes, manifest };
      } catch (error) {
        await archive.abandon(error);
        throw error;
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    await files.remove(temporary);
    throw error;
  }
}

const UNFINISHED = ".backup.tmp";

/** What a process that was killed left of its archive. */
async function removeLeftovers({ files, processes }: Place["host"], folder: string): Promise<void> {
  for (const name of await files.list(folder)) {
    const [, pid] = /^\..*\.(\d+)\.backup\.tmp$/.exec(name) ?? [];
    if (pid !== undefined && !processes.alive(Number(pid))) await files.remove(join(folder, name));
  }
}

interface Copying {
  readonly plan: BackupPlan;
  readonly root: string;
  readonly now: number;
  readonly signal?: AbortSignal;
}

async function copyAll(files: Files, archive: ArchiveWriter, { plan, root, now, signal }: Copying) {
  const listed: ManifestFile[] = [];
  const gone: Manifest["skipped"] = [];
  for (const source of plan.files) {
    signal?.throwIfAborted();
    const file = await files.openRead(source.from);
    if (!file) {
      gone.push({ path: source.from, reason: "gone before its turn came" });
      continue;
    }
    try {
      const { size: present } = file.stat;
      const readRange = (_: string, start: number, end: number) => file.read(start, end);
      // What lies behind the last whole line is being written, and acknowledged to nobody.
      const size = source.grows ? await endOfLines({ readRange }, source.from, present) : present;
      const path = `${root}/${source.path}`;
      const hash = createSha256();
      const content = async function* (): AsyncGenerator<Uint8Array> {
        for (let at = 0; at < size; at += CHUNK) {
          signal?.throwIfAborted();
          const end = Math.min(at + CHUNK, size);
          const piece = await file.read(at, end);
          if (piece.length < end - at)
            throw new Failure("unavailable", `${source.from} was cut while it was copied: try again`);
          hash.update(piece);
          yield piece;
        }
      };
      const mode = source.executable ? 0o700 : 0o600;
      await archive.add(path, { size, mode, modifiedAt: now }, content());
      listed.push({ path, size, sha256: hash.hex(), ...(source.executable ? { executable: true } : {}) });
    } finally {
      await file.close();
    }
  }
  return { listed, gone };
}

const CHUNK = 256 * 1024;

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** The source that a folder lies in, links followed. */
async function insideOf(files: Files, plan: BackupPlan, folder: string): Promise<string | undefined> {
  const real = await realFolder(files, folder);
  for (const { kind, sourcePath } of plan.assets) {
    if (kind === "config") continue;
    const source = (await files.realPath(sourcePath)) ?? sourcePath;
    if (real === source || real.startsWith(`${source}/`)) return sourcePath;
  }
  return undefined;
}

/** Where a folder is, or will be. */
async function realFolder(files: Files, folder: string): Promise<string> {
  const real = await files.realPath(folder);
  if (real !== undefined || folder === dirname(folder)) return real ?? folder;
  return join(await realFolder(files, dirname(folder)), basename(folder));
}
