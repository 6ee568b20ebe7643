import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { launch, type Running } from "./launch.ts";

export interface StartOptions {
  /** A home that stays after `stop`, to start again in; a new one when absent. */
  readonly home?: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Written to `<home>/.openclaw/openclaw.json` when there is none. */
  readonly config?: unknown;
  readonly port?: number;
  /** How to call the product, when not from its own main file. */
  readonly program?: readonly string[];
}

/** A real gateway in a process of its own, on the runtime that runs the test. */
export interface GatewayProcess extends Omit<Running, "end"> {
  readonly home: string;
  readonly port: number;
  readonly url: string;
  /** Ends it with a signal and waits for the end; a home that was made for it goes too. */
  stop(signal?: NodeJS.Signals): Promise<number | string>;
}

/** Starts `gateway` and waits until it listens. Throws with what it printed when it ends before that. */
export async function startGateway(options: StartOptions = {}): Promise<GatewayProcess> {
  const home = options.home ?? makeHome();
  const port = options.port ?? (await freePort());
  if (options.config !== undefined) {
    const state = join(home, ".openclaw");
    mkdirSync(state, { recursive: true, mode: 0o700 });
    writeFileSync(join(state, "openclaw.json"), JSON.stringify(options.config), { mode: 0o600, flag: "wx" });
  }
  const args = ["gateway", "--port", String(port), ...(options.args ?? ["--allow-unconfigured"])];
  const running = launch(args, home, options);
  const { scheme, pid } = await within(15_000, "listening", running, () => {
    const [, scheme, pid] = /listening on (wss?):\/\/\S+ \(PID (\d+)\)/.exec(running.stdout()) ?? [];
    return scheme === undefined ? undefined : { scheme, pid: Number(pid) };
  });
  return {
    ...running,
    home,
    port,
    url: `${scheme}://127.0.0.1:${port}`,
    pid,
    async stop(signal = "SIGTERM") {
      const status = await running.end(signal);
      if (!options.home) rmSync(home, { recursive: true, force: true });
      return status;
    },
  };
}

export interface RunResult {
  readonly status: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command of the product to its end. */
export async function runCommand(
  args: readonly string[],
  home: string,
  env: Readonly<Record<string, string>> = {},
): Promise<RunResult> {
  const running = launch(args, home, { env });
  const deadline = setTimeout(() => running.child.kill("SIGKILL"), 30_000);
  const status = await running.exited;
  clearTimeout(deadline);
  return { status, stdout: running.stdout(), stderr: running.stderr() };
}

export function makeHome(): string {
  return mkdtempSync(join(tmpdir(), "clawlet-test-"));
}

/** A port that nothing listens on. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

/** Looks for something until it is there. */
export async function until<T>(
  what: string,
  look: () => T | undefined | Promise<T | undefined>,
  ms = 5000,
): Promise<T> {
  const deadline = Date.now() + ms;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`no ${what} after ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function within<T>(ms: number, what: string, running: Running, look: () => T | undefined): Promise<T> {
  let ended: number | string | undefined;
  void running.exited.then((status) => (ended = status));
  try {
    return await until(
      what,
      () => {
        if (ended !== undefined) throw new Error(`ended with ${ended}`);
        return look();
      },
      ms,
    );
  } catch (error) {
    running.child.kill("SIGKILL");
    throw new Error(`${String(error)}\nstdout: ${running.stdout()}\nstderr: ${running.stderr()}`, { cause: error });
  }
}
