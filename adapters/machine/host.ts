import { arch, cpus, freemem, homedir, hostname, loadavg, release, totalmem, userInfo } from "node:os";
import { basename, join } from "node:path";
import type { Host, Machine, Net } from "../../src/host/host.ts";
import { resolveGatewayService } from "../service/index.ts";
import { calledAs } from "./called-as.ts";
import { clock } from "./clock.ts";
import { files } from "./files.ts";
import { net } from "./net.ts";
import { pageReader } from "./page.ts";
import { processes } from "./processes.ts";
import { serviceEnvironment } from "./service-environment.ts";
import { createTerminal, type Sink } from "./terminal.ts";

export interface RuntimeParts {
  readonly runtime: "node" | "bun" | "deno";
  readonly version: string;
  /** This file: adapters/<runtime>/main, from source or built. */
  readonly main: string;
  readonly serve: Net["serve"];
  /** As `Host.rest`. */
  readonly rest?: () => void;
  /** As `createTerminal`. */
  readonly sinkOf?: (descriptor: number) => Sink;
}

const systems: Readonly<Record<string, Host["os"]>> = { darwin: "darwin", linux: "linux", win32: "windows" };

/** The machine under Node, Bun or Deno. */
export function createHost({ runtime, version, main, serve, rest, sinkOf }: RuntimeParts): Host {
  const env = serviceEnvironment(process.env);
  const home = env["OPENCLAW_HOME"] || env["HOME"] || env["USERPROFILE"] || homedir();
  const fromSource = main.endsWith(".ts");
  const script = process.argv[1] ?? main;
  // A compiled program finds its sources in a folder that is not on any disk, and starts without being told which.
  const compiled = /^(\/\$bunfs\/|[A-Z]:[\\/]~BUN[\\/])/.test(main);
  const root = join(main, "..", "..", "..");
  const os = systems[process.platform] ?? "none";
  const tools = { env, files, processes, clock, home: slashes(home) };
  return {
    runtime,
    runtimeVersion: `${runtime} ${version}`,
    os,
    osVersion: `${process.platform} ${release()}`,
    hostname: hostname(),
    env,
    home: slashes(home),
    cwd: slashes(process.cwd()),
    name: programName(compiled ? process.argv0 : script),
    args: process.argv.slice(2),
    self: compiled
      ? [calledAs(process.argv0, { executable: process.execPath, path: process.env["PATH"] })]
      : [process.execPath, ...process.execArgv, ...(runtime === "deno" ? ["run", "-A"] : []), script],
    sources: fromSource && !compiled ? [slashes(join(root, "src")), slashes(join(root, "adapters"))] : [],
    clock,
    files,
    // Deno's listen has no way to keep `::` to IPv6, and node:net's there leaves `ipv6Only` out.
    net: { ...net, serve, dualStack: runtime === "deno" },
    processes,
    terminal: createTerminal(sinkOf),
    services: resolveGatewayService(os, () => ({ ...tools, user: userName(), uid: process.getuid?.() ?? 0 })),
    machine,
    ...(rest ? { rest } : {}),
    page: pageReader(main),
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

/** The account's name, on Windows with its domain; its number where it has no name, as in some containers. */
function userName(): string {
  try {
    const { username } = userInfo();
    const domain = process.env["USERDOMAIN"];
    return process.platform === "win32" && domain ? `${domain}\\${username}` : username;
  } catch {
    return String(process.getuid?.() ?? 0); // no entry in the table of users
  }
}

/** The name the program was called by: of the link or script, without extension; `clawlet` for our own main files. */
function programName(script: string): string {
  const name = basename(script).replace(/\.(js|ts|mjs|exe|cmd)$/, "");
  return name === "main" || name === "" ? "clawlet" : name;
}

function slashes(path: string): string {
  return path.replaceAll("\\", "/");
}
