import { readFileSync } from "node:fs";
import { build, type Metafile } from "esbuild";

/** A package whose code is in what is shipped, as the lock file has it. */
export interface Part {
  /** Its folder, such as `node_modules/hono`. */
  readonly folder: string;
  readonly name: string;
  readonly version: string;
  readonly license: string;
  /** Where the lock file says it comes from, and the hash of that archive (`sha512-<base64>`). */
  readonly resolved?: string;
  readonly integrity?: string;
  /** Names of the packages it asks for. */
  readonly dependencies: readonly string[];
}

/** The packages whose files went into an output, by name. */
export function bundledParts(metafiles: readonly Metafile[]): readonly Part[] {
  const inputs = metafiles.flatMap(({ outputs }) =>
    Object.values(outputs).flatMap((output) =>
      Object.entries(output.inputs)
        .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
        .map(([path]) => path),
    ),
  );
  const folders = new Set(
    inputs.map((path) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path)?.[0] ?? ""),
  );
  folders.delete("");
  return [...folders].map(partIn).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** What an executable is made of: packages, and the runtime itself. */
export async function bundledIntoBinary(): Promise<readonly Part[]> {
  const { metafile } = await build({
    entryPoints: ["./adapters/bun/main.ts"],
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    external: ["bun:*"],
    target: "node20",
    outdir: "release",
    write: false,
    metafile: true,
    logLevel: "warning",
  });
  return [partIn("node_modules/bun"), ...bundledParts([metafile])];
}

function partIn(folder: string): Part {
  const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8"));
  const locked = packages[folder];
  if (!locked) throw new Error(`${folder} is bundled, and package-lock.json does not have it: npm install`);
  const { name, license } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
  return {
    folder,
    name,
    version: locked.version,
    license: locked.license ?? license,
    resolved: locked.resolved,
    integrity: locked.integrity,
    dependencies: Object.keys(locked.dependencies ?? {}),
  };
}
