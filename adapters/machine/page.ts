import { readdir, readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { PageFiles, ReadPage } from "../../src/host/page.ts";
import { Failure } from "../../src/kit/error.ts";

/**
 * The folder of the page's static files, by the program's main file: what `npm run build` puts into dist/page is there
 * for the source, lies beside the package's main files, and is inside the executable, where its runtime reads files
 * like any others.
 */
export function pageFolder(main: string): string {
  return main.endsWith(".ts") ? join(dirname(main), "..", "..", "dist", "page") : join(dirname(main), "page");
}

/** Reads the page of the program with this main file. From source it is made on the spot, so that it is never old. */
export function pageReader(main: string): ReadPage {
  return async (folder) => {
    if (folder !== undefined) return readFolder(folder);
    return (main.endsWith(".ts") && (await builtNow(main))) || readFolder(pageFolder(main));
  };
}

/** Far above what a page has: a folder that was named by mistake must not fill the memory. */
const maxFiles = 2000;
const maxBytes = 100_000_000;

/** The plain files in a folder and below; links are not followed. */
async function readFolder(folder: string): Promise<PageFiles> {
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  const folders = [""];
  let left = maxBytes;
  // Folder by folder: readdir's own way down follows links in some runtimes.
  for (const inner of folders) {
    for (const entry of await readdir(join(folder, inner), { withFileTypes: true }).catch(() => [])) {
      const name = `${inner}${entry.name}`;
      if (entry.isDirectory()) folders.push(`${name}/`);
      if (!entry.isFile()) continue;
      left -= (await stat(join(folder, name))).size;
      if (left < 0 || files.size + folders.length > maxFiles) throw tooLarge(folder);
      files.set(name, new Uint8Array(await readFile(join(folder, name))));
    }
  }
  if (files.has("index.html")) return files;
  throw new Failure("unavailable", `${folder} has no index.html: the web page is not built`, {
    hints: ["Run `npm run build` where the source is, and load this again."],
  });
}

function tooLarge(folder: string): Failure {
  return new Failure("unavailable", `${folder} is no folder of a web page: it has too many or too large files`);
}

/** The page of this source; undefined where what builds it is not installed. */
async function builtNow(main: string): Promise<PageFiles | undefined> {
  // The name is put together here so that nobody who bundles this program bundles its bundler too.
  const script = pathToFileURL(join(dirname(main), "..", "..", "scripts", "build", "page.ts")).href;
  let builder: { readonly buildPage: () => Promise<PageFiles> };
  try {
    builder = await import(script);
  } catch {
    return undefined; // each runtime has its own words for a package that is not there
  }
  try {
    return await builder.buildPage();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Failure("unavailable", `the web page cannot be built: ${why}`, { cause: error });
  }
}
