import type { Clock } from "../host/host.ts";
import { createLanes } from "../kit/lanes.ts";
import type { Logger } from "../kit/log.ts";
import type { Logs } from "../store/log.ts";
import type { SearchIndex, SearchText } from "./search.ts";
import { openTextFiles, type TextFilesOptions } from "./text-index-files.ts";
import { keptText } from "./text-index-line.ts";
import { searchTexts } from "./text-index-query.ts";

export interface TextIndexOptions extends TextFilesOptions {
  readonly logs: Logs;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * The search index over append-only files. New texts are held in memory, found at once, and written once a second; what
 * a session said is hidden at once when it is forgotten, and removed when enough of it has gathered.
 */
export async function openTextIndex(options: TextIndexOptions): Promise<SearchIndex> {
  const { clock, log } = options;
  const files = await openTextFiles(options);
  const lanes = createLanes();
  /** Added, and not being written yet. */
  let waiting: SearchText[] = [];
  let waitingSize = 0;
  let writing: readonly SearchText[] = [];
  /** Not yet forgotten on the disk. What they say from now on is remembered. */
  const forgotten = new Set<string>();
  let stopTimer: (() => void) | undefined;
  let failing = false;
  let closed = false;
  /** The oldest timestamp of what had to be dropped. */
  let lost = Number.POSITIVE_INFINITY;

  function queue(texts: readonly SearchText[]): void {
    waiting = [...texts];
    waitingSize = waiting.reduce((sum, text) => sum + sizeOf(text), 0);
  }

  function take(): readonly SearchText[] {
    let [count, size] = [0, 0];
    while (count < waiting.length && size < BATCH) size += sizeOf(waiting[count++]);
    waitingSize -= size;
    return waiting.splice(0, count);
  }

  function schedule(): void {
    if (closed) return;
    stopTimer ??= clock.after(FLUSH_MS, () => {
      stopTimer = undefined;
      flush().catch((error: unknown) => {
        if (!failing) log.warn("the search index cannot be written: trying again", { error: String(error) });
        failing = true;
        schedule();
      });
    });
  }

  function flush(): Promise<void> {
    return lanes.run("write", async () => {
      const gone = new Set(forgotten);
      await files.forget(gone);
      for (const sessionId of gone) forgotten.delete(sessionId);
      while (waiting.length > 0) {
        writing = take();
        try {
          await files.append(writing);
        } catch (error) {
          queue([...writing, ...waiting].filter(({ sessionId }) => !forgotten.has(sessionId)));
          throw error;
        } finally {
          writing = [];
        }
      }
      failing = false;
    });
  }

  return {
    add(texts) {
      if (closed) return;
      for (const text of texts) {
        const kept = { ...text, text: keptText(text.text) };
        waiting.push(kept);
        waitingSize += sizeOf(kept);
      }
      while (waitingSize > MAX_WAITING) {
        if (lost === Number.POSITIVE_INFINITY) log.warn("the search index cannot be written: texts are left out of it");
        lost = Math.min(lost, oldestOf(take()));
      }
      schedule();
    },
    forget(sessionId) {
      if (closed) return;
      queue(waiting.filter((text) => text.sessionId !== sessionId));
      forgotten.add(sessionId);
      schedule();
    },
    query(query) {
      const isForgotten = (sessionId: string): boolean => forgotten.has(sessionId);
      const held = [...writing.filter(({ sessionId }) => !isForgotten(sessionId)), ...waiting];
      return files.use((segments) => searchTexts(query, { clock, held, segments, isForgotten }));
    },
    get syncedTo() {
      const held = Math.min(oldestOf(writing), oldestOf(waiting), lost);
      // Texts are not added strictly in the order of their times, and a time may lie in the future.
      return Math.max(0, Math.min(files.newest, held, clock.now()) - MARGIN_MS);
    },
    flush,
    async close() {
      if (closed) return;
      closed = true;
      stopTimer?.();
      try {
        await flush();
      } catch (error) {
        log.warn("the newest texts are not in the search index", { error: String(error) });
      }
      await files.close();
    },
  };
}

const FLUSH_MS = 1000;
/** Characters that are written at once. */
const BATCH = 256 * 1024;
/** Characters that may wait for a disk that does not take them. */
const MAX_WAITING = 32 * 1024 * 1024;
const MARGIN_MS = 60_000;

/** Roughly, in characters. */
function sizeOf(text: SearchText | undefined): number {
  return (text?.text.length ?? 0) + 100;
}

function oldestOf(texts: readonly SearchText[]): number {
  return texts.reduce((oldest, { timestamp }) => Math.min(oldest, timestamp), Number.POSITIVE_INFINITY);
}
