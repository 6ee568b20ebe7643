import { spawn, type ChildProcess } from "node:child_process";
import { program } from "./runtime.ts";

/** A process of the product. */
export interface Running {
  readonly pid: number;
  readonly child: ChildProcess;
  /** What it has printed so far. */
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
  /** What it reads from standard input; nothing when absent. */
  readonly input?: string;
}

/** Starts a command line exactly as given and leaves it running. */
export function launch(args: readonly string[], home: string, options: LaunchOptions = {}): Running {
  const [command = "", ...leading] = options.program ?? program;
  const child = spawn(command, [...leading, ...args], {
    stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    env: { PATH: process.env["PATH"], HOME: home, TMPDIR: process.env["TMPDIR"], NO_COLOR: "1", ...options.env },
  });
  launched.add(child);
  child.stdin?.end(options.input);
  let [out, err] = ["", ""];
  child.stdout?.on("data", (data: Buffer) => void (out += data.toString()));
  child.stderr?.on("data", (data: Buffer) => void (err += data.toString()));
  const exited = new Promise<number | string>((resolve) => {
    child.on("close", (code, signal) => {
      launched.delete(child);
      resolve(code ?? signal ?? 0);
    });
  });
  return {
    pid: child.pid ?? 0,
    child,
    exited,
    stdout: () => out,
    stderr: () => err,
    end(signal = "SIGTERM") {
      // Not child.kill: under Deno that makes the parent report the signal, whatever the child's own status is.
      if (child.pid) process.kill(child.pid, signal);
      return exited;
    },
  };
}

/** Ends whatever a failed test left running, which would keep the test's own process alive. */
export function endLaunched(): void {
  for (const child of launched) child.kill("SIGKILL");
  for (const end of endings.splice(0)) end();
}

/** Has `endLaunched` end this too. */
export function atEnd(end: () => void): void {
  endings.push(end);
}

const launched = new Set<ChildProcess>();
const endings: (() => void)[] = [];
