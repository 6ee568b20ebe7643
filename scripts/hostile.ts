// Attacks a running gateway, as test/live/hostile.test.ts does, and prints how it withstood.
//   bun scripts/hostile.ts --url ws://127.0.0.1:18789 [--token SECRET] [--pid PID] [--runtime bun|deno|node] [--only TEXT]
// The token lets it try what a client with credentials could do; the process id, watch the memory. Run it against a
// gateway that nobody needs: it pairs devices, and leaves this address locked out. Exit status 1 when an attack succeeds.
import mri from "mri";
import { reasonToSkip, type Runtime, type Target, withstood } from "../test/support/hostile/attack.ts";
import { attacks } from "../test/support/hostile/index.ts";
import { memoryOf } from "../test/support/hostile/memory.ts";
import { goodClient } from "../test/support/hostile/session.ts";

const options = mri(process.argv.slice(2), { string: ["url", "token", "pid", "runtime", "only"] });
if (!/^ws:\/\/[^/]+$/.test(options["url"] ?? "")) {
  process.stderr.write("usage: bun scripts/hostile.ts --url ws://HOST:PORT [--token SECRET] [--pid PID]\n");
  process.exit(2);
}
const target: Target = {
  url: options["url"],
  token: options["token"] || undefined,
  pid: options["pid"] ? Number(options["pid"]) : undefined,
  runtime: (options["runtime"] || undefined) as Runtime | undefined,
};
const count = { withstood: 0, failed: 0, skipped: 0 };
const before = memoryOf(target.pid);
if (target.pid !== undefined && before === 0) {
  process.stderr.write(`--pid ${target.pid}: no such process on this machine\n`);
  process.exit(2);
}

for (const [theme, group] of Object.entries(attacks)) {
  print(`\n${theme}`);
  for (const attack of group.filter(({ name }) => name.includes(options["only"] || ""))) {
    const why = reasonToSkip(attack, target);
    if (why !== undefined) {
      count.skipped++;
      print(`- ${attack.name}: ${why}`);
      continue;
    }
    const seen = await attack.run(target).catch((error: unknown) => `the attack broke off: ${String(error)}`);
    const good = withstood(attack, seen);
    count[good ? "withstood" : "failed"]++;
    print(`${good ? "✓" : "✗"} ${attack.name}`);
    if (!good) print(`    expected ${String(attack.expected)}\n    saw      ${seen}`);
  }
}

print(`\n${count.withstood} withstood, ${count.failed} failed, ${count.skipped} not tried`);
if (target.pid !== undefined) print(`memory ${mebibytes(before)} before, ${mebibytes(memoryOf(target.pid))} after`);
if (target.token !== undefined) {
  // An attack has locked this address out; a gateway with the usual five minutes is not waited for.
  const end = await goodClient(target);
  print(`afterwards a good client is ${end === "AUTH_RATE_LIMITED" ? "locked out for a while, as intended" : end}`);
  if (end !== "served" && end !== "AUTH_RATE_LIMITED") count.failed++;
}
process.exit(count.failed === 0 ? 0 : 1);

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 1024 / 1024)} MiB`;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
