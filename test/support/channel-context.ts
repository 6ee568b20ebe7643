import type { ChannelContext, ConnectionState, Inbound } from "../../src/channels/channel.ts";
import type { ByteStream, ByteStreamEvents, ConnectOptions } from "../../src/host/byte-stream.ts";
import type { DialOptions } from "../../src/host/host.ts";
import { linkedSockets } from "../../src/host/linked.ts";
import type { Socket, SocketEvents } from "../../src/host/socket.ts";
import { createLogger, type LogRecord } from "../../src/kit/log.ts";
import { createFakeClock, type FakeClock } from "./fake-clock.ts";

/** A context for one account of a chat network, whose other end is the test. */
export interface ScriptedContext {
  readonly context: ChannelContext;
  readonly clock: FakeClock;
  /** What was taken in, in order. */
  readonly received: Inbound[];
  /** How the account said it fares, in order. */
  readonly states: ConnectionState[];
  readonly kept: Map<string, string>;
  readonly log: LogRecord[];
  /** HTTP requests that were made, in order, with their bodies read. */
  readonly requests: SentRequest[];
  /** What `receive` does from now on: a Failure is what it rejects with. */
  refuse(error: Error | undefined): void;
  /** Ends the account as the gateway does. */
  end(): void;
}

export interface SentRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly body: Uint8Array;
  /** The body as text, and as JSON where it is some. */
  readonly text: string;
  // eslint-disable-next-line typescript/no-explicit-any -- read by path in assertions
  readonly json: any;
}

export interface ContextOptions {
  /** The network's HTTP side. It may throw what `fetch` throws when a connection breaks (a TypeError). */
  readonly answer?: (request: SentRequest, signal: AbortSignal | null) => Response | Promise<Response>;
  /** The network's side of a WebSocket that was dialled; throwing refuses it. */
  readonly dialled?: (url: URL, options: DialOptions) => SocketEvents;
  /** The network's side of a TCP connection; throwing refuses it. `reply` is what the account hears from it. */
  readonly connected?: (options: ConnectOptions, reply: ByteStreamEvents & { stream: ByteStream }) => ByteStream;
  readonly processes?: ChannelContext["processes"];
  readonly accountId?: string;
  readonly kept?: Readonly<Record<string, string>>;
}

export function scriptedContext(options: ContextOptions = {}): ScriptedContext {
  const clock = createFakeClock();
  const [received, states, log, requests]: [Inbound[], ConnectionState[], LogRecord[], SentRequest[]] = [
    [],
    [],
    [],
    [],
  ];
  const kept = new Map(Object.entries(options.kept ?? {}));
  const ending = new AbortController();
  let refusal: Error | undefined;
  const { answer, dialled, connected } = options;

  async function fetching(input: URL | RequestInfo, init?: RequestInit): Promise<Response> {
    const request = new Request(input, init);
    // Before the body: read after it, Bun forgets which type a FormData made.
    const headers = new Headers(request.headers);
    const body = new Uint8Array(await request.arrayBuffer());
    const text = new TextDecoder().decode(body);
    const sent = { method: request.method, url: new URL(request.url), headers, body, text };
    const known: SentRequest = { ...sent, json: parsed(text) };
    requests.push(known);
    if (!answer) throw new TypeError(`nobody answers ${request.method} ${request.url}`);
    return new Promise<Response>((resolve, reject) => {
      const stop = (): void => reject(init?.signal?.reason);
      if (init?.signal?.aborted) return stop();
      init?.signal?.addEventListener("abort", stop, { once: true });
      Promise.resolve()
        .then(() => answer(known, init?.signal ?? null))
        .then(resolve, reject);
    });
  }

  function dial(url: string, events: SocketEvents, given: DialOptions = {}): Socket {
    const [near, far] = linkedSockets();
    near.attach(events);
    try {
      if (!dialled) throw new Error("nobody is there");
      far.attach(dialled(new URL(url), given));
    } catch (error) {
      far.socket.close(1013, String(error));
    }
    return near.socket;
  }

  function connect(to: ConnectOptions, events: ByteStreamEvents): ByteStream {
    let far: ByteStream | undefined;
    let closed = false;
    const over = (why: string | undefined): void => {
      if (closed) return;
      closed = true;
      events.close(stream, why);
    };
    const stream: ByteStream = {
      write: (data) => void (closed || far?.write(data)),
      close: () => {
        far?.close();
        queueMicrotask(() => over(undefined));
      },
    };
    queueMicrotask(() => {
      try {
        if (!connected) throw new Error("connection refused");
        far = connected(to, {
          stream,
          open: () => void (closed || events.open(stream)),
          data: (_, bytes) => void (closed || events.data(stream, bytes)),
          close: (_, why) => over(why),
        });
      } catch (error) {
        over(String(error));
      }
    });
    return stream;
  }

  return {
    clock,
    received,
    states,
    kept,
    log,
    requests,
    refuse: (error) => void (refusal = error),
    end: () => ending.abort(),
    context: {
      accountId: options.accountId ?? "default",
      signal: ending.signal,
      clock,
      log: createLogger(() => clock.now(), [(record) => void log.push(record)]),
      fetch: fetching as typeof fetch,
      random: () => 0.5,
      net: { dial, connect },
      processes: options.processes,
      kept: {
        read: async (name) => kept.get(name),
        async write(name, text) {
          if (text === undefined) kept.delete(name);
          else kept.set(name, text);
        },
      },
      async receive(message) {
        if (refusal) throw refusal;
        received.push(message);
      },
      status: (state) => void states.push(state),
    },
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not every body is JSON: `text` has it.
    return undefined;
  }
}
