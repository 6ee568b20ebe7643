import type { Clock } from "../host/host.ts";
import { Failure } from "../kit/error.ts";
import { uuid } from "../kit/ids.ts";
import { createLanes } from "../kit/lanes.ts";
import type { Logger } from "../kit/log.ts";
import { runsOf } from "./lines.ts";
import type { Log, Logs } from "./log.ts";
import type { Store } from "./store.ts";

/** Lines that come in pieces, because there are too many for one request. They lie on the disk until all are there. */
export interface Uploads {
  /** Begins an upload and answers its id. It is given up when nothing comes for ten minutes, or `signal` is aborted. */
  begin(signal: AbortSignal): string;
  add(id: string, lines: readonly string[]): Promise<void>;
  /** Ends an upload: `use` may go through its lines as often as it likes; then they are gone, whatever came of it. */
  finish<T>(id: string, use: (lines: () => AsyncIterable<string>) => Promise<T>): Promise<T>;
  /** Removes what a process that is gone has left unfinished. Nothing may be under way. */
  sweep(): Promise<void>;
  /** Gives up what is under way. */
  close(): Promise<void>;
}

export interface UploadsOptions {
  readonly logs: Logs;
  /** Over the same folder as `logs`. */
  readonly store: Pick<Store, "keys">;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The folder of files that are not whole yet, under any name: no reader looks there, and every start empties it. */
export const UNFINISHED = "unfinished";

export function createUploads({ logs, store, clock, log }: UploadsOptions): Uploads {
  const uploads = new Map<string, Upload>();
  const lanes = createLanes();

  function find(id: string): Upload {
    const upload = uploads.get(id);
    if (upload) return upload;
    throw new Failure("not-found", "no such upload is under way: it has ended, or nothing came for long; begin again");
  }

  /** Of an upload that nobody knows any more. What cannot be removed now is at the next start. */
  async function remove(id: string, { file, stopWaiting }: Upload): Promise<void> {
    uploads.delete(id);
    stopWaiting();
    try {
      await (await file)?.close();
      await logs.remove(keyOf(id));
    } catch (error) {
      log.warn("an upload could not be removed", { id, error: String(error) });
    }
  }

  const giveUp = (id: string): Promise<void> =>
    lanes.run(id, async () => {
      const upload = uploads.get(id);
      if (upload) await remove(id, upload);
    });

  /** Gives the upload up when it is left alone; the answer ends the waiting. */
  function wait(id: string, signal: AbortSignal): () => void {
    const end = (): void => void giveUp(id);
    const cancel = clock.after(PATIENCE_MS, end);
    signal.addEventListener("abort", end);
    // An abort that came before is not told again.
    if (signal.aborted) end();
    return () => {
      cancel();
      signal.removeEventListener("abort", end);
    };
  }

  return {
    begin(signal) {
      if (uploads.size >= MAX_UPLOADS)
        throw new Failure("unavailable", `${MAX_UPLOADS} uploads are under way: try again when one has ended`);
      const id = uuid();
      uploads.set(id, { signal, stopWaiting: wait(id, signal), file: undefined });
      return id;
    },
    add: (id, lines) =>
      lanes.run(id, async () => {
        const upload = find(id);
        upload.stopWaiting();
        try {
          upload.file ??= logs.open(keyOf(id));
          const file = await upload.file;
          await file.append(lines);
          if (file.size > MAX_BYTES)
            throw new Failure(
              "invalid-request",
              `more than ${MAX_BYTES / 2 ** 20} MB were sent: split what is too long`,
            );
          upload.stopWaiting = wait(id, upload.signal);
        } catch (error) {
          await remove(id, upload);
          throw error;
        }
      }),
    finish: (id, use) =>
      lanes.run(id, async () => {
        const upload = find(id);
        upload.stopWaiting();
        try {
          const file = await upload.file;
          return await use(() => linesOf(file));
        } finally {
          await remove(id, upload);
        }
      }),
    async sweep() {
      try {
        for (const key of await store.keys(`${UNFINISHED}/`)) await logs.remove(key);
      } catch (error) {
        log.warn("unfinished files could not be removed", { error: String(error) });
      }
    },
    async close() {
      await Promise.all([...uploads.keys()].map(giveUp));
    },
  };
}

interface Upload {
  readonly signal: AbortSignal;
  stopWaiting: () => void;
  /** Undefined until the first lines come. */
  file: Promise<Log> | undefined;
}

const MAX_UPLOADS = 4;
const MAX_BYTES = 512 * 2 ** 20;
const PATIENCE_MS = 600_000;

function keyOf(id: string): string {
  return `${UNFINISHED}/${id}.lines`;
}

/** Each line, empty ones too. */
async function* linesOf(file: Log | undefined): AsyncGenerator<string> {
  if (!file) return;
  for await (const { bytes } of runsOf(file)) {
    const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
    yield* text.slice(0, -1).split("\n");
  }
}
