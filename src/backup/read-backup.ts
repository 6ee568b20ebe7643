import { parseConfig } from "../config/parse.ts";
import type { Files } from "../host/host.ts";
import { Failure } from "../kit/error.ts";
import { createSha256 } from "../kit/sha256.ts";
import { checkedPath } from "./archive-path.ts";
import { MANIFEST, parseManifest, type Manifest } from "./manifest.ts";
import { readArchive } from "./read-tar.ts";

/** What a whole archive turned out to be. */
export interface Backup {
  readonly manifest: Manifest;
  /** Bytes of all files, unpacked. */
  readonly bytes: number;
  /** Why the configuration in it cannot be read; undefined when it can, or there is none. */
  readonly configTrouble: string | undefined;
}

/** Takes the bytes of one file of an archive, before anybody knows whether they are right. */
export type Sink = (path: string, pieces: AsyncIterable<Uint8Array>) => Promise<void>;

/**
 * Reads an archive to its end and checks it: paths that stay in it, one manifest, each file that the manifest names
 * there once with its size and SHA-256, and none besides. Throws a Failure that says what is wrong.
 */
export async function readBackup(
  files: Files,
  archive: string,
  { sink = (_, pieces) => drain(pieces), signal, freeBytes }: ReadOptions = {},
): Promise<Backup> {
  const seen = new Map<string, Seen>();
  let manifest: { readonly at: string; readonly value: Manifest } | undefined;
  let config: Uint8Array | undefined;
  for await (const entry of readArchive(files, archive, { freeBytes })) {
    signal?.throwIfAborted();
    const path = checkedPath(entry.path);
    if (entry.kind === "folder") continue;
    if (seen.has(path) || path === manifest?.at)
      throw new Failure("failed", `the archive has ${JSON.stringify(path)} in it twice: it is refused`);
    if (/^[^/]+\/manifest\.json$/.test(path)) {
      if (manifest) throw new Failure("failed", `the archive has more than one ${MANIFEST}: it is refused`);
      manifest = { at: path, value: parseManifest(decode(await bytesOf(entry, MAX_MANIFEST))) };
    } else if (/^[^/]+\/payload\/config\/[^/]+$/.test(path) && entry.size <= MAX_CONFIG) {
      config = await bytesOf(entry, MAX_CONFIG);
      seen.set(path, await measured(path, piecesOf(config), sink));
    } else seen.set(path, await measured(path, entry.content(), sink));
  }
  if (!manifest) throw new Failure("failed", `the archive has no ${MANIFEST}: it is no backup, or was cut off`);
  compare(manifest.value, manifest.at, seen);
  const bytes = manifest.value.files.reduce((total, { size }) => total + size, 0);
  return { manifest: manifest.value, bytes, configTrouble: config && (await trouble(decode(config))) };
}

export interface ReadOptions {
  readonly sink?: Sink;
  readonly signal?: AbortSignal | undefined;
  /** Bytes that any archive may unpack to, however small it is. */
  readonly freeBytes?: number;
}

interface Seen {
  readonly size: number;
  readonly sha256: string;
}

/** Far above the list of any state folder. */
const MAX_MANIFEST = 256 * 1024 * 1024;
/** Bytes; a longer configuration is not read by the gateway either. */
const MAX_CONFIG = 8 * 1024 * 1024;

/** Lets the bytes of a file go by. */
export async function drain(pieces: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _piece of pieces);
}

async function measured(path: string, pieces: AsyncIterable<Uint8Array>, sink: Sink): Promise<Seen> {
  const hash = createSha256();
  let size = 0;
  const watched = async function* (): AsyncGenerator<Uint8Array> {
    for await (const piece of pieces) {
      hash.update(piece);
      size += piece.length;
      yield piece;
    }
  };
  await sink(path, watched());
  return { size, sha256: hash.hex() };
}

function compare({ archiveRoot, assets, files }: Manifest, at: string, seen: ReadonlyMap<string, Seen>): void {
  if (at !== `${archiveRoot}/${MANIFEST}`)
    throw new Failure("failed", `the archive's ${MANIFEST} is not in ${archiveRoot}, as it says itself: it is refused`);
  for (const { archivePath } of assets)
    if (!archivePath.startsWith(`${archiveRoot}/payload/`))
      throw new Failure(
        "failed",
        `the archive's ${MANIFEST} names ${archivePath}, which is not its own: it is refused`,
      );
  const listed = new Set<string>();
  for (const { path, size, sha256 } of files) {
    const found = seen.get(path);
    if (!found) throw new Failure("failed", `${path} is missing in the archive: use another copy of it`);
    if (found.size !== size || found.sha256 !== sha256)
      throw new Failure("failed", `${path} is not what it was when the archive was made: use another copy of it`);
    if (!assets.some(({ archivePath }) => path === archivePath || path.startsWith(`${archivePath}/`)))
      throw new Failure("failed", `${path} belongs to nothing that the ${MANIFEST} names: the archive is refused`);
    listed.add(path);
  }
  for (const path of seen.keys())
    if (!listed.has(path)) throw new Failure("failed", `${path} is not in the archive's ${MANIFEST}: it is refused`);
}

async function trouble(config: string): Promise<string | undefined> {
  try {
    await parseConfig(config);
    return undefined;
  } catch (error) {
    return Failure.from(error).message;
  }
}

async function bytesOf(
  entry: { readonly path: string; readonly size: number; content(): AsyncIterable<Uint8Array> },
  most: number,
): Promise<Uint8Array> {
  if (entry.size > most)
    throw new Failure("failed", `${entry.path} is too large: ${entry.size} bytes, at most ${most}`);
  const bytes = new Uint8Array(entry.size);
  let at = 0;
  for await (const piece of entry.content()) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

async function* piecesOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
