import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { runtime } from "./runtime.ts";

/** This test file once more as a process of its own, on the same runtime, with these arguments after its name. */
export interface Again {
  readonly pid: number;
  /** The next line it prints; undefined when it has ended. */
  line(): Promise<string | undefined>;
  /** `kill -9`; resolves when it is gone. */
  kill(): Promise<void>;
}

export function runAgain(...args: readonly string[]): Again {
  const script = process.argv[1] ?? "";
  const start = runtime === "deno" ? ["run", "-A", "--no-check", script] : [...process.execArgv, script];
  const child: ChildProcess = spawn(process.execPath, [...start, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  if (!child.stdout || child.pid === undefined) throw new Error(`${process.execPath} could not be started`);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  return {
    pid: child.pid,
    line: async () => (await lines.next()).value,
    async kill() {
      child.kill("SIGKILL");
      await gone;
    },
  };
}
