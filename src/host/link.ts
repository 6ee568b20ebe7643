import type { Files } from "./host.ts";
import { basename, dirname, join } from "./paths.ts";

/** Whether a path is itself a link, whatever links lead to its folder. False when nothing is there. */
export async function isLink(files: Files, path: string): Promise<boolean> {
  const [real, parent] = await Promise.all([files.realPath(path), files.realPath(dirname(path))]);
  return real !== undefined && parent !== undefined && join(real) !== join(parent, basename(path));
}
