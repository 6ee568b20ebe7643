import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, renameSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { compile, here } from "./binary.ts";
import { learnOrder } from "./order.ts";
import { buildPackage } from "./package.ts";

/**
 * Makes what is shipped in a folder far from the source, so that nothing of the source is found by accident:
 * `clawlet.tgz` as npm packs it, `installed` with that package and no other, `clawlet` the executable. Answers the folder.
 */
export async function makeShipped(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "clawlet-shipped-"));
  const staged = join(folder, "staged");
  mkdirSync(staged);
  await buildPackage(join(staged, "dist"), "abc1234");
  for (const name of ["package.json", "README.md", "LICENSE", "docs"])
    cpSync(name, join(staged, name), { recursive: true });
  await Promise.all([pack(staged, folder), compileIn(folder, join(staged, "dist", "page"))]);
  return folder;
}

async function compileIn(folder: string, page: string): Promise<void> {
  const commit = "abc1234";
  const order = await learnOrder(folder, { commit, page });
  await compile({ target: here(), file: join(folder, "clawlet"), commit, page, order });
}

async function pack(staged: string, folder: string): Promise<void> {
  const npm = (...args: readonly string[]) => promisify(execFile)("npm", [...args, "--silent"], { cwd: staged });
  await npm("pack", "--ignore-scripts", "--pack-destination", folder);
  const archive = readdirSync(folder).find((name) => name.endsWith(".tgz")) ?? "";
  renameSync(join(folder, archive), join(folder, "clawlet.tgz"));
  await npm("install", "--offline", "--no-audit", "--prefix", join(folder, "installed"), join(folder, "clawlet.tgz"));
}
