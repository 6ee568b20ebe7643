import { arch, cpus, freemem, homedir, hostname, loadavg, release, totalmem } from "node:os";
import { basename, join } from "node:path";
import type { Host, Machine, Net } from "../../src/host/host.ts";
import { clock } from "./clock.ts";
import { files } from "./files.ts";
import { net } from "./net.ts";
import { processes } from "./processes.ts";
import { createTerminal } from "./terminal.ts";

export interface RuntimeParts {
  readonly runtime: "node" | "bun" | "deno";
  readonly version: string;
  /** This file: adapters/<runtime>/main, from source or built. */
  readonly main: string;
  readonly serve: Net["serve"];
}

const systems: Readonly<Record<string, Host["os"]>> = { darwin: "darwin", linux: "linux", win32: "windows" };

/** The machine under Node, Bun or Deno. */
export function createHost({ runtime, version, main, serve }: RuntimeParts): Host {
  const { env } = process;
  const home = env["OPENCLAW_HOME"] || env["HOME"] || env["USERPROFILE"] || homedir();
  const fromSource = main.endsWith(".ts");
  const script = process.argv[1] ?? main;
  // A compiled program finds its sources in a folder that is not on any disk, and starts without being told which.
  const compiled = /^(\/\$bunfs\/|[A-Z]:[\\/]~BUN[\\/])/.test(main);
  const root = join(main, "..", "..", "..");
  return {
    runtime,
    runtimeVersion: `${runtime} ${version}`,
    os: systems[process.platform] ?? "none",
    osVersion: `${process.platform} ${release()}`,
    hostname: hostname(),
    env,
    home: slashes(home),
    cwd: slashes(process.cwd()),
    name: programName(compiled ? process.argv0 : script),
    args: process.argv.slice(2),
    self: compiled
      ? [process.execPath]
      : [process.execPath, ...process.execArgv, ...(runtime === "deno" ? ["run", "-A"] : []), script],
    sources: fromSource && !compiled ? [slashes(join(root, "src")), slashes(join(root, "adapters"))] : [],
    clock,
    files,
    net: { ...net, serve },
    processes,
    terminal: createTerminal(),
    machine,
  };
}

function machine(): Machine {
  const processors = cpus();
  const [one = 0, five = 0, fifteen = 0] = loadavg();
  return {
    arch: arch(),
    cpuCount: processors.length,
    ...(processors[0] ? { cpuModel: processors[0].model } : {}),
    memoryTotalBytes: totalmem(),
    memoryFreeBytes: freemem(),
    ...(process.platform === "win32" ? {} : { loadAverage: [one, five, fifteen] }),
  };
}

/** The name the program was called by: of the link or script, without extension; `clawlet` for our own main files. */
function programName(script: string): string {
  const name = basename(script).replace(/\.(js|ts|mjs|exe|cmd)$/, "");
  return name === "main" || name === "" ? "clawlet" : name;
}

function slashes(path: string): string {
  return path.replaceAll("\\", "/");
}
