import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/**
 * Builds the web page from src/page; answers its files by name. Scripts and styles have their hash in the name, so that
 * a browser may keep them for ever; `index.html` says which are the ones of now.
 */
export async function buildPage(): Promise<ReadonlyMap<string, Uint8Array<ArrayBuffer>>> {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: { main: "./src/page/main.ts", style: "./src/page/style.css" },
    outdir: "page",
    entryNames: "assets/[name]-[hash]",
    bundle: true,
    minify: true,
    format: "esm",
    target: ["es2022", "chrome113", "firefox129", "safari17"],
    write: false,
    logLevel: "silent",
  });
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const { path, contents } of outputFiles) files.set(nameOf(path, "page"), new Uint8Array(contents));
  const icon = readFileSync(join(source, "icon.svg"));
  const hash = createHash("sha256").update(icon).digest("hex").slice(0, 8).toUpperCase();
  files.set(`assets/icon-${hash}.svg`, new Uint8Array(icon));
  for (const name of ["index.html", "manifest.webmanifest"])
    files.set(name, withNames(readFileSync(join(source, name), "utf8"), [...files.keys()]));
  return files;
}

/** Writes the page's files into a folder. */
export async function writePage(folder: string): Promise<void> {
  for (const [name, bytes] of await buildPage()) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), bytes);
  }
}

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const source = join(root, "src", "page");

/** `/x/page/assets/a.js` is `assets/a.js`. */
function nameOf(path: string, folder: string): string {
  const slashes = path.replaceAll("\\", "/");
  return slashes.slice(slashes.lastIndexOf(`/${folder}/assets/`) + folder.length + 2);
}

/** Puts the built name in the place of a source's: `main.js`, `style.css`, `icon.svg`. */
function withNames(text: string, names: readonly string[]): Uint8Array<ArrayBuffer> {
  const named = text.replaceAll(/"(\w+)\.(js|css|svg)"/g, (whole, stem: string, ending: string) => {
    const built = names.find((name) => name.startsWith(`assets/${stem}-`) && name.endsWith(`.${ending}`));
    return built === undefined ? whole : `"${built}"`;
  });
  return new TextEncoder().encode(named);
}
