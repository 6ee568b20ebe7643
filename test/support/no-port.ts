import { startGatewayServer, type Gateway } from "../../src/boot.ts";
import { decideExposure } from "../../src/gateway/exposure.ts";
import type { Whois } from "../../src/tailscale/whois.ts";
import type { SafeMode } from "../../src/gateway/starts.ts";
import { flavours } from "../../src/host/flavour.ts";
import { pathsOf } from "../../src/host/paths.ts";
import type { Socket, SocketEvents } from "../../src/host/socket.ts";
import { createLogger, type LogRecord } from "../../src/kit/log.ts";
import { scriptedConfig, type ScriptedConfig } from "./app.ts";
import { scriptedHost, type ScriptedHost } from "./host.ts";

export interface NoPort {
  readonly host: ScriptedHost;
  readonly config: ScriptedConfig;
  readonly gateway: Gateway;
  request(path: string, init?: RequestInit, peer?: string): Promise<Response>;
  /** Opens a WebSocket; undefined in `client` when the upgrade was refused. */
  upgrade(
    headers?: Readonly<Record<string, string>>,
    peer?: string,
  ): Promise<{ client?: FakeClient; response: Response }>;
  /** A client that is past its hello with these scopes. */
  connected(scopes: readonly string[], client?: Readonly<Record<string, string>>): Promise<FakeClient>;
}

/** The other end of a socket that exists only in the test. */
export interface FakeClient {
  readonly frames: Frame[];
  closed: { code: number; reason: string } | undefined;
  readonly terminated: boolean;
  readonly paused: boolean;
  readonly pings: number;
  /** Bytes that the gateway is told are not yet gone. */
  backlog: number;
  send(frame: unknown): void;
  sendText(text: string): void;
  pong(): void;
  drain(): void;
  /** Lets pending promises settle, then answers the response of this id. */
  answer(id: string): Promise<Frame>;
  events(name: string): readonly Frame[];
}

// eslint-disable-next-line typescript/no-explicit-any -- frames are read by path in assertions
export type Frame = any;

/** A whole gateway on a machine that exists only in the test. */
export async function openWithoutPort(
  options: { config?: unknown; safeMode?: SafeMode; whois?: Whois; records?: LogRecord[] } = {},
): Promise<NoPort> {
  const host = scriptedHost();
  const config = scriptedConfig(options.config ?? { gateway: { mode: "local" } });
  const gateway = await startGatewayServer({
    host,
    flavour: flavours.openclaw,
    paths: pathsOf(host, flavours.openclaw, ""),
    config,
    log: createLogger(() => host.clock.now(), [(record) => void options.records?.push(record)]),
    port: () => 18_789,
    safeMode: () => options.safeMode,
    leaveSafeMode: async () => undefined,
    expose: () =>
      decideExposure({
        flags: {},
        environment: {},
        config: config.current().value.gateway,
        interfaces: host.net.interfaces(),
        envPrefix: "OPENCLAW_",
      }),
    encrypt: async () => undefined,
    verbose: false,
    wsLog: "auto",
    owner: () => undefined,
    tailnet: options.whois && { whois: options.whois, name: () => "box.tail1234.ts.net", watch: () => () => undefined },
    onRestartRequest: () => undefined,
  });
  return reachWithoutPort({ host, config, gateway });
}

/** The way into a gateway that was opened on a scripted host. */
export function reachWithoutPort<T extends Pick<NoPort, "host" | "gateway">>(
  opened: T,
): T & Pick<NoPort, "request" | "upgrade" | "connected"> {
  const { host } = opened;
  const fetch = (request: Request, env: Parameters<(typeof host.net.servers)[number]["fetch"]>[1]) => {
    const server = host.net.servers.findLast((each) => each.open);
    if (!server) throw new Error("the gateway does not listen");
    return server.fetch(request, env);
  };
  const self: T & Pick<NoPort, "request" | "upgrade" | "connected"> = {
    ...opened,
    request: async (path, init = {}, peer = "127.0.0.1") => {
      const headers = new Headers(init.headers);
      if (!headers.has("host")) headers.set("host", "127.0.0.1:18789");
      return fetch(new Request(`http://127.0.0.1:18789${path}`, { ...init, headers }), {
        peer: { address: peer, port: 50_000 },
        upgrade: () => new Response(null, { status: 426 }),
      });
    },
    async upgrade(headers = {}, peer = "127.0.0.1") {
      let client: FakeClient | undefined;
      const request = new Request("http://127.0.0.1:18789/", {
        headers: { host: "127.0.0.1:18789", upgrade: "websocket", connection: "upgrade", ...headers },
      });
      const response = await fetch(request, {
        peer: { address: peer, port: 50_000 },
        upgrade(events) {
          client = fakeClient(events, () => host.clock.advance(0));
          return new Response(null);
        },
      });
      return client ? { client, response } : { response };
    },
    async connected(scopes, who = { id: "cli", mode: "cli" }) {
      const { client, response } = await self.upgrade();
      if (!client) throw new Error(`refused: ${await response.text()}`);
      client.send(connectFrame({ scopes, client: who }));
      const hello = await client.answer("c");
      if (!hello.ok) throw new Error(JSON.stringify(hello));
      return client;
    },
  };
  return self;
}

export function connectFrame({ scopes = ["operator.read"], client = {}, ...params }: Frame = {}): Frame {
  const known = { id: "cli", version: "1.0", platform: "linux", mode: "cli", ...client };
  return {
    type: "req",
    id: "c",
    method: "connect",
    params: { minProtocol: 4, maxProtocol: 4, client: known, scopes, ...params },
  };
}

function fakeClient(events: SocketEvents, settle: () => Promise<void>): FakeClient {
  const frames: Frame[] = [];
  const state = { closed: undefined as FakeClient["closed"], terminated: false, paused: false, pings: 0, backlog: 0 };
  const gone = (code: number, reason: string): void => {
    if (state.closed) return;
    state.closed = { code, reason };
    events.close(socket, code, reason);
  };
  const socket: Socket = {
    get buffered() {
      return state.backlog;
    },
    send(text) {
      if (state.closed) return -1;
      frames.push(JSON.parse(text));
      return state.backlog;
    },
    ping: () => void state.pings++,
    trust: () => undefined,
    pause: () => void (state.paused = true),
    resume: () => void (state.paused = false),
    close: gone,
    terminate() {
      state.terminated = true;
      gone(1006, "");
    },
  };
  const client: FakeClient = {
    frames,
    get closed() {
      return state.closed;
    },
    get terminated() {
      return state.terminated;
    },
    get paused() {
      return state.paused;
    },
    get pings() {
      return state.pings;
    },
    get backlog() {
      return state.backlog;
    },
    set backlog(bytes) {
      state.backlog = bytes;
    },
    send: (frame) => events.message(socket, JSON.stringify(frame)),
    sendText: (text) => events.message(socket, text),
    pong: () => events.pong(socket),
    drain: () => events.drain(socket),
    async answer(id) {
      for (let turn = 0; turn < 200; turn++) {
        const found = frames.find((frame) => frame.type === "res" && frame.id === id);
        if (found) return found;
        await settle();
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      throw new Error(`no answer to ${id}: ${JSON.stringify(frames).slice(0, 500)}`);
    },
    events: (name) => frames.filter((frame) => frame.type === "event" && frame.event === name),
  };
  events.open(socket);
  return client;
}
