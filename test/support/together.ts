import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

// Runs the test files that it is given one after the other in one process, each under a line with its name and with
// counts of its own: what they share, and the runtime itself, is loaded once.

const suites: unknown[][] = [];
Object.assign(globalThis, { UVU_DEFER: true, UVU_QUEUE: suites });
// Reads both as it is loaded.
const { exec } = await import("uvu");

let hasFailed = false;
for (const file of process.argv.slice(2)) {
  process.stdout.write(`\n=== ${file}\n`);
  suites.splice(0, suites.length, [null]);
  try {
    await import(pathToFileURL(resolve(file)).href);
    await exec();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exitCode = 1;
  }
  hasFailed ||= process.exitCode !== 0;
}
process.exitCode = hasFailed ? 1 : 0;
