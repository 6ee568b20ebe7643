import type { Gateway, OpenOptions } from "../../src/boot.ts";
import { parseArgs } from "../../src/cli/args.ts";
import { gatewayRun, runGatewayCommand } from "../../src/commands/gateway.ts";
import { flavours, type Flavour } from "../../src/host/flavour.ts";
import { pathsOf } from "../../src/host/paths.ts";
import { Failure } from "../../src/kit/error.ts";
import { settle } from "../support/fake-clock.ts";
import { scriptedHost, type ScriptedHost, type ScriptedOptions } from "../support/host.ts";

/** The gateway command on a scripted machine, up to a gateway that only remembers what is asked of it. */
export interface Foreground {
  readonly host: ScriptedHost;
  /** What the gateway was opened with. */
  readonly opened: OpenOptions;
  /** What was asked of the gateway. */
  readonly calls: readonly string[];
  /** The exit status, or the message of what was thrown. */
  readonly outcome: Promise<number | string>;
  ended(): boolean;
  stdout(): string;
  /** Ends the process with a signal; answers the exit status. */
  stop(signal?: "SIGINT" | "SIGTERM" | "SIGHUP"): Promise<number | string>;
}

export interface StartOptions {
  readonly flavour?: Flavour;
  /** Whether the gateway's `close` ever ends. */
  readonly closes?: boolean;
}

/** Runs `gateway ...` until it listens. */
export async function started(
  line: readonly string[],
  host: ScriptedHost,
  { flavour = flavours.clawdbot, closes = true }: StartOptions = {},
): Promise<Foreground> {
  const calls: string[] = [];
  let opened: OpenOptions | undefined;
  let ended = false;
  const outcome = contextOf(line, host, flavour)
    .then((context) =>
      runGatewayCommand(context, async (options) => {
        opened = options;
        return fakeGateway(options, calls, closes);
      }),
    )
    .catch((error: unknown) => Failure.from(error).message);
  void outcome.then(() => (ended = true));
  await until(() => opened !== undefined || ended);
  if (!opened) throw new Error(`it did not start: ${await outcome}`);
  await settle();
  return {
    host,
    opened,
    calls,
    outcome,
    ended: () => ended,
    stdout: () => host.terminal.stdout.text,
    async stop(signal = "SIGTERM") {
      host.processes.signal(signal);
      await host.clock.advance(100);
      const status = await outcome;
      host.processes.living.delete(host.processes.pid);
      return status;
    },
  };
}

/** Runs `gateway ...`, which must be refused with a Failure. `open` is what opening it does, should it get so far. */
export async function refused(
  line: readonly string[],
  host: ScriptedHost,
  open: (options: OpenOptions) => Promise<Gateway> = () => Promise.reject(new Error("it was opened")),
): Promise<Failure> {
  try {
    await runGatewayCommand(await contextOf(line, host), open);
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error("it was not refused");
}

/** What the command line gives the command for `line`. */
export async function contextOf(line: readonly string[], host: ScriptedHost, flavour: Flavour = flavours.clawdbot) {
  const { options, global, args } = await parseArgs(line, { gateway: async () => gatewayRun }, "clawdbot");
  const paths = pathsOf(host, flavour, global.dev ? "dev" : "");
  const given = { host: { ...host, args: line }, flavour, paths, program: "clawdbot", global, args, options };
  return given as unknown as Parameters<typeof gatewayRun.run>[0]; // parseArgs checked them by the command's own table
}

export function machine(options: ScriptedOptions = {}): ScriptedHost {
  return scriptedHost({ name: "clawdbot", ...options });
}

/** Another process on the same machine. */
export function otherProcess(first: ScriptedHost): ScriptedHost {
  const host = machine({ pid: 5151, clock: first.clock, disk: first.files });
  const processes = {
    ...host.processes,
    alive: (pid: number) => host.processes.alive(pid) || first.processes.alive(pid),
    startTime: async (pid: number) => (await host.processes.startTime(pid)) ?? first.processes.startTime(pid),
  };
  return { ...host, processes };
}

function fakeGateway(options: OpenOptions, calls: string[], closes: boolean): Gateway {
  const exposure = options.expose();
  return {
    port: options.port(),
    addresses: "addresses" in exposure ? exposure.addresses : [],
    tls: undefined,
    takeOver: async () => void calls.push("takeOver"),
    refresh: async () => undefined,
    restart: async () => void calls.push("restart"),
    close: (reason) => {
      calls.push(`close ${reason}`);
      return closes ? Promise.resolve() : new Promise(() => undefined);
    },
  };
}

async function until(done: () => boolean): Promise<void> {
  for (let turn = 0; turn < 100 && !done(); turn++) await settle();
}
