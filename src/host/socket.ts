import { truncateUtf8 } from "../kit/text.ts";

/** A WebSocket, the same object from `open` to `close`, on every runtime (held by test/contract/serve.ts). */
export interface Socket {
  /** Bytes accepted by `send` and not yet handed to the kernel. */
  readonly buffered: number;
  /** Queues one text message. Answers the bytes now buffered, -1 when not open. Never throws, never drops silently. */
  send(text: string): number;
  ping(): void;
  /** Lifts the limit on bytes before authentication (`ServeOptions.maxUntrusted`). */
  trust(): void;
  /** Inbound back-pressure: nothing is read until `resume`. */
  pause(): void;
  resume(): void;
  /** Closing handshake. Clamps code and reason (RFC 6455 5.5, 7.4) and ends in `terminate` when the peer is silent. */
  close(code: number, reason: string): void;
  /** Gone now, whatever was queued included where the runtime can. */
  terminate(): void;
}

/** What a socket does, one call at a time and in order; `close` comes exactly once, and last. */
export interface SocketEvents {
  open(socket: Socket): void;
  /** A text message, or a binary one decoded as UTF-8. */
  message(socket: Socket, text: string): void;
  pong(socket: Socket): void;
  /** Everything that was buffered has gone to the kernel. */
  drain(socket: Socket): void;
  /** 1006 when there was no closing handshake. */
  close(socket: Socket, code: number, reason: string): void;
}

/** What comes beside a request: who connects, and the way to a WebSocket. */
export interface Env {
  readonly peer: { readonly address: string; readonly port: number };
  /** Accepts the upgrade that this request asks for. Return the answer as the response. */
  upgrade(events: SocketEvents): Response;
}

export type Fetch = (request: Request, env: Env) => Response | Promise<Response>;

/** What is served: a gateway, or an app that has one on some of its paths. The limits are in bytes. */
export interface Served {
  readonly fetch: Fetch;
  /** A WebSocket message; what comes over a WebSocket before hello; a request's body. */
  readonly limits: { readonly maxPayload: number; readonly maxUntrusted: number; readonly maxBody: number };
}

/**
 * Whether a request for a WebSocket can be granted (RFC 6455 4.2.1). Adapters refuse any other with 400 before `fetch`
 * sees it: once accepted, a handshake must not fail for what it says.
 */
export function isHandshake(headers: Headers): boolean {
  return (
    /\bupgrade\b/i.test(headers.get("connection") ?? "") &&
    headers.get("sec-websocket-version") === "13" &&
    /^[A-Za-z0-9+/]{22}==$/.test(headers.get("sec-websocket-key") ?? "")
  );
}

/** A close code that may be put on the wire (RFC 6455 7.4); any other becomes 1011. */
export function clampCode(code: number): number {
  const sendable =
    (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code <= 4999);
  return sendable ? code : 1011;
}

/** A close reason that fits a control frame: 125 bytes less the code (RFC 6455 5.5). */
export function clampReason(reason: string): string {
  return truncateUtf8(reason, 123);
}
