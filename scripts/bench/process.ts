// Processes to be measured: gateways and bare servers, started with each runtime, and sockets to them.
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";

/** How the gateway, and the bare server beside it, are started on a runtime. */
export interface Runtime {
  readonly gateway: readonly string[];
  readonly bare: readonly string[];
}

/** The runtimes of `--runtime`, all of them when it is empty. Builds what is not run from source. */
export async function chosenRuntimes(names: string): Promise<readonly (readonly [string, Runtime])[]> {
  await build({
    entryPoints: ["./adapters/node/main.ts", "./adapters/bun/main.ts", "./scripts/bench/bare.ts"],
    outdir: ".test/bench",
    outbase: ".",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    packages: "external",
    logLevel: "warning",
  });
  return (names || Object.keys(runtimes).join(",")).split(",").map((name) => {
    const runtime = runtimes[name];
    if (!runtime) throw new Error(`--runtime ${name}: use ${Object.keys(runtimes).join(", ")}`);
    return [name, runtime];
  });
}

const bin = (name: string) => join("node_modules", ".bin", name);
const node24 = join("node_modules", "node", "bin", "node");
const node = process.env["npm_node_execpath"] || "node";
const runtimes: Record<string, Runtime> = {
  bun: { gateway: [bin("bun"), "adapters/bun/main.ts"], bare: [bin("bun"), "scripts/bench/bare.ts"] },
  // As it is shipped: a few files instead of hundreds.
  "bun-built": {
    gateway: [bin("bun"), ".test/bench/adapters/bun/main.js"],
    bare: [bin("bun"), ".test/bench/scripts/bench/bare.js"],
  },
  deno: {
    gateway: [bin("deno"), "run", "-A", "--no-check", "adapters/deno/main.ts"],
    bare: [bin("deno"), "run", "-A", "--no-check", "scripts/bench/bare.ts"],
  },
  node: { gateway: [node, ".test/bench/adapters/node/main.js"], bare: [node, ".test/bench/scripts/bench/bare.js"] },
  node24: { gateway: [node24, "adapters/node/main.ts"], bare: [node24, "scripts/bench/bare.ts"] },
};

/** A process that listens. */
export interface Started {
  readonly child: ChildProcess;
  readonly home: string;
  readonly port: number;
  readonly startedAt: number;
  readonly listeningMs: number;
  stop(): Promise<void>;
}

/** A gateway with a state folder of its own, or with this home, which is left as it is. */
export async function startGateway(runtime: Runtime, home?: string): Promise<Started> {
  const port = await freePort();
  return start([...runtime.gateway, "gateway", "--allow-unconfigured", "--port", String(port)], { port, home });
}

/** Starts a program and waits until it says that it listens. */
export async function start(
  [program = "", ...args]: readonly string[],
  { port, home: given }: { port: number; home?: string | undefined },
): Promise<Started> {
  const home = given ?? mkdtempSync(join(tmpdir(), "clawlet-bench-"));
  const startedAt = performance.now();
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, HOME: home } });
  await new Promise<void>((resolve, reject) => {
    let out = "";
    child.stdout.on("data", (data: Buffer) => (out += data.toString()).includes("listening") && resolve());
    child.on("close", (code) => reject(new Error(`ended with ${String(code)}: ${out}`)));
  });
  const listeningMs = performance.now() - startedAt;
  return {
    child,
    home,
    port,
    startedAt,
    listeningMs,
    async stop() {
      child.removeAllListeners("close");
      const ended = new Promise((resolve) => child.on("close", resolve));
      child.kill("SIGTERM");
      await ended;
      if (given === undefined) rmSync(home, { recursive: true, force: true });
    },
  };
}

/** An open WebSocket to this port. */
export function dial(port: number): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`);
    socket.addEventListener("open", () => resolve(socket));
    socket.addEventListener("close", (event) => reject(new Error(`closed ${event.code} ${event.reason}`)));
  });
}

/** A WebSocket whose caller may do everything. */
export async function hello(port: number): Promise<WebSocket> {
  const socket = await dial(port);
  const connect = {
    minProtocol: 4,
    maxProtocol: 4,
    client: { id: "cli", version: "bench", platform: "linux", mode: "cli" },
    role: "operator",
    scopes: ["operator.admin"],
  };
  const answer = await ask(socket, JSON.stringify({ type: "req", id: "c", method: "connect", params: connect }));
  if (!answer.includes('"hello-ok"')) throw new Error(answer);
  return socket;
}

/** Sends one text and waits for the response to it, past any event. */
export function ask(socket: WebSocket, text: string): Promise<string> {
  return new Promise((resolve) => {
    const listen = ({ data }: MessageEvent): void => {
      if (!String(data).startsWith('{"type":"res"')) return;
      socket.removeEventListener("message", listen);
      resolve(String(data));
    };
    socket.addEventListener("message", listen);
    socket.send(text);
  });
}

/** Resident memory in MB. */
export function residentMb(child: ChildProcess): number {
  const kb = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1];
  return Number(kb) / 1024;
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

/** The middle one. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** Resolves in so many milliseconds. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
