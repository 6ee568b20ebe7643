import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { rolldown } from "rolldown";
import { dts } from "rolldown-plugin-dts";

/**
 * Writes a `.d.ts` beside each library, given by name and source. tsc declares; then the declarations are bundled as the
 * code is, with what they take from other packages: whoever installs this package has none of those.
 */
export async function writeTypes(folder: string, libraries: Readonly<Record<string, string>>): Promise<void> {
  mkdirSync(".test", { recursive: true });
  // Below this folder, where the packages' own declarations are found.
  const work = mkdtempSync(resolve(".test", "types-"));
  try {
    await declare(work, Object.values(libraries));
    const declared = (source: string) => join(work, source.replace(/\.ts$/, ".d.ts"));
    const bundle = await rolldown({
      input: Object.fromEntries(Object.entries(libraries).map(([name, source]) => [name, declared(source)])),
      external: [/^node:/, "bun"],
      plugins: [dts({ dtsInput: true, resolve: true, tsconfig: false })],
    });
    const { output } = await bundle.write({ dir: folder, format: "es", chunkFileNames: "types/[hash].d.ts" });
    await bundle.close();
    const own = new Set(output.map(({ fileName }) => fileName));
    const left = output.flatMap((chunk) => ("imports" in chunk ? chunk.imports : []));
    const foreign = left.filter((path) => !own.has(path) && !/^(node:|bun$)/.test(path));
    if (foreign.length > 0) throw new Error(`declarations are left that nobody has: ${foreign.join(", ")}`);
  } finally {
    rmSync(work, { recursive: true });
  }
}

async function declare(work: string, sources: readonly string[]): Promise<void> {
  const config = join(work, "tsconfig.json");
  const compilerOptions = {
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    rootDir: resolve("."),
    outDir: work,
  };
  const files = sources.map((source) => resolve(source));
  writeFileSync(config, JSON.stringify({ extends: resolve("tsconfig.json"), compilerOptions, include: [], files }));
  await promisify(execFile)(join("node_modules", ".bin", "tsc"), ["--project", config]);
}
