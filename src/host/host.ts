import { Failure } from "../kit/error.ts";
import type { ServiceManager } from "../service/service.ts";
import type { ByteStream, ByteStreamEvents, ConnectOptions } from "./byte-stream.ts";
import type { MulticastEvents, MulticastSocket } from "./multicast.ts";
import type { ReadPage } from "./page.ts";
import type { Fetch, SocketEvents, Socket } from "./socket.ts";

/**
 * Everything the core may ask of the machine. One implementation over the `node:` modules serves Node, Bun and Deno
 * (adapters/machine); tests use a scripted one.
 */
export interface Host {
  readonly runtime: "node" | "bun" | "deno" | "workerd";
  /** Runtime name and version, such as `bun 1.4.5`. */
  readonly runtimeVersion: string;
  readonly os: "darwin" | "linux" | "windows" | "none";
  /** The operating system as a person would name it, such as `linux 6.18.44`. */
  readonly osVersion: string;
  readonly hostname: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly cwd: string;
  /** The name that the program was called by, without folder or extension: `clawdbot`, `openclaw`, `clawlet`. */
  readonly name: string;
  /** Arguments after the program's name. */
  readonly args: readonly string[];
  /** How to start this program again: executable and leading arguments. */
  readonly self: readonly string[];
  /** The folders whose source this process runs from, when it runs from source; else empty. */
  readonly sources: readonly string[];
  readonly clock: Clock;
  readonly files: Files;
  readonly net: Net;
  readonly processes: Processes;
  readonly terminal: Terminal;
  /** How this system keeps a program running; absent where there is no way that is known here. */
  readonly services?: ServiceManager | undefined;
  /** The hardware and how much of it is in use; absent where nobody can know. */
  machine?(): Machine;
  /** Gives memory back that was needed for a while, which takes some milliseconds; absent where the runtime cannot be asked to. */
  rest?(): void;
  /** Reads the files of the web page; absent where there is none to be served. */
  readonly page?: ReadPage | undefined;
}

/**
 * What a running gateway asks of where it runs, be that a machine of its own (a `Host` is one) or somebody else's program.
 * What only a machine has may be absent: what needs it says so then, and the rest goes on.
 */
export interface Surroundings extends Pick<
  Host,
  | "runtimeVersion"
  | "os"
  | "osVersion"
  | "hostname"
  | "env"
  | "home"
  | "cwd"
  | "name"
  | "clock"
  | "machine"
  | "rest"
  | "page"
> {
  readonly files?: Files | undefined;
  readonly net?: (Pick<Net, "interfaces"> & Partial<Pick<Net, "dial" | "connect">>) | undefined;
  readonly processes?: Pick<Processes, "pid" | "run" | "memory" | "start" | "converse"> | undefined;
}

/** The files of where it runs; a Failure `unavailable` where there are none. */
export function filesOf({ files }: Pick<Surroundings, "files">): Files {
  if (files) return files;
  throw new Failure("unavailable", "this gateway runs inside another program and has no files", { retryable: false });
}

export interface Machine {
  /** Processor architecture as npm names it, such as `arm64`. */
  readonly arch: string;
  readonly cpuCount: number;
  readonly cpuModel?: string;
  readonly memoryTotalBytes: number;
  readonly memoryFreeBytes: number;
  /** Averages over 1, 5 and 15 minutes; absent on Windows. */
  readonly loadAverage?: readonly [number, number, number];
}

export interface Clock {
  /** Milliseconds since 1970; may jump. */
  now(): number;
  /** Milliseconds since some point in the past; never goes back. */
  monotonic(): number;
  /** Runs `work` once after `ms`; the answer cancels it. Does not keep the process alive. */
  after(ms: number, work: () => void): () => void;
  /** Runs `work` every `ms`; the answer stops it. Does not keep the process alive. */
  every(ms: number, work: () => void): () => void;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface FileStat {
  readonly kind: "file" | "folder" | "other";
  readonly size: number;
  readonly modifiedAt: number;
  /** Permission bits, such as 0o600. */
  readonly mode: number;
  /** Identifies the file on its disk, whatever its name. */
  readonly inode: string;
}

/** Files by absolute path. Rejects with the system's error; a file that is not there is `undefined` where it says so. */
export interface Files {
  /** UTF-8 text, or undefined when there is no such file. */
  read(path: string): Promise<string | undefined>;
  /** Bytes from `start` up to `end` (exclusive) as they are on disk; shorter at the end of the file. */
  readRange(path: string, start: number, end: number): Promise<Uint8Array>;
  /** Replaces the whole file durably: temporary file, flush, rename, flush of the folder. Mode 0600 unless given. */
  write(path: string, text: string, options?: WriteOptions): Promise<void>;
  /** Creates the file with this text; answers false, changing nothing, when something of that name exists. */
  create(path: string, text: string, options?: WriteOptions): Promise<boolean>;
  /** Opens for appending, creating it (0600) when missing. Appends with `flush` are quicker where `durable` announces them. */
  open(path: string, options?: { durable?: boolean }): Promise<AppendFile>;
  /**
   * Opens a plain file to be read as it is now: another that takes its name meanwhile changes nothing. Undefined when
   * there is none; rejects for a link, a folder and anything else.
   */
  openRead(path: string): Promise<ReadFile | undefined>;
  stat(path: string): Promise<FileStat | undefined>;
  /** Names in a folder, sorted; empty when there is no such folder. */
  list(path: string): Promise<readonly string[]>;
  /** Creates the folder and its parents, each new one with mode 0700. */
  makeFolder(path: string): Promise<void>;
  /** Removes a file or a whole folder; nothing happens when it is not there. */
  remove(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  chmod(path: string, mode: number): Promise<void>;
  /** Cuts the file to `size` bytes, durably. */
  truncate(path: string, size: number): Promise<void>;
  /** Follows links and removes `..`: where the path really is; undefined when nothing is there. */
  realPath(path: string): Promise<string | undefined>;
  /** Bytes that this user may still write on the disk of an existing path; absent where nobody can know. */
  freeSpace?(path: string): Promise<number>;
  /** Calls `changed` with the path of anything that changes in the folder or file, until the answer is called. */
  watch(path: string, changed: (path: string) => void, options?: { recursive?: boolean }): () => void;
  readonly temporaryFolder: string;
}

export interface WriteOptions {
  readonly mode?: number;
  /** False for what says something of a running process only: it outlives that, and not the machine. */
  readonly flush?: boolean;
}

export interface AppendFile {
  readonly size: number;
  /** Like `Files.readRange`, without opening the file again. */
  read(start: number, end: number): Promise<Uint8Array>;
  /** Appends and, with `flush`, resolves only when it is on the disk (fdatasync). */
  append(data: string | Uint8Array, options?: { flush?: boolean }): Promise<void>;
  close(): Promise<void>;
}

export interface ReadFile {
  /** As it was opened. */
  readonly stat: FileStat;
  /** Like `Files.readRange`, without opening the file again. */
  read(start: number, end: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

export interface Net {
  /** Serves HTTP and WebSockets on one address. A port that is taken rejects with a Failure `conflict`. */
  serve(options: ServeOptions, fetch: Fetch): Promise<Server>;
  /** Opens a WebSocket as a client. Never throws: failures arrive as `close`. */
  dial(url: string, events: SocketEvents, options?: DialOptions): Socket;
  /** Opens a TCP connection. Never throws: failures arrive as `close`. Absent where there is none to be had. */
  connect?(options: ConnectOptions, events: ByteStreamEvents): ByteStream;
  /** Addresses of this machine's interfaces that are up, loopback included. */
  interfaces(): readonly NetInterface[];
  /** Set where listening on `::` takes every IPv4 address as well, whatever one asks for. */
  readonly dualStack?: boolean;
  /** Whether something accepts TCP connections there within `timeoutMs`. */
  reaches(host: string, port: number, timeoutMs: number): Promise<boolean>;
  /** Joins the multicast DNS group by an interface's address; absent where there is no multicast. */
  multicast?(at: NetInterface, events: MulticastEvents): Promise<MulticastSocket>;
  /**
   * Asks DNS servers. Empty when there is no such name or no such record; rejects with a Failure `unavailable` or
   * `timeout` when no server says. Absent where nobody can be asked.
   */
  resolve?<T extends keyof DnsAnswers>(
    name: string,
    type: T,
    options: ResolveOptions,
  ): Promise<readonly DnsAnswers[T][]>;
}

/** What one record says, by its type. Names are escaped as in zone files. */
export interface DnsAnswers {
  readonly A: string;
  readonly AAAA: string;
  readonly PTR: string;
  readonly SRV: { readonly priority: number; readonly weight: number; readonly port: number; readonly target: string };
  /** One string: which of them stand in one record no runtime's resolver tells alike. */
  readonly TXT: string;
}

export interface ResolveOptions {
  /** As `address`, `address:port` or `[address]:port`; the system's own servers by default. */
  readonly servers?: readonly string[] | undefined;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

export interface NetInterface {
  readonly name: string;
  readonly address: string;
  readonly family: 4 | 6;
  readonly internal: boolean;
  /** How many leading bits of the address name its network; absent where nobody knows. */
  readonly prefix?: number;
}

export interface ServeOptions {
  readonly hostname: string;
  /** 0 asks for any free port. */
  readonly port: number;
  /** Largest WebSocket message in bytes; a larger one closes with 1009. */
  readonly maxPayload: number;
  /** Bytes a WebSocket may send before `Socket.trust()`; more closes with 1009, where the runtime can see them. */
  readonly maxUntrusted: number;
  /** Largest HTTP request body in bytes; a larger one is answered 413. */
  readonly maxBody: number;
  /** PEM. With `ca`, clients must come with a certificate of those authorities. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca?: string };
}

export interface Server {
  readonly hostname: string;
  readonly port: number;
  /** Stops accepting and resolves when every connection has ended; what is left after `graceMs` is cut. */
  close(graceMs: number): Promise<void>;
}

export interface DialOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** SHA-256 of the server's certificate in hex; any other certificate is refused before anything is sent. */
  readonly fingerprint?: string;
  /** Shown to a server that asks its clients for a certificate (PEM). */
  readonly certificate?: { readonly cert: string; readonly key: string };
  readonly maxPayload?: number;
  readonly timeoutMs?: number;
}

export interface PortOwner {
  readonly pid: number;
  /** Short program name, such as `node`. */
  readonly command: string;
  readonly commandLine?: string;
  readonly user?: string;
  /** The listening address, such as `127.0.0.1:18789`. */
  readonly address?: string;
}

export interface RunResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Child {
  readonly pid: number;
  readonly exited: Promise<{ code: number | undefined; signal: string | undefined }>;
  kill(signal: Signal): void;
}

/** A program in the background. */
export interface BackgroundChild extends Child {
  /** The end of what it has written to its standard error; all of that is there once `exited` has resolved. */
  readonly stderr: string;
}

export interface ConverseOptions {
  /** What ends a line, both ways; a newline unless given. */
  readonly end?: "\n" | "\0";
  /** The longest line that it may write, and the most that may wait for it to read, in UTF-16 code units; 4 MB unless given. */
  readonly maxLine?: number;
}

/** A program in the background that reads lines. */
export interface SpokenChild extends BackgroundChild {
  /** Gives it a line, without the newline; nothing happens once it has ended. */
  say(line: string): void;
}

export type Signal = "SIGINT" | "SIGTERM" | "SIGHUP" | "SIGUSR1" | "SIGUSR2" | "SIGKILL";

export interface Processes {
  readonly pid: number;
  /** This process, its parent, and so on up: what `--force` must never kill. */
  ancestors(): Promise<readonly number[]>;
  alive(pid: number): boolean;
  /** A text that tells this process from a later one with the same number; undefined when it is gone or unknowable. */
  startTime(pid: number): Promise<string | undefined>;
  kill(pid: number, signal: Signal): void;
  /** Runs a program to its end. A program that is not there answers code 127. */
  run(command: string, args: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Starts a program that shares this one's terminal. */
  spawn(command: string, args: readonly string[], options?: { env?: Record<string, string | undefined> }): Child;
  /**
   * Starts a program in the background, without a terminal and with nothing to read. It does not outlive this process,
   * however that ends; only on Windows may it, when this process is killed. One that is not there ends with 127.
   */
  start(command: string, args: readonly string[]): BackgroundChild;
  /** Like `start`, for a program that is spoken to in lines; `line` is told of each that it writes. */
  converse?(
    command: string,
    args: readonly string[],
    line: (text: string) => void,
    options?: ConverseOptions,
  ): SpokenChild;
  /** Who listens on a TCP port, by whatever means this system has. */
  listeners(port: number): Promise<readonly PortOwner[]>;
  onSignal(signal: Signal, listener: () => void): () => void;
  /** Hears of an error that nobody caught, a rejection included, in place of the runtime: the listener must end the process. */
  onCrash?(listener: (error: unknown) => void): () => void;
  /** The name that `ps` shows, where the system allows. */
  setTitle(title: string): void;
  /** Resident memory of this process in bytes. */
  memory(): number;
  exit(code: number): never;
}

export interface RunOptions {
  readonly timeoutMs?: number;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly input?: string;
}

export interface Terminal {
  readonly stdout: Output;
  readonly stderr: Output;
  /** True when a person can be asked: both standard input and output are terminals. */
  readonly interactive: boolean;
  /** All of standard input. */
  readInput(): Promise<string>;
  /** Lets a person type lines, with editing and a history; absent where nobody can. Once at a time. */
  editLines?(events: LineEvents): LineEditor;
}

/** What a person does at a line editor. */
export interface LineEvents {
  /** A line was entered, visible or not. */
  line(text: string): void;
  /** Ctrl-C. */
  interrupt(): void;
  /** Ctrl-D on an empty line, or the terminal is gone; nothing comes after it. */
  end(): void;
}

export interface LineEditor {
  /** Shows the prompt, with what was typed while it was hidden. */
  show(prompt: string): void;
  /** Takes prompt and line off the screen, so that something can be written there; what is typed is kept. */
  hide(): void;
  close(): void;
}

export interface Output {
  readonly isTerminal: boolean;
  readonly columns: number;
  /** Never throws: a reader that went away (EPIPE) is ignored. */
  write(text: string): void;
}
