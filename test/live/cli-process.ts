import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until, type RunResult } from "../support/gateway-process.ts";
import { program, root, runtime } from "../support/runtime.ts";

export interface Running {
  readonly pid: number;
  stdout(): string;
  stderr(): string;
  /** Resolves with the exit status, or the signal's name. */
  readonly exited: Promise<number | string>;
  /** Ends it with a signal and waits for the end. */
  end(signal?: NodeJS.Signals): Promise<number | string>;
}

export interface LaunchOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** How to call the product, when not from its own main file. */
  readonly program?: readonly string[];
}

/** Starts a command line exactly as given and leaves it running. */
export function launch(args: readonly string[], home: string, options: LaunchOptions = {}): Running {
  const [command = "", ...leading] = options.program ?? program;
  const child = spawn(command, [...leading, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env["PATH"], HOME: home, TMPDIR: process.env["TMPDIR"], NO_COLOR: "1", ...options.env },
  });
  launched.add(child);
  let [out, err] = ["", ""];
  child.stdout.on("data", (data: Buffer) => void (out += data.toString()));
  child.stderr.on("data", (data: Buffer) => void (err += data.toString()));
  const exited = new Promise<number | string>((resolve) => {
    child.on("close", (code, signal) => {
      launched.delete(child);
      resolve(code ?? signal ?? 0);
    });
  });
  return {
    pid: child.pid ?? 0,
    exited,
    stdout: () => out,
    stderr: () => err,
    end(signal = "SIGTERM") {
      if (child.pid) process.kill(child.pid, signal);
      return exited;
    },
  };
}

/** Runs a command line to its end. */
export async function run(args: readonly string[], home: string, options?: LaunchOptions): Promise<RunResult> {
  const running = launch(args, home, options);
  const status = await running.exited;
  return { status, stdout: running.stdout(), stderr: running.stderr() };
}

/** Waits until a gateway has said where it listens; answers its port and PID. */
export async function listening(running: Running): Promise<{ port: number; pid: number }> {
  const line = () => /listening on ws:\/\/\S+:(\d+) \(PID (\d+)\)/.exec(running.stdout()) ?? undefined;
  const [, port, pid] = await until("listening line", line, 15_000).catch((error: unknown) => {
    throw new Error(`${String(error)}\nstdout: ${running.stdout()}\nstderr: ${running.stderr()}`, { cause: error });
  });
  return { port: Number(port), pid: Number(pid) };
}

/** How to call the product under a name, by a link in a folder of programs as npm makes it. */
export function calledAs(name: string): readonly string[] {
  const [main = ""] = program.slice(-1);
  const folder = mkdtempSync(join(tmpdir(), "clawlet-name-"));
  mkdirSync(join(folder, "lib"));
  mkdirSync(join(folder, "bin"));
  const link = join(folder, "bin", name);
  writeFileSync(join(folder, "lib", `${name}.mjs`), `import ${JSON.stringify(main)};\n`);
  symlinkSync(join("..", "lib", `${name}.mjs`), link);
  // Deno takes its import map and node_modules from the configuration nearest to the script.
  const project = runtime === "deno" ? ["--config", `${root}/deno.json`] : [];
  return [...program.slice(0, -1), ...project, link];
}

/** Ends whatever a failed test left running. */
export function endLaunched(): void {
  for (const child of launched) child.kill("SIGKILL");
}

const launched = new Set<ChildProcess>();
