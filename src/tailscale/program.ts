import type { Host, RunResult } from "../host/host.ts";

export type TailscaleHost = Pick<Host, "processes" | "env" | "os" | "clock">;

export interface ProgramResult extends RunResult {
  /** It was ended because it took too long; what it printed until then is there. */
  readonly timedOut: boolean;
}

/** Runs the `tailscale` program to its end, or for so long. One that is nowhere answers code 127. */
export type TailscaleProgram = (args: readonly string[], timeoutMs: number) => Promise<ProgramResult>;

/** The `tailscale` program of this machine, wherever its installer puts it. */
export function createProgram({ processes, env, os, clock }: TailscaleHost): TailscaleProgram {
  let found: string | undefined;
  return async (args, timeoutMs) => {
    const startedAt = clock.monotonic();
    // The program inside the macOS app opens a window unless it is told that a command line called it.
    const options = { timeoutMs, env: { TAILSCALE_BE_CLI: "1" } };
    let result: RunResult = { code: 127, stdout: "", stderr: "" };
    for (const place of new Set([found ?? "tailscale", ...places(os, env)])) {
      result = await processes.run(place, args, options);
      if (result.code === 127) continue;
      found = place;
      break;
    }
    return { ...result, timedOut: clock.monotonic() - startedAt >= timeoutMs };
  };
}

/** A service has a shorter PATH than a terminal, and the apps put their program into no PATH at all. */
function places(os: Host["os"], env: Host["env"]): readonly string[] {
  switch (os) {
    case "darwin":
      return [
        "tailscale",
        "/usr/local/bin/tailscale",
        "/opt/homebrew/bin/tailscale",
        "/Applications/Tailscale.app/Contents/MacOS/Tailscale",
      ];
    case "windows":
      return ["tailscale", `${env["ProgramFiles"] ?? "C:\\Program Files"}\\Tailscale\\tailscale.exe`];
    default:
      return ["tailscale"];
  }
}
