import { createOpenKeys } from "./open-keys.ts";
import { checkedKey, checkedLines } from "./key.ts";
import type { Logs } from "./log.ts";

/** Logs that are forgotten with the process: for tests, and for a gateway embedded where there is no disk. */
export function createMemoryLogs(): Logs {
  const contents = new Map<string, Bytes>();
  const open = createOpenKeys();

  return {
    async open(key) {
      const release = open.take(checkedKey(key));
      return {
        get size() {
          return contents.get(key)?.length ?? 0;
        },
        async append(lines) {
          const old = contents.get(key) ?? { length: 0, buffer: new Uint8Array(0) };
          contents.set(key, extended(old, new TextEncoder().encode(checkedLines(key, lines))));
          return old.length;
        },
        async read(start, end) {
          const { buffer, length } = contents.get(key) ?? { length: 0, buffer: new Uint8Array(0) };
          return buffer.slice(start, Math.min(end, length));
        },
        async close() {
          release();
        },
      };
    },
    async move(from, to) {
      open.mustBeClosed(checkedKey(from), checkedKey(to));
      const moved = contents.get(from);
      if (!moved) return;
      contents.set(to, moved);
      contents.delete(from);
    },
    async remove(key) {
      open.mustBeClosed(checkedKey(key));
      contents.delete(key);
    },
    async replace(key, lines) {
      open.mustBeClosed(checkedKey(key));
      const buffer = new TextEncoder().encode(checkedLines(key, lines));
      contents.set(key, { buffer, length: buffer.length });
    },
  };
}

interface Bytes {
  /** Room for more than `length`, so that many appends do not copy everything each time. */
  readonly buffer: Uint8Array;
  readonly length: number;
}

function extended({ buffer, length }: Bytes, more: Uint8Array): Bytes {
  const total = length + more.length;
  const room = total <= buffer.length ? buffer : new Uint8Array(total * 2);
  if (room !== buffer) room.set(buffer.subarray(0, length));
  room.set(more, length);
  return { buffer: room, length: total };
}
