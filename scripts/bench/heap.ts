// Loaded into a measured gateway before its own code (soak.ts): writes to HEAP_FILE, every HEAP_EVERY_MS, how many
// minutes it has run and how many megabytes the heap holds when everything that can be collected is.
import { appendFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { isMainThread } from "node:worker_threads";

const { HEAP_FILE: file, HEAP_EVERY_MS: every } = process.env;
if (file && isMainThread) {
  const began = Date.now();
  const collect = collector();
  const look = (): void => {
    collect();
    const minute = (Date.now() - began) / 60_000;
    appendFileSync(file, `${minute.toFixed(2)} ${(process.memoryUsage().heapUsed / 1024 / 1024).toFixed(2)}\n`);
  };
  setInterval(look, Number(every)).unref();
}

/** What frees all that can be freed, as this runtime offers it. */
function collector(): () => void {
  const { Bun: bun, gc } = globalThis as { Bun?: { gc(force: true): void }; gc?: () => void };
  if (bun) return () => bun.gc(true);
  if (gc) return gc;
  // Node shows it to contexts that are made after it was asked to.
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}
