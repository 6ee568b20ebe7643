import type { Files } from "../host/host.ts";

/** Where the last whole line of a file of `size` bytes ends: what lies behind was left by a crash or a full disk. */
export async function endOfLines(files: Pick<Files, "readRange">, path: string, size: number): Promise<number> {
  for (let end = size, step = 1; end > 0; end -= step, step = STEP) {
    const start = Math.max(end - step, 0);
    const last = (await files.readRange(path, start, end)).lastIndexOf(NEWLINE);
    if (last >= 0) return start + last + 1;
  }
  return 0;
}

/** Cuts the file behind its last whole line; what was there is kept as `<path>.torn`. */
export async function cutTornTail(files: Files, path: string): Promise<void> {
  const size = (await files.stat(path))?.size ?? 0;
  const end = await endOfLines(files, path, size);
  if (end === size) return;
  await files.write(`${path}.torn`, new TextDecoder().decode(await files.readRange(path, end, size)));
  await files.truncate(path, end);
}

const NEWLINE = 10;
const STEP = 64 * 1024;
