import { WebSocket } from "ws";

/** A client that does no more than the protocol asks: for load, and for processes that are killed under it. */
export interface RpcClient {
  /** Rejects with the error's message, or with `closed` when the connection ended before the answer. */
  call(method: string, params?: object): Promise<unknown>;
  onEvent(listener: (event: string, payload: RpcPayload) => void): void;
  readonly closed: Promise<void>;
  close(): void;
}

// eslint-disable-next-line typescript/no-explicit-any -- payloads are read by path in assertions
export type RpcPayload = any;

/** Connects and says hello as an operator with all scopes. */
export async function openRpc(url: string, hello: object = {}): Promise<RpcClient> {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  const waiting = new Map<string, { resolve: (payload: unknown) => void; reject: (error: Error) => void }>();
  const listeners: ((event: string, payload: RpcPayload) => void)[] = [];
  let ids = 0;
  const closed = new Promise<void>((resolve) => {
    socket.on("close", () => {
      for (const { reject } of waiting.values()) reject(new Error("closed"));
      waiting.clear();
      resolve();
    });
  });
  const opened = new Promise<void>((resolve, reject) => {
    socket.on("error", reject);
    socket.on("open", () => resolve());
  });
  socket.on("message", (data: Buffer) => {
    const frame = JSON.parse(data.toString());
    if (frame.type === "event") return listeners.forEach((listener) => listener(frame.event, frame.payload));
    // The first of two answers only says that the request was accepted.
    if (frame.payload?.status === "accepted") return;
    const call = waiting.get(frame.id);
    waiting.delete(frame.id);
    if (frame.ok) call?.resolve(frame.payload);
    else call?.reject(new Error(frame.error?.message ?? "refused"));
  });
  await opened;
  const client: RpcClient = {
    closed,
    call(method, params = {}) {
      const id = String(++ids);
      return new Promise((resolve, reject) => {
        if (socket.readyState !== WebSocket.OPEN) return reject(new Error("closed"));
        waiting.set(id, { resolve, reject });
        socket.send(JSON.stringify({ type: "req", id, method, params }));
      });
    },
    onEvent: (listener) => void listeners.push(listener),
    close: () => socket.close(),
  };
  await client.call("connect", {
    minProtocol: 4,
    maxProtocol: 4,
    client: { id: "gateway-client", version: "1.0.0", platform: "linux", mode: "backend" },
    role: "operator",
    scopes: ["operator.admin", "operator.read", "operator.write"],
    caps: [],
    ...hello,
  });
  return client;
}
