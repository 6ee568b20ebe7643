// What is measured: the product in every form that it is shipped in, a bare server beside each, the reference gateway.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { build } from "esbuild";
import { compile, here } from "../build/binary.ts";
import { makeShipped } from "../build/shipped.ts";

/** A program to be measured, and what it is to be compared with. */
export interface Subject {
  readonly name: string;
  /** The command line that starts the gateway, before the words for the gateway itself. */
  readonly gateway: readonly string[];
  /** The least that a server on the same runtime can do (bare.ts); absent for the reference. */
  readonly bare?: readonly string[];
  /** How a person runs the package without installing it; absent for what is no package. */
  readonly oneOff?: readonly string[];
  /** What has to be on the disk: a tarball to fetch, folders and files once it is installed. */
  readonly tarball?: string;
  readonly installed?: string;
  /** The runtime it runs on, as it calls itself. */
  readonly version: string;
}

/** The product on the runtimes of `--runtime`, on all of them when it is empty. Makes what is shipped, and removes it at the end. */
export async function chosenSubjects(names: string): Promise<readonly Subject[]> {
  const folder = await makeShipped();
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  await build({
    entryPoints: ["scripts/bench/bare.ts"],
    outfile: ".test/bench/bare.js",
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    packages: "external",
    logLevel: "warning",
  });
  const subjects = shippedSubjects(folder);
  const chosen = (names || subjects.map(({ name }) => name).join(",")).split(",").map((name) => {
    const subject = subjects.find((each) => each.name === name);
    if (subject) return subject;
    throw new Error(`--runtime ${name}: use ${subjects.map((each) => each.name).join(", ")}`);
  });
  if (chosen.some(({ name }) => name === "binary")) await compileBare(folder);
  return chosen;
}

/**
 * The gateway to compare with: the program or folder that is named, else an `openclaw` that lies beside this repository
 * or in PATH; undefined when there is none.
 */
export function referenceSubject(named: string): Subject | undefined {
  const beside = ["../openclaw", "../node_modules/openclaw"].find((folder) => existsSync(join(folder, "package.json")));
  const inPath = (process.env["PATH"] ?? "")
    .split(delimiter)
    .filter((folder) => !folder.includes("node_modules"))
    .map((folder) => join(folder, "openclaw"))
    .find((path) => existsSync(path));
  const place = named || beside || inPath;
  if (place === undefined) return undefined;
  if (!existsSync(place)) throw new Error(`--reference ${place}: there is no such file or folder`);
  const gateway = commandOf(place);
  const [program = "", ...args] = gateway;
  const version = execFileSync(program, [...args, "--version"], { encoding: "utf8" }).trim();
  const installed = existsSync(join(place, "package.json")) ? installationOf(resolve(place)) : undefined;
  return { name: "reference", gateway, version, ...(installed === undefined ? {} : { installed }) };
}

/** Where npm put the package and what it needs: the node_modules around it, or the package with its own inside. */
function installationOf(folder: string): string {
  const around = resolve(folder, "..");
  return around.endsWith("node_modules") ? around : folder;
}

function commandOf(place: string): readonly string[] {
  const manifest = join(place, "package.json");
  if (!existsSync(manifest)) return [resolve(place)];
  const { bin } = JSON.parse(readFileSync(manifest, "utf8"));
  const main: unknown = typeof bin === "string" ? bin : (bin?.["openclaw"] ?? Object.values(bin ?? {})[0]);
  if (typeof main !== "string") throw new Error(`--reference ${place}: its package.json names no program`);
  return [machineNode, resolve(place, main)];
}

function shippedSubjects(folder: string): readonly Subject[] {
  const installed = join(folder, "installed", "node_modules");
  const script = join(installed, "clawlet", "dist", "clawlet.js");
  const node24 = resolve("node_modules", "node", "bin", "node");
  const runtimes: readonly {
    readonly name: string;
    readonly command: readonly string[];
    readonly oneOff: readonly string[];
  }[] = [
    { name: "bun", command: [bin("bun")], oneOff: [bin("bunx"), "--bun"] },
    { name: "deno", command: [bin("deno"), "run", "-A", "--no-check"], oneOff: [bin("deno"), "run", "-A"] },
    { name: "node", command: [machineNode], oneOff: ["npx", "--yes"] },
    { name: "node24", command: [node24], oneOff: ["npx", "--yes"] },
  ];
  const executable = join(folder, "clawlet");
  return [
    {
      name: "binary",
      gateway: [executable],
      bare: [join(folder, "bare")],
      installed: executable,
      version: `bun ${versionOf(bin("bun"))}`,
    },
    ...runtimes.map(({ name, command, oneOff }) => ({
      name,
      gateway: [...command, script],
      bare: [...command, resolve(".test/bench/bare.js")],
      oneOff: [...oneOff, name === "deno" ? "npm:clawlet" : "clawlet"],
      tarball: join(folder, "clawlet.tgz"),
      installed,
      version: `${name.replace(/\d+$/, "")} ${versionOf(command[0] ?? "")}`,
    })),
  ];
}

async function compileBare(folder: string): Promise<void> {
  const page = join(folder, "no-page");
  mkdirSync(page);
  const main = "scripts/bench/bare.ts";
  await compile({ target: here(), file: join(folder, "bare"), commit: undefined, page, main });
}

function versionOf(program: string): string {
  return /\d+\.\d+\.\d+\S*/.exec(execFileSync(program, ["--version"], { encoding: "utf8" }))?.[0] ?? "";
}

const bin = (name: string): string => resolve("node_modules", ".bin", name);

/** npm puts Node 24 first in PATH; the machine's own is the one that runs npm, or the first outside node_modules. */
const machineNode =
  [
    process.env["npm_node_execpath"] ?? "",
    ...(process.env["PATH"] ?? "")
      .split(delimiter)
      .filter((folder) => !folder.includes("node_modules"))
      .map((folder) => join(folder, "node")),
  ].find((path) => path !== "" && existsSync(path)) ?? "node";
