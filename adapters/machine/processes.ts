import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { Processes, RunOptions, RunResult } from "../../src/host/host.ts";
import { converse, startInBackground } from "./background.ts";
import { findListeners } from "./listeners.ts";

const linux = process.platform === "linux";
/** What a program may print before it is cut: enough for any list that is parsed here. */
const maxOutput = 16 * 1024 * 1024;

/** Processes of this machine. */
export const processes: Processes = {
  pid: process.pid,
  async ancestors() {
    const found: number[] = [];
    for (let pid: number | undefined = process.pid; pid && pid > 0 && !found.includes(pid); pid = await parentOf(pid)) {
      found.push(pid);
    }
    return found;
  },
  alive(pid) {
    try {
      process.kill(pid, 0);
      return !isZombie(pid);
    } catch (error) {
      // Somebody else's process is alive all the same.
      return error instanceof Error && "code" in error && error.code === "EPERM";
    }
  },
  async startTime(pid) {
    if (linux) return linuxStartTime(pid);
    if (process.platform === "win32") return undefined;
    // Written in the language and time zone of whoever asks: two gateways must read the same.
    const env = { LC_ALL: "C", TZ: "UTC" };
    const { code, stdout } = await run("ps", ["-o", "lstart=", "-p", String(pid)], { env });
    return code === 0 && stdout.trim() !== "" ? stdout.trim() : undefined;
  },
  kill: (pid, signal) => void process.kill(pid, signal),
  run,
  spawn(command, args, { env } = {}) {
    // Loaded when used: most commands start no program.
    const { spawn } = process.getBuiltinModule("node:child_process");
    const child = spawn(command, args, { stdio: "inherit", env: env ? { ...process.env, ...env } : process.env });
    return {
      pid: child.pid ?? -1,
      exited: new Promise((resolve) => {
        child.on("error", () => resolve({ code: 127, signal: undefined }));
        child.on("exit", (code, signal) => resolve({ code: code ?? undefined, signal: signal ?? undefined }));
      }),
      kill(signal) {
        // Not child.kill: Deno would then report the signal as the end, whatever status the child ends with.
        if (child.pid !== undefined && child.exitCode === null) process.kill(child.pid, signal);
      },
    };
  },
  start: startInBackground,
  converse,
  listeners: (port) => findListeners(port, run),
  onSignal(signal, listener) {
    process.on(signal, listener);
    return () => void process.off(signal, listener);
  },
  onCrash(listener) {
    process.on("uncaughtException", listener);
    process.on("unhandledRejection", listener);
    return () => {
      process.off("uncaughtException", listener);
      process.off("unhandledRejection", listener);
    };
  },
  setTitle(title) {
    process.title = title;
  },
  memory: () => process.memoryUsage.rss(),
  exit: (code) => process.exit(code),
};

/** Runs a program to its end; one that is not there answers 127, one that outlives `timeoutMs` is killed. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const { spawn } = process.getBuiltinModule("node:child_process");
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      stdio: ["pipe", "pipe", "pipe"],
      env: options.env ? { ...process.env, ...options.env } : process.env,
      windowsHide: true,
    });
    let [stdout, stderr] = ["", ""];
    const late = (): void => {
      child.kill("SIGKILL");
      // What it started may hold the pipes for as long as it likes.
      child.stdout.destroy();
      child.stderr.destroy();
    };
    const timer = options.timeoutMs ? setTimeout(late, options.timeoutMs) : undefined;
    child.stdout.setEncoding("utf8").on("data", (text: string) => void (stdout = (stdout + text).slice(0, maxOutput)));
    child.stderr.setEncoding("utf8").on("data", (text: string) => void (stderr = (stderr + text).slice(0, maxOutput)));
    // A program that does not read its input is no error.
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.input ?? "");
    const end = (code: number): void => {
      clearTimeout(timer);
      resolve({ code, stdout, stderr });
    };
    child.on("error", () => end(127));
    child.on("close", (code, signal) => end(code ?? (signal ? 128 : 1)));
  });
}

/**
 * Boot and field 22 of /proc/pid/stat (proc(5)): the name in field 2 may hold spaces and brackets, so count from its end.
 * A file that cannot be read is a process that has ended.
 */
async function linuxStartTime(pid: number): Promise<string | undefined> {
  const [stat, boot] = await Promise.all([
    readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined),
    readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => ""),
  ]);
  const started = stat && fieldsAfterName(stat)[19];
  return started === undefined || started === "" ? undefined : `${boot.trim()}:${started}`;
}

async function parentOf(pid: number): Promise<number | undefined> {
  if (linux) {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined); // it has ended
    return stat === undefined ? undefined : Number(fieldsAfterName(stat)[1]);
  }
  if (process.platform === "win32") return pid === process.pid ? process.ppid : undefined;
  const { stdout } = await run("ps", ["-o", "ppid=", "-p", String(pid)]);
  return Number(stdout.trim()) || undefined;
}

/** A killed child that nobody has waited for still answers signal 0. */
function isZombie(pid: number): boolean {
  if (!linux) return false;
  try {
    return fieldsAfterName(readFileSync(`/proc/${pid}/stat`, "utf8"))[0] === "Z";
  } catch {
    return false; // gone between the two looks, or /proc is not mounted: signal 0 has answered
  }
}

function fieldsAfterName(stat: string): readonly string[] {
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}
