import type {
  BackgroundChild,
  Child,
  DialOptions,
  Host,
  Net,
  NetInterface,
  Output,
  PortOwner,
  Processes,
  RunOptions,
  RunResult,
  ServeOptions,
  Server,
  Signal,
  Terminal,
} from "../../src/host/host.ts";
import type { Fetch, Socket, SocketEvents } from "../../src/host/socket.ts";
import { resolveGatewayService } from "../../adapters/service/index.ts";
import { Failure } from "../../src/kit/error.ts";
import type { ServiceManager } from "../../src/service/service.ts";
import { createFakeClock, type FakeClock } from "./fake-clock.ts";
import { createMemoryFiles, type MemoryFiles } from "./memory-files.ts";

export interface ScriptedHost extends Host {
  readonly clock: FakeClock;
  readonly files: MemoryFiles;
  readonly net: ScriptedNet;
  readonly processes: ScriptedProcesses;
  readonly terminal: ScriptedTerminal;
}

export interface ScriptedOptions extends Partial<
  Pick<
    Host,
    "runtime" | "os" | "osVersion" | "hostname" | "env" | "home" | "cwd" | "name" | "args" | "self" | "sources"
  >
> {
  /** Milliseconds since 1970. */
  readonly now?: number;
  /** Another process's clock and disk, for two processes on one machine. */
  readonly clock?: FakeClock;
  readonly disk?: MemoryFiles;
  /** Files that are there from the start, by absolute path. */
  readonly files?: Readonly<Record<string, string>>;
  readonly pid?: number;
  /** What `run` answers, by command line (`ss -ltnp`) or by program alone; anything else answers 127. */
  readonly commands?: Readonly<Record<string, Answer>>;
  /** What a program that is started in the background does at once; by default it just runs. */
  readonly started?: (child: ScriptedBackgroundChild) => void;
  /** A manager of its own making, or the real one of this system over what `commands` answers; by default none. */
  readonly services?: ServiceManager | "system";
  readonly interfaces?: readonly NetInterface[];
  /** What `dial` does; by default every dial closes with 1006. */
  readonly dial?: (url: string, events: SocketEvents, options: DialOptions) => Socket;
  /** What DNS servers answer; by default nobody can be asked. */
  readonly resolve?: NonNullable<Net["resolve"]>;
  /** The multicast group; by default there is none. */
  readonly multicast?: NonNullable<Net["multicast"]>;
  /** All of standard input. */
  readonly input?: string;
  /** Whether a person sits there: input and both outputs are terminals. */
  readonly interactive?: boolean;
  readonly columns?: number;
}

export type Answer =
  | Partial<RunResult>
  | ((args: readonly string[], options: RunOptions) => Partial<RunResult> | Promise<Partial<RunResult>>);

export interface ScriptedProcesses extends Processes {
  /** Processes that are alive, this one included. */
  readonly living: Set<number>;
  readonly startTimes: Map<number, string>;
  /** This process, its parent and so on. */
  readonly parents: number[];
  /** Who listens where; a process that ends lets go of its ports. */
  readonly ports: Map<number, PortOwner[]>;
  /** Processes that outlive SIGTERM. */
  readonly stubborn: Set<number>;
  readonly kills: { readonly pid: number; readonly signal: Signal }[];
  readonly ran: { readonly command: string; readonly args: readonly string[]; readonly options: RunOptions }[];
  readonly spawned: ScriptedChild[];
  /** Started in the background. Signals end them, but for `stubborn` ones. */
  readonly background: ScriptedBackgroundChild[];
  readonly title: string | undefined;
  /** This process receives a signal; answers how many listeners heard it. */
  signal(signal: Signal): number;
}

export interface ScriptedChild extends Child {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>> | undefined;
  readonly signals: readonly Signal[];
  end(code: number | undefined, signal?: string): void;
}

export interface ScriptedBackgroundChild extends BackgroundChild {
  readonly command: string;
  readonly args: readonly string[];
  readonly signals: readonly Signal[];
  /** Writes to its standard error. */
  complain(text: string): void;
  end(code: number | undefined, signal?: string): void;
}

/** What `processes.exit` throws in place of ending the test. */
export class Exit extends Error {
  override readonly name = "Exit";
  readonly code: number;
  constructor(code: number) {
    super(`exit ${code}`);
    this.code = code;
  }
}

export interface ScriptedServer extends Server {
  readonly options: ServeOptions;
  readonly fetch: Fetch;
  readonly open: boolean;
}

export interface ScriptedNet extends Net {
  /** Everything that `serve` ever opened. */
  readonly servers: readonly ScriptedServer[];
  /** Ports of other programs: serving on one fails, `reaches` finds it. */
  readonly taken: Set<number>;
}

export interface ScriptedOutput extends Output {
  readonly text: string;
}

export interface ScriptedTerminal extends Terminal {
  readonly stdout: ScriptedOutput;
  readonly stderr: ScriptedOutput;
}

/** A machine that exists only in the test: clock, disk, processes, network and terminal answer as the test says. */
export function scriptedHost(options: ScriptedOptions = {}): ScriptedHost {
  const clock = options.clock ?? createFakeClock(options.now);
  const files = options.disk ?? createMemoryFiles(() => clock.now());
  const home = options.home ?? "/home/me";
  files.putFolder(files.temporaryFolder);
  files.putFolder(home);
  for (const [path, text] of Object.entries(options.files ?? {})) files.put(path, text);
  const env = options.env ?? {};
  const os = options.os ?? "linux";
  const processes = createProcesses(options);
  const system = () => ({ env, files, processes, clock, home, user: "me", uid: 501 });
  return {
    runtime: options.runtime ?? "node",
    runtimeVersion: `${options.runtime ?? "node"} 1.0.0`,
    os,
    osVersion: options.osVersion ?? "linux 6.1",
    hostname: options.hostname ?? "test-host",
    env,
    home,
    cwd: options.cwd ?? home,
    name: options.name ?? "clawlet",
    args: options.args ?? [],
    self: options.self ?? ["/usr/bin/clawlet"],
    sources: options.sources ?? [],
    clock,
    files,
    net: createNet(options),
    processes,
    terminal: createTerminal(options),
    services: options.services === "system" ? resolveGatewayService(os, system) : options.services,
  };
}

function createProcesses({ pid = 4242, commands = {}, started }: ScriptedOptions): ScriptedProcesses {
  const listeners = new Map<Signal, Set<() => void>>();
  const ports = new Map<number, PortOwner[]>();
  const living = new Set([pid]);
  const stubborn = new Set<number>();
  const parents = [pid, 1];
  const startTimes = new Map([[pid, `start-${pid}`]]);
  const kills: { pid: number; signal: Signal }[] = [];
  const ran: { command: string; args: readonly string[]; options: RunOptions }[] = [];
  const spawned: ScriptedChild[] = [];
  const background: ScriptedBackgroundChild[] = [];
  let title: string | undefined;

  const end = (gone: number): void => {
    living.delete(gone);
    for (const [port, owners] of ports)
      ports.set(
        port,
        owners.filter((owner) => owner.pid !== gone),
      );
  };
  return {
    pid,
    living,
    startTimes,
    parents,
    ports,
    stubborn,
    kills,
    ran,
    spawned,
    background,
    get title() {
      return title;
    },
    ancestors: async () => parents,
    alive: (which) => living.has(which),
    startTime: async (which) => (living.has(which) ? startTimes.get(which) : undefined),
    kill(which, signal) {
      kills.push({ pid: which, signal });
      if (signal === "SIGKILL" || (signal === "SIGTERM" && !stubborn.has(which))) end(which);
    },
    async run(command, args, options = {}) {
      ran.push({ command, args, options });
      const answer = commands[[command, ...args].join(" ")] ?? commands[command];
      const result = typeof answer === "function" ? await answer(args, options) : answer;
      return { code: result ? 0 : 127, stdout: "", stderr: "", ...result };
    },
    spawn(command, args, { env } = {}) {
      const child = createChild(10_000 + spawned.length, command, args, env);
      spawned.push(child);
      return child;
    },
    start(command, args) {
      const child = createBackground(20_000 + background.length, command, args, {
        ended: end,
        stubborn: (which) => stubborn.has(which),
      });
      living.add(child.pid);
      background.push(child);
      started?.(child);
      return child;
    },
    listeners: async (port) => ports.get(port) ?? [],
    onSignal(signal, listener) {
      const set = listeners.get(signal) ?? new Set();
      listeners.set(signal, set.add(listener));
      return () => void set.delete(listener);
    },
    setTitle: (text) => void (title = text),
    memory: () => 48 * 1024 * 1024,
    exit(code) {
      throw new Exit(code);
    },
    signal(signal) {
      const heard = [...(listeners.get(signal) ?? [])];
      for (const listener of heard) listener();
      return heard.length;
    },
  };
}

function createChild(
  pid: number,
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>> | undefined,
): ScriptedChild {
  const signals: Signal[] = [];
  let resolve: (end: { code: number | undefined; signal: string | undefined }) => void;
  const exited = new Promise<{ code: number | undefined; signal: string | undefined }>((done) => (resolve = done));
  return {
    pid,
    command,
    args,
    env,
    signals,
    exited,
    kill: (signal) => void signals.push(signal),
    end: (code, signal) => resolve({ code, signal }),
  };
}

function createBackground(
  pid: number,
  command: string,
  args: readonly string[],
  { ended, stubborn }: { ended: (pid: number) => void; stubborn: (pid: number) => boolean },
): ScriptedBackgroundChild {
  const child = createChild(pid, command, args, undefined);
  let stderr = "";
  const finish: ScriptedChild["end"] = (code, signal) => {
    ended(pid);
    child.end(code, signal);
  };
  return {
    pid,
    command,
    args,
    exited: child.exited,
    signals: child.signals,
    get stderr() {
      return stderr;
    },
    complain: (text) => void (stderr += text),
    end: finish,
    kill(signal) {
      child.kill(signal);
      if (signal === "SIGKILL" || !stubborn(pid)) finish(undefined, signal);
    },
  };
}

function createNet({ interfaces, dial, resolve, multicast }: ScriptedOptions): ScriptedNet {
  const servers: ScriptedServer[] = [];
  const taken = new Set<number>();
  const busy = (port: number): boolean =>
    taken.has(port) || servers.some((server) => server.open && server.port === port);
  return {
    servers,
    taken,
    async serve(options, fetch) {
      if (options.port !== 0 && (taken.has(options.port) || holds(servers, options)))
        throw new Failure("conflict", `port ${options.port} on ${options.hostname} is already in use`);
      const server = createServer(options, fetch, options.port || 40_000 + servers.length);
      servers.push(server);
      return server;
    },
    dial: (url, events, options = {}) => (dial ? dial(url, events, options) : deadSocket(events)),
    interfaces: () => interfaces ?? loopback,
    reaches: async (_host, port) => busy(port),
    ...(resolve ? { resolve } : {}),
    ...(multicast ? { multicast } : {}),
  };
}

const loopback: readonly NetInterface[] = [
  { name: "lo", address: "127.0.0.1", family: 4, internal: true },
  { name: "lo", address: "::1", family: 6, internal: true },
];

function holds(servers: readonly ScriptedServer[], { hostname, port }: ServeOptions): boolean {
  return servers.some((server) => server.open && server.hostname === hostname && server.port === port);
}

function createServer(options: ServeOptions, fetch: Fetch, port: number): ScriptedServer {
  let open = true;
  return {
    hostname: options.hostname,
    port,
    options,
    fetch,
    get open() {
      return open;
    },
    async close() {
      open = false;
    },
  };
}

/** What a dial to a port where nobody listens gives: never open, closed with 1006. */
function deadSocket(events: SocketEvents): Socket {
  const nothing = (): void => undefined;
  const socket: Socket = {
    buffered: 0,
    send: () => -1,
    ping: nothing,
    trust: nothing,
    pause: nothing,
    resume: nothing,
    close: nothing,
    terminate: nothing,
  };
  queueMicrotask(() => events.close(socket, 1006, "connection refused"));
  return socket;
}

function createTerminal({ input = "", interactive = false, columns = 80 }: ScriptedOptions): ScriptedTerminal {
  return {
    stdout: createOutput(interactive, columns),
    stderr: createOutput(interactive, columns),
    interactive,
    readInput: async () => input,
  };
}

function createOutput(isTerminal: boolean, columns: number): ScriptedOutput {
  let text = "";
  return {
    isTerminal,
    columns,
    get text() {
      return text;
    },
    write: (more) => void (text += more),
  };
}
