import type { BackgroundChild } from "../../src/host/host.ts";

/** How much of what a program complains of is kept. */
const maxStderr = 8192;
/** What a program started itself may hold its standard error open for as long as it likes. */
const lastWordsMs = 200;

/**
 * Becomes the program, and leaves behind a shell that waits for a line. This process writes one when the program has
 * ended; when it is gone instead, however it went, the system closes the pipe, and the shell ends the program. A shell
 * gives what it starts in the background no input, so the pipe is handed over as descriptor 3.
 */
const guarded = 'exec 3<&0; (read -r _ <&3 || kill "$$") >/dev/null 2>&1 & exec "$0" "$@" </dev/null 3<&-';

/** Starts a program that does not outlive this process: see `Processes.start`. */
export function startInBackground(command: string, args: readonly string[]): BackgroundChild {
  const { spawn } = process.getBuiltinModule("node:child_process");
  const [program, given] =
    process.platform === "win32" ? [command, args] : ["/bin/sh", ["-c", guarded, command, ...args]];
  const child = spawn(program, given, { stdio: ["pipe", "ignore", "pipe"], windowsHide: true });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => void (stderr = (stderr + text).slice(-maxStderr)));
  // Nobody reads it any more when the guard is gone too.
  child.stdin.on("error", () => undefined);
  const said = new Promise<void>((resolve) => void child.stderr.on("close", () => resolve()));
  return {
    pid: child.pid ?? -1,
    get stderr() {
      return stderr;
    },
    exited: new Promise((resolve) => {
      child.on("error", () => resolve({ code: 127, signal: undefined }));
      child.on("exit", (code, signal) => {
        child.stdin.end("\n");
        const end = (): void => {
          clearTimeout(timer);
          child.stderr.destroy();
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
