import type { Clock, Processes } from "../host/host.ts";
import { createCdp, type Cdp } from "./cdp.ts";

/** A browser process and the way to speak with it. */
export interface Launched {
  readonly cdp: Cdp;
  /** What it said last, when it has ended. */
  readonly exited: Promise<string>;
  kill(): void;
}

export interface LaunchOptions {
  readonly processes: Required<Pick<Processes, "converse">>;
  readonly clock: Pick<Clock, "after">;
  readonly executable: string;
  /** The folder of its profile. */
  readonly folder: string;
  readonly headless: boolean;
  readonly noSandbox: boolean;
}

/** Pictures come as base64 in one message. */
const MOST_LETTERS = 64 * 1024 * 1024;

/**
 * Starts a browser that is spoken to through pipes: a port would be open to every program and user of this machine. The
 * browser reads descriptor 3 and writes 4; what it prints otherwise is nobody's.
 */
export function launch({ processes, clock, executable, ...options }: LaunchOptions): Launched {
  const script = 'exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null';
  const child = processes.converse(
    "/bin/sh",
    ["-c", script, executable, ...flagsOf(options)],
    (text) => cdp.hear(text),
    {
      end: "\0",
      maxLine: MOST_LETTERS,
    },
  );
  const cdp = createCdp(child, clock);
  const exited = child.exited.then(({ code, signal }) => {
    const words = child.stderr.trim().split("\n").at(-1)?.slice(0, 300) ?? "";
    const why = `the browser has ended (${signal ?? `status ${code ?? "unknown"}`})${words === "" ? "" : `: ${words}`}`;
    cdp.end(why);
    return why;
  });
  return { cdp, exited, kill: () => child.kill("SIGTERM") };
}

function flagsOf({
  folder,
  headless,
  noSandbox,
}: Pick<LaunchOptions, "folder" | "headless" | "noSandbox">): readonly string[] {
  return [
    "--remote-debugging-pipe",
    `--user-data-dir=${folder}`,
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-features=Translate,MediaRouter",
    "--password-store=basic",
    "--use-mock-keychain",
    "--window-size=1280,900",
    ...(headless ? ["--headless=new", "--hide-scrollbars", "--mute-audio"] : []),
    ...(noSandbox ? ["--no-sandbox"] : []),
    "--no-startup-window",
  ];
}
