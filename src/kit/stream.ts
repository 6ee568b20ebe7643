import type { Clock } from "../host/host.ts";
import { Failure } from "./error.ts";

export interface ReadOptions {
  /** Aborting cancels the body, which closes its connection. */
  readonly signal: AbortSignal;
  /** Longest silence in milliseconds. */
  readonly idleMs: number;
  readonly clock?: Timers | undefined;
  /** Most bytes in all. */
  readonly maxBytes?: number | undefined;
}

export type Timers = Pick<Clock, "after">;

/** The runtime's own timers, for who has no Clock at hand. */
export const webTimers: Timers = {
  after(ms, work) {
    const timer = setTimeout(work, ms);
    return () => clearTimeout(timer);
  },
};

const MAX_BYTES = 64 * 1024 * 1024;

/**
 * The text of a body as it arrives, UTF-8 decoded across chunks. However it ends, the body is cancelled. Throws
 * `timeout` after too long a silence, `aborted` by the signal, `failed` when there is too much of it, and what the
 * connection itself throws when it breaks.
 */
export async function* readPieces(body: ReadableStream<Uint8Array>, options: ReadOptions): AsyncGenerator<string> {
  const { signal, idleMs, clock = webTimers, maxBytes = MAX_BYTES } = options;
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let silent = false;
  let bytes = 0;
  // A body whose connection is gone rejects; that it is over is all we want.
  const cancel = (): void => void reader.cancel().catch(() => undefined);
  signal.addEventListener("abort", cancel, { once: true });
  try {
    for (;;) {
      const disarm = clock.after(idleMs, () => {
        silent = true;
        cancel();
      });
      const { done, value } = await reader.read().finally(disarm);
      if (signal.aborted) break;
      if (silent) throw new Failure("timeout", `nothing came for ${Math.round(idleMs / 1000)} seconds`);
      if (done) break;
      bytes += value.byteLength;
      if (bytes > maxBytes) throw new Failure("failed", `more than ${maxBytes} bytes came`);
      const piece = decoder.decode(value, { stream: true });
      if (piece !== "") yield piece;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener("abort", cancel);
    cancel();
  }
  if (signal.aborted) throw stopped(signal);
  const rest = decoder.decode();
  if (rest !== "") yield rest;
}

/** All of a body that fits in `maxBytes`; the rest is not read. */
export async function readStart(body: ReadableStream<Uint8Array>, options: ReadOptions): Promise<string> {
  const { maxBytes = MAX_BYTES } = options;
  let text = "";
  for await (const piece of readPieces(body, { ...options, maxBytes: Number.POSITIVE_INFINITY })) {
    text += piece;
    if (text.length >= maxBytes) break;
  }
  return text.slice(0, maxBytes);
}

/** The Failure of what the signal stopped. */
export function stopped(signal: AbortSignal): Failure {
  return new Failure("aborted", "aborted", { cause: signal.reason });
}
