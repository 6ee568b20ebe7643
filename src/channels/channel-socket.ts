import type { SocketEvents } from "../host/socket.ts";
import { Failure } from "../kit/error.ts";
import { stopped } from "../kit/stream.ts";
import type { ChannelContext } from "./channel.ts";

/** A WebSocket to a network. */
export interface Line {
  /** Resolves when the network ended it in order, or we did; rejects when it broke, or a message could not be taken. */
  readonly ended: Promise<void>;
  /** False when it no longer stands. */
  say(text: string): boolean;
  close(): void;
}

export interface LineOptions {
  /** Who is called, for messages. */
  readonly label: string;
  /** May hold a token, and is therefore not shown. */
  readonly url: string;
  readonly signal: AbortSignal;
  readonly opened?: (line: Line) => void;
  /**
   * Takes one message, one at a time and in order; `at` is when it came, by the monotonic clock. What it rejects with is
   * the end of the connection.
   */
  readonly heard: (text: string, line: Line, at: number) => Promise<void> | void;
  /** What a close code means that says more than that it is over. */
  readonly reason?: (code: number, reason: string) => Failure | undefined;
  /** The close code when we end it; 1000 unless given. */
  readonly goodbye?: number;
}

const MAX_PAYLOAD = 4 * 1024 * 1024;
/** A network that is silent is asked whether it is there; unless it answers until the next time, it is not. */
const PING_MS = 30_000;
/** More that waits to be taken stops the reading. */
const MAX_WAITING = 50;

/** Calls a network over a WebSocket, and finds out when it is gone. */
export function openLine({ net, clock }: Pick<ChannelContext, "net" | "clock">, options: LineOptions): Line {
  const { label, url, signal, heard } = options;
  if (!net.dial)
    throw new Failure("config", `${label} needs WebSockets, which there are none of where this gateway runs`);
  if (signal.aborted) throw stopped(signal);
  const settled = outcome();
  let taken = Promise.resolve();
  let waiting = 0;
  let alive = true;
  let over = false;

  const finish = (failure?: Failure): void => {
    if (over) return;
    over = true;
    stopPings();
    signal.removeEventListener("abort", close);
    if (failure) settled.reject(failure);
    else settled.resolve();
  };
  const close = (): void => {
    socket.close(options.goodbye ?? 1000, "");
    finish(signal.aborted ? stopped(signal) : undefined);
  };
  const fail = (error: unknown): void => {
    socket.close(1011, "");
    finish(Failure.from(error));
  };
  const take = async (text: string, at: number): Promise<void> => {
    if (!over) await heard(text, line, at);
    if (--waiting < MAX_WAITING) socket.resume();
  };
  const line: Line = {
    ended: settled.promise,
    say: (text) => !over && socket.send(text) >= 0,
    close,
  };
  const events: SocketEvents = {
    open: () => options.opened?.(line),
    message(_, text) {
      alive = true;
      if (++waiting >= MAX_WAITING) socket.pause();
      const at = clock.monotonic();
      taken = taken.then(() => take(text, at)).catch(fail);
    },
    pong: () => void (alive = true),
    drain: () => undefined,
    close(_, code, reason) {
      const broken =
        code === 1000 || code === 1001 ? undefined : new Failure("unavailable", broke(label, code, reason));
      // What came before the end is taken before it: the network may not send it again.
      void taken.then(() => finish(options.reason?.(code, reason) ?? broken));
    },
  };
  const stopPings = clock.every(PING_MS, () => {
    if (!alive) {
      socket.terminate();
      return finish(new Failure("unavailable", `${label} has been silent for ${PING_MS / 1000} seconds`));
    }
    alive = false;
    socket.ping();
  });
  const socket = net.dial(url, events, { maxPayload: MAX_PAYLOAD });
  signal.addEventListener("abort", close, { once: true });
  return line;
}

function broke(label: string, code: number, reason: string): string {
  const words = reason === "" ? "" : `: ${reason.slice(0, 100)}`;
  return `the connection to ${label} broke (${code}${words})`;
}

function outcome(): { promise: Promise<void>; resolve: () => void; reject: (failure: Failure) => void } {
  let [resolve, reject]: [() => void, (failure: Failure) => void] = [() => undefined, () => undefined];
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  // Who awaits it hears of it; nobody has to.
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}
