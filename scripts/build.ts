// Builds dist/: one program for Node, under its three names. `npm run build`
import { rmSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

rmSync("dist", { recursive: true, force: true });
await build({
  entryPoints: { main: "./adapters/node/main.ts" },
  outdir: "dist",
  bundle: true,
  splitting: true,
  minify: true,
  format: "esm",
  platform: "node",
  target: "node20",
  packages: "external",
  chunkNames: "part-[hash]",
  logLevel: "warning",
});
for (const name of ["clawlet", "openclaw", "clawdbot"]) {
  writeFileSync(`dist/${name}.js`, '#!/usr/bin/env node\nimport "./main.js";\n', { mode: 0o755 });
}
