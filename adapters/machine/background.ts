import type { ChildProcess } from "node:child_process";
import type { Writable } from "node:stream";
import type { BackgroundChild, ConverseOptions, SpokenChild } from "../../src/host/host.ts";

/** How much of what a program complains of is kept. */
const maxStderr = 8192;
/** What a program started itself may hold its outputs open for as long as it likes. */
const lastWordsMs = 200;
/** The longest line that a program may write, and the most that may wait for it to read, in UTF-16 code units. */
const MOST_LETTERS = 4 * 1024 * 1024;

/**
 * Becomes the program, and leaves behind a shell that waits for a line on descriptor 3. This process writes one when the
 * program has ended; when it is gone instead, however it went, the system closes the pipe, and the shell ends the program.
 */
const guarded = '(read -r _ <&3 || kill "$$") >/dev/null 2>&1 & exec "$0" "$@" 3<&-';

/** Starts a program that does not outlive this process: see `Processes.start`. */
export function startInBackground(command: string, args: readonly string[]): BackgroundChild {
  return tend(spawnGuarded(command, args, "ignore"));
}

/** Starts a program that is spoken to: see `Processes.converse`. One whose line has no end, or that does not read, is ended. */
export function converse(
  command: string,
  args: readonly string[],
  line: (text: string) => void,
  { end = "\n", maxLine = MOST_LETTERS }: ConverseOptions = {},
): SpokenChild {
  const child = spawnGuarded(command, args, "pipe");
  const { stdin, stdout } = child;
  let open = "";
  stdout?.setEncoding("utf8").on("data", (text: string) => {
    const [first = "", ...others] = text.split(end);
    open += first;
    for (const next of others) {
      line(open.replace(/\r$/, ""));
      open = next;
    }
    if (open.length <= maxLine) return;
    open = "";
    spoken.kill("SIGKILL");
    stdout.destroy();
  });
  // A program that has ended reads nothing: `exited` says so.
  stdin?.on("error", () => undefined);
  let waiting = 0;
  const spoken = Object.assign(tend(child), {
    say(text: string) {
      if (!stdin?.writable) return;
      // Counted here: Bun's `writableLength` is always 0.
      waiting += text.length;
      stdin.write(`${text}${end}`, () => void (waiting -= text.length));
      if (waiting > maxLine) spoken.kill("SIGKILL");
    },
  });
  return spoken;
}

function spawnGuarded(command: string, args: readonly string[], io: "ignore" | "pipe"): ChildProcess {
  const { spawn } = process.getBuiltinModule("node:child_process");
  if (process.platform === "win32")
    return spawn(command, args, { stdio: [io, io, "pipe", "ignore"], windowsHide: true });
  return spawn("/bin/sh", ["-c", guarded, command, ...args], { stdio: [io, io, "pipe", "pipe"] });
}

function tend(child: ChildProcess): BackgroundChild {
  const guard = child.stdio[3] as Writable | null | undefined;
  // Nobody reads it any more when the guard is gone too.
  guard?.on("error", () => undefined);
  let stderr = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => void (stderr = (stderr + text).slice(-maxStderr)));
  const outputs = [child.stdout, child.stderr].flatMap((output) => output ?? []);
  const said = Promise.all(outputs.map((output) => new Promise((resolve) => void output.on("close", resolve))));
  return {
    pid: child.pid ?? -1,
    get stderr() {
      return stderr;
    },
    exited: new Promise((resolve) => {
      child.on("error", () => resolve({ code: 127, signal: undefined }));
      child.on("exit", (code, signal) => {
        guard?.end("\n");
        const end = (): void => {
          clearTimeout(timer);
          for (const output of outputs) output.destroy();
          resolve({ code: code ?? undefined, signal: signal ?? undefined });
        };
        const timer = setTimeout(end, lastWordsMs);
        void said.then(end);
      });
    }),
    kill(signal) {
      // Not child.kill: Deno would then report the signal as the end, whatever status the child ends with.
      if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
        process.kill(child.pid, signal);
    },
  };
}
