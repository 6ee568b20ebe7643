import type { Clock } from "../host/host.ts";
import type { PageFiles } from "../host/page.ts";
import { sha256Hex } from "../kit/ids.ts";

/** A file of the page, ready to be sent. */
export interface PageFile {
  readonly type: string;
  /** In quotes, as HTTP has it. */
  readonly etag: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The same, packed; absent where that saves little. */
  readonly gzip: Uint8Array<ArrayBuffer> | undefined;
  /** Its name changes with its content. */
  readonly lasting: boolean;
}

/** The page's files by name. What is not in the map does not exist, whatever is on the disk. */
export type Page = ReadonlyMap<string, PageFile>;

/**
 * Reads the page when it is asked for first, and keeps it. One that could not be read is read again, some seconds later:
 * anybody may ask for it, as often as he likes.
 */
export function keptPage(read: () => Promise<PageFiles>, clock: Pick<Clock, "monotonic">): () => Promise<Page> {
  let kept: Promise<Page> | undefined;
  let failedAt: number | undefined;
  const load = async (): Promise<Page> => {
    try {
      return await prepare(await read());
    } catch (error) {
      failedAt = clock.monotonic();
      throw error;
    }
  };
  return () => {
    if (failedAt !== undefined && clock.monotonic() - failedAt >= RETRY_MS) [kept, failedAt] = [undefined, undefined];
    return (kept ??= load());
  };
}

const RETRY_MS = 5000;

async function prepare(files: PageFiles): Promise<Page> {
  const prepared = [...files].map(async ([name, bytes]) => [name, await fileOf(name, bytes)] as const);
  return new Map(await Promise.all(prepared));
}

async function fileOf(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<PageFile> {
  const [type, packs] = types[/\.(\w+)$/.exec(name)?.[1]?.toLowerCase() ?? ""] ?? ["application/octet-stream", false];
  const gzip = packs ? await packed(bytes) : undefined;
  return {
    type,
    bytes,
    etag: `"${(await sha256Hex(bytes)).slice(0, 32)}"`,
    gzip: gzip && gzip.length < bytes.length * 0.9 ? gzip : undefined,
    // As bundlers name files: eight letters or more of a hash before the ending.
    lasting: /^assets\/.*[-.][A-Za-z0-9_-]{8,}\.\w+$/.test(name),
  };
}

async function packed(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Content types by ending, and whether packing them helps. */
const types: Readonly<Record<string, readonly [type: string, packs: boolean]>> = {
  html: ["text/html; charset=utf-8", true],
  js: ["text/javascript; charset=utf-8", true],
  mjs: ["text/javascript; charset=utf-8", true],
  css: ["text/css; charset=utf-8", true],
  json: ["application/json; charset=utf-8", true],
  map: ["application/json; charset=utf-8", true],
  webmanifest: ["application/manifest+json; charset=utf-8", true],
  txt: ["text/plain; charset=utf-8", true],
  svg: ["image/svg+xml", true],
  wasm: ["application/wasm", true],
  png: ["image/png", false],
  jpg: ["image/jpeg", false],
  gif: ["image/gif", false],
  webp: ["image/webp", false],
  ico: ["image/x-icon", false],
  woff2: ["font/woff2", false],
};
