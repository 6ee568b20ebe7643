// Writes the reference pages and the manual page anew from the code's own tables. `npm run docs`
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { pages } from "./docs/pages.ts";

for (const [path, text] of await pages()) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  process.stdout.write(`${path}\n`);
}
