import { webClock } from "../host/web-clock.ts";
import { dialOverWeb, type WebSocketLike } from "../host/web-socket.ts";
import { Failure } from "../kit/error.ts";
import { type Client, connect as connectOver, type ConnectOptions } from "./client.ts";

export type { CallOptions, Client, Hello } from "./client.ts";
export type { Introduction } from "./introduction.ts";
export type { MethodName, ParamsOf, ResultOf } from "./typed.ts";
export type { Identity } from "../pairing/identity.ts";
export { Failure };

/** How to reach a gateway from a browser, or any other runtime with the web's WebSocket. */
export interface WebConnectOptions extends Omit<ConnectOptions, "timeoutMs" | "fingerprint" | "certificate"> {
  /** For the handshake, and the usual patience of a call; 10 seconds unless given. */
  readonly timeoutMs?: number;
  /** The class to connect with, where the runtime has none of its own (Node 20). */
  readonly WebSocket?: new (url: string) => WebSocketLike;
}

/** Connects to a gateway and says hello. Every failure is a Failure with a code, the gateway's own reason included. */
export function connect({ WebSocket: given, ...options }: WebConnectOptions): Promise<Client> {
  const create = given ?? own();
  if (!create)
    throw new Failure("unavailable", "this runtime has no WebSocket: give a class of that kind as `WebSocket`");
  const net = { dial: dialOverWeb(create, webClock) };
  return connectOver({ clock: webClock, os: "none", net }, { timeoutMs: 10_000, ...options });
}

function own(): WebConnectOptions["WebSocket"] {
  return "WebSocket" in globalThis ? WebSocket : undefined;
}
