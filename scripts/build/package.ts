import { execFile } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { promisify } from "node:util";
import { build, type BuildOptions, type Metafile } from "esbuild";
import { billOfMaterials, thirdPartyNotices } from "./bill.ts";
import { bundledParts } from "./bundled.ts";
import { defines } from "./defines.ts";
import { writePage } from "./page.ts";

/** What other programs import, by name. Each needs nothing but web standards, except for `node`. */
export const libraries = {
  index: "./src/embed.ts",
  client: "./src/client/web.ts",
  node: "./adapters/node/embed.ts",
  bun: "./adapters/bun/embed.ts",
  deno: "./adapters/deno/embed.ts",
  workerd: "./adapters/workerd/embed.ts",
} as const;

/** The names that the package's program goes by. */
const names = ["clawlet", "openclaw", "clawdbot"] as const;

/**
 * Bundles the npm package with everything it uses: one package to fetch, nothing to resolve. What a command does not
 * need stays in parts of their own that are not read, which takes half off the time of a short command.
 */
export async function buildPackage(folder: string, commit: string | undefined): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  const shared = { outdir: folder, define: defines(commit), metafile: true } as const;
  const [forMachine, forAnywhere] = await Promise.all([
    build({ ...machine, ...shared }),
    build({ ...anywhere, ...shared }),
    writePage(`${folder}/page`),
  ]);
  refuseImports(forMachine.metafile, (path) => !isBuiltin(path));
  refuseImports(forAnywhere.metafile, () => true);
  const parts = bundledParts([forMachine.metafile, forAnywhere.metafile]);
  writeFileSync(`${folder}/THIRD-PARTY.txt`, thirdPartyNotices(parts));
  writeFileSync(`${folder}/clawlet.cdx.json`, billOfMaterials(parts, { type: "application", commit }));
  for (const name of names) writeFileSync(`${folder}/${name}.js`, start, { mode: 0o755 });
}

/** What `npm pack` would send. */
export async function packedSize(): Promise<{ files: number; packed: number; unpacked: number }> {
  const args = ["pack", "--dry-run", "--json", "--ignore-scripts"];
  const { stdout } = await promisify(execFile)("npm", args, { maxBuffer: 1 << 24 });
  const answer: unknown = JSON.parse(stdout);
  // npm 12 answers an object by package name, older ones a list.
  const [{ entryCount, size, unpackedSize }] = Object.values(answer ?? {});
  return { files: entryCount, packed: size, unpacked: unpackedSize };
}

/** Whoever installs the package has nothing but the package: an import that is left in it would fail there. */
function refuseImports({ outputs }: Metafile, isRefused: (path: string) => boolean): void {
  const left = Object.values(outputs)
    .flatMap(({ imports }) => imports)
    .filter(({ path, external }) => external && isRefused(path));
  if (left.length > 0) throw new Error(`not bundled: ${left.map(({ path }) => path).join(", ")}`);
}

/** Whoever starts it, the program is the one for that runtime. */
const start = `#!/usr/bin/env node
await import("Bun" in globalThis ? "./main-bun.js" : "Deno" in globalThis ? "./main-deno.js" : "./main-node.js");
`;

const bundling = {
  bundle: true,
  splitting: true,
  minify: true,
  format: "esm",
  target: "es2022",
  logLevel: "warning",
} as const satisfies BuildOptions;

/** The program, and what serves over node:http. */
const machine = {
  ...bundling,
  entryPoints: {
    "main-node": "./adapters/node/main.ts",
    "main-bun": "./adapters/bun/main.ts",
    "main-deno": "./adapters/deno/main.ts",
    node: libraries.node,
  },
  platform: "node",
  external: ["bun:*"],
  target: "node20",
  chunkNames: "parts/[hash]",
  // Packages written for require ask for built-in modules with it, and in a module there is none.
  banner: {
    js: 'import { createRequire as clawletRequire } from "node:module"; const require = clawletRequire(import.meta.url);',
  },
} satisfies BuildOptions;

/** What needs nothing but web standards: it is bundled for no runtime, and importing any module would be a mistake. */
const anywhere = {
  ...bundling,
  entryPoints: Object.fromEntries(Object.entries(libraries).filter(([name]) => name !== "node")),
  platform: "neutral",
  mainFields: ["module", "main"],
  chunkNames: "web/[hash]",
} satisfies BuildOptions;
