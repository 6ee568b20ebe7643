import { dlopen } from "bun:ffi";
import { readFile } from "node:fs/promises";

/** As `Host.rest`. */
export async function rest(): Promise<void> {
  // What a busy minute took stays with the process otherwise, several times what is in use.
  Bun.gc(true);
  Bun.shrink();
  if (process.platform === "linux") await unmapCode();
}

/**
 * Has the system forget which pages of machine code this process has run: half of what it holds, most of it for its
 * start alone. They stay in the page cache, and come back by themselves where they are run again (madvise(2)).
 */
async function unmapCode(): Promise<void> {
  try {
    const maps = await readFile("/proc/self/maps", "utf8");
    libc ??= dlopen("libc.so.6", { madvise: { args: ["u64", "u64", "i32"], returns: "i32" } });
    // Code of files alone, which nobody writes: anything else would be lost.
    for (const [, from, to] of maps.matchAll(/^([0-9a-f]+)-([0-9a-f]+) r-xp \S+ \S+ \d+ +\//gm)) {
      const start = BigInt(`0x${from}`);
      libc.symbols.madvise(start, BigInt(`0x${to}`) - start, MADV_DONTNEED);
    }
  } catch {
    // A system without either: it takes such pages back itself when it has too few.
  }
}

const MADV_DONTNEED = 4;
let libc: ReturnType<typeof dlopen<{ madvise: { args: ["u64", "u64", "i32"]; returns: "i32" } }>> | undefined;
