import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { program, root, runtime } from "../support/runtime.ts";

/** How to call the product under a name, by a link in a folder of programs as npm makes it. */
export function calledAs(name: string): readonly string[] {
  const [main = ""] = program.slice(-1);
  const folder = mkdtempSync(join(tmpdir(), "clawlet-name-"));
  mkdirSync(join(folder, "lib"));
  mkdirSync(join(folder, "bin"));
  const [script, link] = [join(folder, "lib", `${name}.mjs`), join(folder, "bin", name)];
  writeFileSync(script, `import ${JSON.stringify(main)};\n`);
  symlinkSync(join("..", "lib", `${name}.mjs`), link);
  // Deno takes its import map and node_modules from the configuration nearest to the script.
  return runtime === "deno"
    ? [...program.slice(0, -1), "--config", `${root}/deno.json`, link]
    : [...program.slice(0, -1), link];
}
