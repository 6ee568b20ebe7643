import { readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import type { Figure, Readings } from "./figure.ts";

/** What is fetched and what it takes on the disk; for the executable the runtime is in it, for the others it is not. */
export const size = {
  name: "size",
  rows: {
    fetched: { label: "to fetch from npm", unit: "MB", digits: 2 },
    installed: { label: "installed", unit: "MB", digits: 1 },
    packages: { label: "packages", unit: "" },
  },
  async measure({ tarball, installed }): Promise<Readings> {
    if (installed === undefined) return {};
    const isFolder = statSync(installed).isDirectory();
    return {
      ...(tarball === undefined ? {} : { fetched: { value: statSync(tarball).size / 1e6 } }),
      installed: { value: bytesIn(installed) / 1e6 },
      ...(isFolder ? { packages: { value: packagesIn(installed) } } : {}),
    };
  },
} satisfies Figure;

/** Of everything in a folder, or of a file. */
function bytesIn(path: string): number {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.size;
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => !entry.isSymbolicLink())
    .reduce((sum, { name }) => sum + bytesIn(join(path, name)), 0);
}

/** Packages in a node_modules folder, or in the one of a package, which counts itself. */
function packagesIn(folder: string): number {
  if (basename(folder) !== "node_modules") return 1 + nested(folder);
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => !name.startsWith("."))
    .flatMap(({ name }) =>
      name.startsWith("@")
        ? readdirSync(join(folder, name)).map((inner) => join(folder, name, inner))
        : [join(folder, name)],
    )
    .reduce((sum, path) => sum + 1 + nested(path), 0);
}

function nested(folder: string): number {
  const inside = join(folder, "node_modules");
  return readdirSync(folder).includes("node_modules") ? packagesIn(inside) : 0;
}
