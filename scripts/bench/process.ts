// Processes to be measured: gateways and bare servers, and how much memory they hold.
import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../test/support/gateway-process.ts";
import type { Subject } from "./subject.ts";

/** What callers of a measured gateway prove themselves with. */
export const token = "a-token-of-this-measurement";

/** A process that listens. */
export interface Started {
  readonly child: ChildProcess;
  readonly home: string;
  readonly port: number;
  readonly startedAt: number;
  /** From the start to the first connection that the port took. */
  readonly listeningMs: number;
  stop(): Promise<void>;
}

export interface Place {
  /** A home with a state in it, which is left as it is; one of its own by default. */
  readonly home?: string | undefined;
  readonly env?: NodeJS.ProcessEnv;
}

/** A gateway that listens on a port of its own. */
export async function startGateway({ gateway }: Pick<Subject, "gateway">, place: Place = {}): Promise<Started> {
  const port = await freePort();
  return start([...gateway, "gateway", "--allow-unconfigured", "--port", String(port)], { port, ...place });
}

/** The server to compare with, whose answers have so many bytes. */
export async function startBare(command: readonly string[], bytes = 100): Promise<Started> {
  const port = await freePort();
  return start([...command, String(port), String(bytes)], { port });
}

/** A folder to be a home, with the configuration of a gateway that takes `token`. */
export function makeHome(config: object = {}): string {
  const home = mkdtempSync(join(tmpdir(), "clawlet-bench-"));
  mkdirSync(join(home, ".openclaw"), { mode: 0o700 });
  const whole = { gateway: { mode: "local", auth: { mode: "token", token } }, ...config };
  writeFileSync(join(home, ".openclaw", "openclaw.json"), JSON.stringify(whole), { mode: 0o600 });
  return home;
}

/** The environment of what is measured: nothing of the developer's own set-up, and Deno's cache where it stays warm. */
export function environment(home: string): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([key]) => !/^(OPENCLAW_|CLAWDBOT_|npm_)/.test(key));
  return { ...Object.fromEntries(kept), HOME: home, DENO_DIR: join(tmpdir(), "clawlet-bench-deno") };
}

/** Starts a program and waits until its port takes connections. */
async function start(
  [program = "", ...args]: readonly string[],
  { port, home: given, env }: Place & { readonly port: number },
): Promise<Started> {
  const home = given ?? makeHome();
  let [output, ended] = ["", false];
  const startedAt = performance.now();
  // In a group of its own, so that what npx starts ends with it; and not here, where npx would find this package.
  const child = spawn(program, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: env ?? environment(home),
    cwd: home,
    detached: true,
  });
  running.add(child);
  const keep = (data: Buffer): void => void (output = (output + data.toString()).slice(-4000));
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  const end = new Promise<void>((resolve) => {
    const over = (): void => {
      ended = true;
      running.delete(child);
      resolve();
    };
    child.on("close", over);
    child.on("error", (error) => {
      output += String(error);
      over();
    });
  });
  async function stop(): Promise<void> {
    signalGroup(child, "SIGTERM");
    const cut = setTimeout(() => signalGroup(child, "SIGKILL"), 60_000);
    await end;
    clearTimeout(cut);
    if (given === undefined) rmSync(home, { recursive: true, force: true });
  }
  const deadline = startedAt + 180_000;
  while (!(await accepts(port))) {
    const late = performance.now() > deadline;
    if (!late && !ended) {
      await sleep(1);
      continue;
    }
    await stop();
    throw new Error(`${program} ${late ? "does not listen" : "ended before it listened"}: ${output}`);
  }
  return { child, home, port, startedAt, listeningMs: performance.now() - startedAt, stop };
}

/** Ends what is still running, which a group of its own keeps from ending with this process. */
export function endStarted(): void {
  for (const child of running) signalGroup(child, "SIGKILL");
}

const running = new Set<ChildProcess>();

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
  } catch {
    // It has ended by itself.
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}

/** Runs a command to its end and answers how long that took, in milliseconds; throws when it fails. */
export async function timeCommand(
  [program = "", ...args]: readonly string[],
  env: NodeJS.ProcessEnv,
  cwd?: string,
): Promise<number> {
  const startedAt = performance.now();
  const child = spawn(program, args, {
    stdio: ["ignore", "ignore", "pipe"],
    env,
    ...(cwd === undefined ? {} : { cwd }),
  });
  let errors = "";
  child.stderr.on("data", (data: Buffer) => void (errors += data.toString()));
  const code = await new Promise((resolve) => {
    child.on("error", resolve);
    child.on("exit", resolve);
  });
  if (code !== 0) throw new Error(`${[program, ...args].join(" ")} ended with ${String(code)}: ${errors.slice(-2000)}`);
  return performance.now() - startedAt;
}

/** Memory of a process in MB: all that is resident, and its share of that when what others use too is divided among all. */
export function memoryMb(child: ChildProcess): { readonly resident: number; readonly share: number } {
  const text = readFileSync(`/proc/${child.pid}/smaps_rollup`, "utf8");
  const mb = (key: string): number => Number(new RegExp(`^${key}:\\s+(\\d+)`, "m").exec(text)?.[1]) / 1024;
  return { resident: mb("Rss"), share: mb("Pss") };
}

/** Resident memory in MB. */
export const residentMb = (child: ChildProcess): number => memoryMb(child).resident;

/** The middle one. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** Resolves in so many milliseconds. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
