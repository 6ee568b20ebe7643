import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { promisify } from "node:util";
import { defines } from "./defines.ts";

/** What is compiled for, with the npm package that has Bun for it. */
export const targets: Readonly<Record<string, { readonly bun: string; readonly runtime: string }>> = {
  "linux-x64": { bun: "bun-linux-x64", runtime: "bun-linux-x64" },
  "linux-x64-musl": { bun: "bun-linux-x64-musl", runtime: "bun-linux-x64-musl" },
  "linux-arm64": { bun: "bun-linux-arm64", runtime: "bun-linux-aarch64" },
  "linux-arm64-musl": { bun: "bun-linux-arm64-musl", runtime: "bun-linux-aarch64-musl" },
  "darwin-x64": { bun: "bun-darwin-x64", runtime: "bun-darwin-x64" },
  "darwin-arm64": { bun: "bun-darwin-arm64", runtime: "bun-darwin-aarch64" },
  "windows-x64": { bun: "bun-windows-x64", runtime: "bun-windows-x64" },
};

/** The target of this machine. */
export function here(): string {
  const os = process.platform === "win32" ? "windows" : process.platform;
  const musl = os === "linux" && existsSync(`/lib/ld-musl-${process.arch === "x64" ? "x86_64" : "aarch64"}.so.1`);
  return `${os}-${process.arch}${musl ? "-musl" : ""}`;
}

export function binaryName(target: string): string {
  return `clawlet-${target}${target.startsWith("windows") ? ".exe" : ""}`;
}

export interface CompileOptions {
  /** One of `targets`. */
  readonly target: string;
  /** The executable to write. */
  readonly file: string;
  readonly commit: string | undefined;
  /** Folder of the page's static files; each is in the executable, under `page/`. */
  readonly page: string;
  /** Which functions belong together, as `learnOrder` has found out. */
  readonly order?: string;
  /** The main file, when not the product's. */
  readonly main?: string;
}

/**
 * Makes one executable of the program and its runtime. Compiled to bytecode and split, it reads no more than a command
 * needs; and nothing of the folder that it happens to be started in: no .env, no bunfig.toml.
 */
export async function compile({
  target,
  file,
  commit,
  page,
  order,
  main = "adapters/bun/main.ts",
}: CompileOptions): Promise<void> {
  const known = targets[target];
  if (!known) throw new Error(`--targets ${target}: use all, or of ${Object.keys(targets).join(", ")}`);
  const fetched = target === here() ? undefined : await fetchRuntime(known.runtime);
  const defined = Object.entries(defines(commit)).flatMap(([name, value]) => ["--define", `${name}=${value}`]);
  try {
    const runtime = fetched === undefined ? "" : `--compile-executable-path=${fetched.executable}`;
    // What is embedded keeps its path from the folder that the build runs in.
    const embedded = readdirSync(page).length > 0 ? ["--asset", basename(page)] : [];
    const ordered = order === undefined ? "" : `--bytecode-order=${resolve(order)}`;
    const args = ["build", "--compile", `--target=${known.bun}`, runtime, ordered, ...flags, ...embedded, ...defined];
    await promisify(execFile)(bun, [...args.filter(Boolean), resolve(main), "--outfile", resolve(file)], {
      cwd: join(page, ".."),
    });
  } finally {
    if (fetched) rmSync(fetched.folder, { recursive: true });
  }
  chmodSync(file, 0o755);
}

/** One line a file, as `sha256sum --check` reads them. */
export function checksums(folder: string): string {
  const lines = readdirSync(folder)
    .filter((name) => name !== "SHA256SUMS")
    .map(
      (name) =>
        `${createHash("sha256")
          .update(readFileSync(join(folder, name)))
          .digest("hex")}  ${name}\n`,
    );
  return lines.join("");
}

const flags = [
  "--format=esm",
  "--minify",
  "--bytecode",
  "--splitting",
  // Machine code is made of what runs 10 times as often as is usual: not in a start, nor where little is to be done. A
  // gateway under load has it within a second.
  "--compile-jit-policy=10",
  "--no-compile-autoload-dotenv",
  "--no-compile-autoload-bunfig",
] as const;

const bun = resolve("node_modules", ".bin", "bun");

/** Bun for another system, of this one's version, from the npm registry: npm checks what it fetches. */
async function fetchRuntime(name: string): Promise<{ folder: string; executable: string }> {
  const { version } = JSON.parse(readFileSync("node_modules/bun/package.json", "utf8"));
  const folder = mkdtempSync(join(tmpdir(), "clawlet-runtime-"));
  await promisify(execFile)("npm", ["pack", "--silent", `@oven/${name}@${version}`, "--pack-destination", folder]);
  const [archive = ""] = readdirSync(folder);
  await promisify(execFile)("tar", ["-xzf", join(folder, archive), "-C", folder]);
  const bin = join(folder, "package", "bin");
  return { folder, executable: join(bin, readdirSync(bin).find((entry) => /^bun(\.exe)?$/.test(entry)) ?? "bun") };
}
