import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./runtime.ts";

/** The program itself, past the script of its package; undefined where npm did not install it. */
export function workerd(): string | undefined {
  const packages = join(root, "node_modules", "@cloudflare");
  const names = existsSync(packages) ? readdirSync(packages).filter((name) => name.startsWith("workerd-")) : [];
  return names.map((name) => join(packages, name, "bin", "workerd")).find((path) => existsSync(path));
}

/** Bundles the workerd example into a folder, as its comment says. Answers everything that went into it. */
export function bundleWorker(folder: string): readonly string[] {
  const example = join(root, "examples", "workerd");
  mkdirSync(join(folder, "state"), { recursive: true });
  const options = ["--bundle", "--format=esm", "--platform=neutral", "--main-fields=module,main"];
  const where = [`--outfile=${join(folder, "worker.js")}`, `--metafile=${join(folder, "meta.json")}`];
  const { status, stderr } = spawnSync(
    join(root, "node_modules", ".bin", "esbuild"),
    [join(example, "worker.ts"), ...options, "--conditions=workerd,worker,browser", "--log-level=error", ...where],
    { encoding: "utf8", cwd: root },
  );
  if (status !== 0) throw new Error(`the worker cannot be bundled:\n${stderr}`);
  copyFileSync(join(example, "worker.capnp"), join(folder, "worker.capnp"));
  const { inputs }: Meta = JSON.parse(readFileSync(join(folder, "meta.json"), "utf8"));
  return [...Object.keys(inputs), ...Object.values(inputs).flatMap(({ imports }) => imports.map(({ path }) => path))];
}

interface Meta {
  readonly inputs: Readonly<Record<string, { readonly imports: readonly { readonly path: string }[] }>>;
}
