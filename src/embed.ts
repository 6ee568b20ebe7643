import { type Client, connect } from "./client/client.ts";
import { openGivenConfig } from "./config/given.ts";
import { assemble } from "./gateway/assembly.ts";
import type { Config } from "./config/schema.ts";
import { decideExposure, type Exposure, type Refusal } from "./gateway/exposure.ts";
import { createWireLog } from "./gateway/wire-log.ts";
import { flavours } from "./host/flavour.ts";
import type { Clock, Surroundings } from "./host/host.ts";
import { linkedSockets } from "./host/linked.ts";
import type { PageFiles } from "./host/page.ts";
import { pathsOf } from "./host/paths.ts";
import type { Env, Fetch, Served, SocketEvents } from "./host/socket.ts";
import { dialOverWeb } from "./host/web-socket.ts";
import { webClock } from "./host/web-clock.ts";
import { Failure } from "./kit/error.ts";
import { createLogger, type LogRecord } from "./kit/log.ts";
import { scopes } from "./protocol/scope.ts";
import { limits } from "./protocol/version.ts";
import { createMemoryLogs } from "./store/memory-log.ts";
import { createMemoryStore } from "./store/memory.ts";
import type { Logs } from "./store/log.ts";
import type { Store } from "./store/store.ts";

export type { CallOptions, Client, Hello } from "./client/client.ts";
export type { MethodName, ParamsOf, ResultOf } from "./client/typed.ts";
export type { Clock } from "./host/host.ts";
export type { Env, Fetch, Served, Socket, SocketEvents } from "./host/socket.ts";
export type { Code } from "./kit/error.ts";
export type { LogRecord } from "./kit/log.ts";
export type { Log, Logs } from "./store/log.ts";
export type { Store } from "./store/store.ts";
export { createMemoryLogs, createMemoryStore, Failure };

export interface GatewayOptions {
  /**
   * What `openclaw.json` would hold, as a value; `${NAME}` stands for a variable of `env`. `gateway.auth` must say how
   * callers prove themselves: who can reach a part of another program is not known here.
   */
  readonly config: Readonly<Record<string, unknown>>;
  /**
   * Documents: devices, tokens, the gateway's key. A promise that it resolves means that the text is where no crash
   * takes it: on that every acknowledgement rests. In memory, and gone with the process, unless given. One gateway only
   * may write to it.
   */
  readonly store?: Store;
  /** Append-only lines: conversations, the journal, usage. The same promise, and the same default. */
  readonly logs?: Logs;
  /** Variables for `config` and for the keys of model providers (`ANTHROPIC_API_KEY`). The process's own are not read. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** What models and chat networks are asked through; the runtime's own unless given. */
  readonly fetch?: typeof fetch;
  readonly clock?: Clock;
  /** Told of everything that is worth a line, without secrets; nobody is unless given. */
  readonly log?: (record: LogRecord) => void;
  /** What clients are told as the gateway's host; requests from this machine may name it. */
  readonly hostname?: string;
  /** The web page, by the names of its files: what `dist/page` of this package holds. None unless given. */
  readonly page?: PageFiles;
}

/** A gateway as a part of another program. It listens nowhere, hears no signal, and ends nothing but itself. */
export interface EmbeddedGateway {
  /**
   * Answers a request, on whatever path the program gives it. `env` says who sends it and upgrades it to a WebSocket;
   * `clawlet/node`, `/bun`, `/deno` and `/workerd` make it. Without, the caller is unknown, and nothing is upgraded.
   */
  fetch(request: Request, env?: Env): Promise<Response>;
  /** What whoever serves it holds callers to, in bytes. */
  readonly limits: Served["limits"];
  /** A client within this process, with every right: for the program itself, such as to approve devices. */
  connect(options?: { onEvent?: (event: string, payload: unknown) => void }): Promise<Client>;
  /** Puts another configuration into force. One with mistakes rejects, and the old one stays. */
  configure(config: GatewayOptions["config"]): Promise<void>;
  /**
   * Lets running turns end for `graceMs` (1 second unless given), tells every client, closes every socket. What did not
   * end goes on when a gateway is created over the same store and logs.
   */
  close(options?: { graceMs?: number }): Promise<void>;
}

/** Creates a gateway that is given its requests. Two in one process know nothing of each other. */
export async function createGateway(options: GatewayOptions): Promise<EmbeddedGateway> {
  const { maxPayload, maxUntrusted, maxBody } = limits;
  const { clock = webClock, env = {}, log: tell } = options;
  const host = surroundings(options, clock);
  const flavour = flavours.openclaw;
  const paths = pathsOf(host, flavour, "");
  const log = createLogger(() => clock.now(), tell ? [tell] : []);
  const config = await openGivenConfig(options.config, { env, paths, log });
  const { unknownKeys } = config.current();
  if (unknownKeys.length > 0) log.warn("the configuration has keys that are not known", { keys: unknownKeys.join() });
  const expose = () => exposureOf(config.current().value);
  const exposure = allowed(expose());
  const assembly = await assemble({
    host,
    flavour,
    paths,
    config,
    log,
    exposure,
    expose,
    port: 0,
    pid: 0,
    // Called as a method of something else, browsers' and workerd's own refuses.
    fetch: options.fetch ?? fetch.bind(globalThis),
    wire: createWireLog(log, () => clock.monotonic(), { verbose: false, style: "auto" }),
    storage: () => ({ store: options.store ?? createMemoryStore(), logs: options.logs ?? createMemoryLogs() }),
    owner: () => undefined,
  });
  assembly.start(0);
  let answer: Fetch = assembly.fetch;
  let closing: Promise<void> | undefined;

  async function end(graceMs: number): Promise<void> {
    const late = new AbortController();
    const stop = clock.after(graceMs, () => late.abort());
    await assembly.windDown(late.signal);
    stop();
    await assembly.close("gateway closing", { silence: async () => void (answer = gone) });
  }

  return {
    limits: { maxPayload, maxUntrusted, maxBody },
    fetch: async (request, given = nobody) => answer(request, given),
    connect: async ({ onEvent } = {}) => {
      const { authMode, token, password } = allowed(expose());
      const net = { dial: dialWithin((request, given) => answer(request, given)) };
      const client = { id: "gateway-client", mode: "backend" };
      const secret = authMode === "token" ? { token } : { password };
      const own = { url: "ws://localhost/", client, scopes, ...secret, timeoutMs: 10_000 };
      return connect({ clock, os: host.os, net }, { ...own, ...(onEvent ? { onEvent } : {}) });
    },
    async configure(next) {
      await config.become(next, (value) => void allowed(exposureOf(value)));
      await assembly.refresh("channels");
    },
    close: ({ graceMs = 1000 } = {}) => (closing ??= end(graceMs)),
  };
}

/** Where a part of another program runs, as far as it is told. */
function surroundings({ env = {}, hostname = "localhost", page }: GatewayOptions, clock: Clock): Surroundings {
  const runtime = runtimeVersion();
  const place = { os: "none", osVersion: runtime, hostname, home: "/", cwd: "/" } as const;
  const net = "WebSocket" in globalThis ? { interfaces: () => [], dial: dialOverWeb(WebSocket, clock) } : undefined;
  return { runtimeVersion: runtime, ...place, env, name, clock, net, ...(page ? { page: async () => page } : {}) };
}

/** How messages for people call the command line. */
const name = "clawlet";

/** As `bun 1.4.5`, from what the runtime calls itself (`Bun/1.4.5`); Node 20 and browsers say nothing that is of use. */
function runtimeVersion(): string {
  const agent = "navigator" in globalThis ? navigator.userAgent : undefined;
  const [, product = "embedded", version = ""] = /^([\w.-]+)(?:\/(\S+))?$/.exec(agent ?? "") ?? [];
  return `${product.toLowerCase()} ${version}`.trim();
}

/** As beyond loopback, whatever `gateway.bind` says: nothing is known of who gets here, so nobody is let in unproved. */
function exposureOf({ gateway }: Config): Exposure | Refusal {
  const { mode, token, password } = gateway.auth;
  if (mode === "none" || (mode === undefined && !token && !password))
    return { lines: ["gateway.auth gives no secret: set gateway.auth.token, or gateway.auth.password"], exit: 78 };
  const flags = { bind: "lan", tailscale: "off" } as const;
  return decideExposure({ flags, environment: {}, config: gateway, interfaces: [], envPrefix: "OPENCLAW_" });
}

function allowed(decision: Exposure | Refusal): Exposure {
  if ("lines" in decision) throw new Failure("config", decision.lines.join(" "));
  return decision;
}

const nobody: Env = {
  peer: { address: "", port: 0 },
  upgrade: () => new Response("Upgrade Required", { status: 426, headers: { upgrade: "websocket" } }),
};

function gone(): Response {
  const error = { message: "the gateway is closed", type: "closed" };
  return Response.json({ error }, { status: 503, headers: { "cache-control": "no-store" } });
}

/** Opens WebSockets to a gateway in this process, past every network. */
function dialWithin(answer: Fetch) {
  return (url: string, events: SocketEvents) => {
    const [near, far] = linkedSockets();
    const refuse = (error: unknown): void => {
      near.attach(events);
      far.socket.close(1013, Failure.from(error).message);
    };
    const headers = { host: new URL(url).host, connection: "upgrade", upgrade: "websocket" };
    const request = new Request(url.replace(/^ws/, "http"), { headers });
    const peer = { address: "127.0.0.1", port: 0 };
    const upgrade = (inside: SocketEvents): Response => {
      far.attach(inside);
      near.attach(events);
      return new Response(null);
    };
    Promise.resolve(answer(request, { peer, upgrade })).then(async (response) => {
      if (!response.ok) refuse(new Failure("unavailable", await response.text()));
    }, refuse);
    return near.socket;
  };
}
