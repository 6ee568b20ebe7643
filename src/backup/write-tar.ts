import type { AppendFile } from "../host/host.ts";
import { TAR_BLOCK, type TarFacts, tarHeader, tarPadding } from "./tar.ts";

/** A `.tar.gz` that is being written. */
export interface ArchiveWriter {
  /** Adds a file; `content` must bring exactly as many bytes as `facts` say. */
  add(path: string, facts: TarFacts, content: AsyncIterable<Uint8Array>): Promise<void>;
  /** Ends the archive; it is on the disk when this resolves. */
  finish(): Promise<void>;
  /** Gives up: what was written is no archive. */
  abandon(error: unknown): Promise<void>;
}

/** Packs what is added into `file`, piece by piece. */
export function writeArchive(file: AppendFile): ArchiveWriter {
  const gzip = new CompressionStream("gzip");
  const writer = gzip.writable.getWriter();
  const packed = drain(gzip.readable, file);
  // Nobody reads on when the disk is full: a write would wait for ever, were it not told.
  const failed = packed.then(() => new Promise<never>(() => undefined));
  failed.catch(() => undefined); // each write hears of it

  const write = (bytes: Uint8Array): Promise<void> => {
    const written = writer.write(Uint8Array.from(bytes));
    written.catch(() => undefined); // the race below tells
    return Promise.race([written, failed]);
  };

  return {
    async add(path, facts, content) {
      await write(tarHeader(path, facts));
      for await (const piece of content) await write(piece);
      await write(new Uint8Array(tarPadding(facts.size)));
    },
    async finish() {
      await write(new Uint8Array(2 * TAR_BLOCK));
      await Promise.race([writer.close(), failed]);
      await packed;
      await file.append("", { flush: true });
    },
    async abandon(error) {
      await writer.abort(error).catch(() => undefined); // it may have failed of itself
      await packed.catch(() => undefined); // as whoever gives up knows
    },
  };
}

async function drain(readable: ReadableStream<Uint8Array>, file: AppendFile): Promise<void> {
  const reader = readable.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      await file.append(value);
    }
  } catch (error) {
    // Lets go of a write that waits for room. Its own answer is of no use: what is wrong is known.
    void reader.cancel(error).catch(() => undefined);
    throw error;
  }
}
