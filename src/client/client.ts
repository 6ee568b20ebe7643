import type { DialOptions, Host, Net } from "../host/host.ts";
import type { Socket, SocketEvents } from "../host/socket.ts";
import { Failure } from "../kit/error.ts";
import { uuid } from "../kit/ids.ts";
import { isObject, parseJson, type JsonObject } from "../kit/json.ts";
import { connectParams, type Challenge, type Introduction } from "./introduction.ts";
import { closed, fromWire } from "./failures.ts";
import type { MethodName, ParamsOf, ResultOf } from "./typed.ts";
import { deferred, inTime, type Deferred } from "./wait.ts";

export interface ConnectOptions extends Introduction {
  readonly url: string;
  /** SHA-256 of the server's certificate in hex, for `wss`. */
  readonly fingerprint?: string | undefined;
  /** Shown to a gateway that asks its clients for a certificate. */
  readonly certificate?: DialOptions["certificate"] | undefined;
  /** For the handshake, and the usual patience of a call. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: (event: string, payload: unknown) => void;
  /** Called once when the connection has ended, whoever ended it; not when it never came about. */
  readonly onClose?: (reason: Failure) => void;
}

export interface CallOptions {
  readonly timeoutMs?: number;
  /** Wait for the second answer of a method that first says `accepted` (protocol.md 6.2). */
  readonly expectFinal?: boolean;
  /** Called with that first answer. */
  readonly onAccepted?: (payload: JsonObject) => void;
  readonly signal?: AbortSignal;
}

/** A connection to a gateway, past its hello. Every failure is a Failure; none leaves a call waiting. */
export interface Client {
  readonly hello: Hello;
  call<N extends MethodName>(method: N, params: ParamsOf<N>, options?: CallOptions): Promise<ResultOf<N>>;
  /** A call of a method that this version may not know. */
  request(method: string, params: unknown, options?: CallOptions): Promise<unknown>;
  close(): void;
}

/** What was learnt at hello. `payload` is all of it. */
export interface Hello {
  readonly payload: JsonObject;
  /** From opening the socket to hello-ok, in milliseconds. */
  readonly latencyMs: number;
}

/** What a client needs of where it runs; a Host has it. */
export interface ClientGround extends Pick<Host, "clock" | "os"> {
  readonly net: Pick<Net, "dial">;
}

/** Opens a connection and says hello; rejects with the gateway's own reason when there is one. */
export async function connect(host: ClientGround, given: ConnectOptions): Promise<Client> {
  const started = host.clock.monotonic();
  const waiting = new Map<string, Waiting>();
  const challenge = deferred<Challenge>();
  let socket: Socket | undefined;
  let ended: Failure | undefined;
  let greeted = false;

  const end = (failure: Failure): void => {
    if (ended) return;
    ended = failure;
    challenge.reject(failure);
    for (const { answer } of waiting.values()) answer.reject(failure);
    if (greeted) given.onClose?.(failure);
  };
  const events: SocketEvents = {
    open: () => undefined,
    pong: () => undefined,
    drain: () => undefined,
    message: (_, text) => {
      const frame = parseJson(text);
      if (!isObject(frame)) return;
      if (frame["type"] === "res") settle(waiting, frame);
      if (frame["type"] !== "event" || typeof frame["event"] !== "string") return;
      if (frame["event"] === "connect.challenge") challenge.resolve(challengeOf(frame["payload"], host.clock.now()));
      else given.onEvent?.(frame["event"], frame["payload"]);
    },
    close: (_, code, reason) => end(closed(code, reason)),
  };

  const request: Client["request"] = async (method, params, options = {}) => {
    const { timeoutMs = given.timeoutMs, expectFinal = false, onAccepted, signal = given.signal } = options;
    if (ended) throw ended;
    if (signal?.aborted) throw new Failure("aborted", `interrupted before calling ${method}`);
    const id = uuid();
    const answer = deferred<unknown>();
    waiting.set(id, { answer, expectFinal, onAccepted });
    socket?.send(JSON.stringify({ type: "req", id, method, params }));
    try {
      return await inTime(answer.promise, { clock: host.clock, timeoutMs, signal, what: method });
    } finally {
      waiting.delete(id);
    }
  };
  const close = (): void => {
    end(new Failure("aborted", "the connection was closed by this side"));
    socket?.close(1000, "");
  };

  socket = host.net.dial(given.url, events, {
    timeoutMs: given.timeoutMs,
    maxPayload: maxInbound,
    ...(given.fingerprint === undefined ? {} : { fingerprint: given.fingerprint }),
    ...(given.certificate === undefined ? {} : { certificate: given.certificate }),
  });
  try {
    const { timeoutMs, signal, url } = given;
    const asked = await inTime(challenge.promise, {
      clock: host.clock,
      timeoutMs,
      signal,
      what: `a hello from ${url}`,
    });
    const payload = await request("connect", await connectParams(host, given, asked));
    if (!isObject(payload) || payload["type"] !== "hello-ok")
      throw new Failure("failed", `${url} answered connect with something that is not hello-ok: not a gateway?`);
    greeted = true;
    const latencyMs = Math.round(host.clock.monotonic() - started);
    return { hello: { payload, latencyMs }, call: request as Client["call"], request, close };
  } catch (error) {
    end(Failure.from(error));
    socket.terminate();
    throw error;
  }
}

/** Real clients accept 25 MiB from a gateway (protocol.md 2.6). */
const maxInbound = 26_214_400;

interface Waiting {
  readonly answer: Deferred<unknown>;
  readonly expectFinal: boolean;
  readonly onAccepted: CallOptions["onAccepted"];
}

function settle(waiting: ReadonlyMap<string, Waiting>, { id, ok, payload, error }: JsonObject): void {
  const call = waiting.get(String(id));
  if (!call) return;
  if (ok === true && call.expectFinal && isObject(payload) && payload["status"] === "accepted") {
    call.onAccepted?.(payload);
    return;
  }
  if (ok === true) call.answer.resolve(payload);
  else call.answer.reject(fromWire(error));
}

/** Without a nonce nothing can be signed; a connection without a device needs none. */
function challengeOf(payload: unknown, now: number): Challenge {
  const { nonce, ts }: JsonObject = isObject(payload) ? payload : {};
  return { nonce: typeof nonce === "string" ? nonce : "", ts: Number.isSafeInteger(ts) ? Number(ts) : now };
}
