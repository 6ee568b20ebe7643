import { dirname, join } from "node:path";

/**
 * The folder of the page's static files, by the program's main file: what `npm run build` puts into dist/page is there
 * for the source, lies beside the package's main files, and is inside the executable, where its runtime reads files
 * like any others.
 */
export function pageFolder(main: string): string {
  return main.endsWith(".ts") ? join(dirname(main), "..", "..", "dist", "page") : join(dirname(main), "page");
}
