import type { Files } from "../host/host.ts";
import { Failure } from "../kit/error.ts";
import { damaged, parseHeader, parsePax, TAR_BLOCK, tarPadding, type TarEntry, type TarHeader } from "./tar.ts";

/** One file or folder of an archive; its bytes are there until the next one is asked for. */
export interface ArchiveEntry extends TarEntry {
  content(): AsyncIterable<Uint8Array>;
}

/**
 * Reads a `.tar.gz` piece by piece, whoever wrote it. Everything in it is hostile until proven otherwise: links, devices
 * and what is not understood are refused, and so is an archive that swells beyond all measure (threats H and M).
 */
export async function* readArchive(
  files: Files,
  path: string,
  { freeBytes = FREE_BYTES }: { readonly freeBytes?: number | undefined } = {},
): AsyncGenerator<ArchiveEntry> {
  const file = await files.openRead(path);
  if (!file) throw new Failure("not-found", `there is no archive ${path}: give the path of one`);
  const source = createSource(unpacked(chunksOf(file, file.stat.size), mostUnpacked(file.stat.size, freeBytes)));
  try {
    let entries = 0;
    for (;;) {
      const header = await nextHeader(source);
      if (!header) return;
      if (++entries > MAX_ENTRIES) throw new Failure("failed", `the archive has more than ${MAX_ENTRIES} entries`);
      let left = header.size;
      const content = async function* (): AsyncGenerator<Uint8Array> {
        while (left > 0) {
          const piece = await source.take(left);
          left -= piece.length;
          yield piece;
        }
      };
      yield { ...header, kind: header.type === "5" ? "folder" : "file", content };
      for await (const _ of content()); // what nobody wanted is passed over
      await source.exactly(tarPadding(header.size));
    }
  } finally {
    await source.close();
    await file.close();
  }
}

/** How many bytes an archive of this size may unpack to. Nothing is written that would not be read again. */
export function mostUnpacked(packed: number, freeBytes: number = FREE_BYTES): number {
  return MAX_RATIO * packed + freeBytes;
}

/** Deflate makes up to 1032 bytes of one; conversations and configurations stay far below this. */
const MAX_RATIO = 200;
const FREE_BYTES = 1024 ** 3;
const MAX_ENTRIES = 1_000_000;
/** A pax header or a long name. */
const MAX_EXTENSION = 64 * 1024;
const CHUNK = 256 * 1024;

/** The next header of something that can be kept, with what extended headers before it say of it. */
async function nextHeader(source: Source): Promise<TarHeader | undefined> {
  let extended: { path?: string | undefined; size?: number | undefined } = {};
  for (;;) {
    const header = parseHeader(await source.exactly(TAR_BLOCK));
    if (!header) return undefined;
    if (!Number.isSafeInteger(header.size) || header.size < 0) throw damaged("a size that is no number");
    if (header.type === "x" || header.type === "L") {
      if (header.size > MAX_EXTENSION) throw damaged("an extended header that is too long");
      const bytes = await source.exactly(header.size);
      await source.exactly(tarPadding(header.size));
      extended = header.type === "x" ? fromPax(bytes) : { path: new TextDecoder().decode(bytes).replace(/\0+$/, "") };
    } else if (["0", "7", "5"].includes(header.type)) {
      return { ...header, path: extended.path ?? header.path, size: extended.size ?? header.size };
    } else throw refused(header);
  }
}

function fromPax(bytes: Uint8Array): { path?: string | undefined; size?: number | undefined } {
  const records = parsePax(bytes);
  const size = records.get("size");
  if (size !== undefined && !/^\d{1,15}$/.test(size)) throw damaged("a size that is no number");
  if ([...records.keys()].some((key) => key.startsWith("GNU.sparse")))
    throw new Failure("failed", "the archive has a sparse file in it, which is not read: pack it without --sparse");
  return { path: records.get("path"), size: size === undefined ? undefined : Number(size) };
}

function refused({ path, type }: TarHeader): Failure {
  const words: Readonly<Record<string, string>> = { "1": "a link", "2": "a link", "3": "a device", "4": "a device" };
  return new Failure(
    "failed",
    `${JSON.stringify(path.slice(0, 200))} is ${words[type] ?? `of a kind (${JSON.stringify(type)}) that`} ` +
      `${words[type] ? "in the archive: it" : "is not known: it"} is refused, and nothing was taken from it`,
  );
}

async function* chunksOf(
  file: { read(start: number, end: number): Promise<Uint8Array> },
  size: number,
): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < size; at += CHUNK) yield await file.read(at, Math.min(at + CHUNK, size));
}

/** What gzip made of the bytes, at most `most` of them. */
async function* unpacked(packed: AsyncGenerator<Uint8Array>, most: number): AsyncGenerator<Uint8Array> {
  const stream = new ReadableStream<BufferSource>({
    async pull(controller) {
      const { done, value } = await packed.next();
      if (done === true) controller.close();
      else controller.enqueue(Uint8Array.from(value));
    },
  });
  const reader = stream.pipeThrough(new DecompressionStream("gzip")).getReader();
  let total = 0;
  try {
    for (;;) {
      const { done, value } = await nextOf(reader);
      if (done) return;
      total += value.length;
      if (total > most)
        throw new Failure("failed", `the archive unpacks to more than ${MAX_RATIO} times its size: it is refused`);
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined); // a broken stream was told of already
  }
}

async function nextOf(reader: ReadableStreamDefaultReader<Uint8Array>) {
  try {
    return await reader.read();
  } catch (error) {
    throw new Failure("failed", "the archive is damaged: gzip cannot unpack it; use another copy of it", {
      cause: error,
    });
  }
}

interface Source {
  /** Between one byte and `most`. */
  take(most: number): Promise<Uint8Array>;
  exactly(size: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

function createSource(chunks: AsyncGenerator<Uint8Array>): Source {
  let chunk = new Uint8Array(0);

  async function take(most: number): Promise<Uint8Array> {
    while (chunk.length === 0) {
      const { done, value } = await chunks.next();
      if (done === true) throw damaged("no end: it was cut off");
      chunk = Uint8Array.from(value);
    }
    const piece = chunk.subarray(0, most);
    chunk = chunk.subarray(piece.length);
    return piece;
  }

  return {
    take,
    async exactly(size) {
      const whole = new Uint8Array(size);
      for (let filled = 0; filled < size;) {
        const piece = await take(size - filled);
        whole.set(piece, filled);
        filled += piece.length;
      }
      return whole;
    },
    close: async () => void (await chunks.return(undefined)),
  };
}
