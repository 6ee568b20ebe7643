// Loaded into a measured gateway before its own code (soak.ts, on Bun): writes to HEAP_FILE, every five minutes, how
// many megabytes the heap holds when everything that can be collected is.
import { appendFileSync } from "node:fs";
import { isMainThread } from "node:worker_threads";

const { HEAP_FILE: file } = process.env;
const bun = (globalThis as { Bun?: { gc(force: true): void } }).Bun;
if (file && bun && isMainThread) {
  const began = Date.now();
  const look = (): void => {
    bun.gc(true);
    const minute = (Date.now() - began) / 60_000;
    appendFileSync(file, `${minute.toFixed(1)} ${(process.memoryUsage().heapUsed / 1024 / 1024).toFixed(1)}\n`);
  };
  setInterval(look, 300_000).unref();
}
