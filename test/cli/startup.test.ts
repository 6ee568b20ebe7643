import { readFileSync } from "node:fs";
import { posix } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";

/** Everything that is loaded with a file: its imports of values, and theirs. Dynamic imports come later, if at all. */
function loadedWith(file: string, seen = new Set<string>()): ReadonlySet<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  if (!file.startsWith("src/")) return seen;
  const imports = readFileSync(file, "utf8").matchAll(/^(?:import|export)\s+(?!type\s)[^;]*?from\s+"([^"]+)"/gm);
  for (const [, target = ""] of imports)
    loadedWith(target.startsWith(".") ? posix.join(posix.dirname(file), target) : target, seen);
  return seen;
}

for (const command of ["health", "call", "logs", "status", "gateway-status", "probe", "devices", "version"]) {
  test(`${command} is instant: neither hono, valibot nor the server is loaded with it`, () => {
    const loaded = [...loadedWith("src/main.ts"), ...loadedWith(`src/commands/${command}.ts`)];
    const heavy = loaded.filter((file) => !file.startsWith("src/") || /^src\/(gateway|methods|boot)/.test(file));
    assert.equal(heavy, []);
  });
}

test.run();
