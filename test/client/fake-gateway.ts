import type { DialOptions } from "../../src/host/host.ts";
import type { Socket, SocketEvents } from "../../src/host/socket.ts";
import type { JsonObject } from "../../src/kit/json.ts";

/** What a fake gateway answers to a method: a payload, or a refusal. */
export type Answer = (params: JsonObject, gateway: FakeGateway) => unknown;

export class Refusal {
  readonly error: JsonObject;
  constructor(error: JsonObject) {
    this.error = error;
  }
}

export interface FakeGatewayOptions {
  readonly methods?: Readonly<Record<string, Answer>>;
  /** Looks at the connect parameters; what it answers replaces hello-ok. */
  readonly connect?: (params: JsonObject) => unknown;
  readonly server?: JsonObject;
  /** Stays silent: no challenge, no answers. */
  readonly silent?: boolean;
}

/** A gateway at the other end of `dial`, scripted, in this process. */
export interface FakeGateway {
  /** One per connection: where it was dialled and what it said in `connect`. */
  readonly connections: { readonly url: string; readonly options: DialOptions; connect?: JsonObject }[];
  /** Every request after the hello, in order. */
  readonly calls: { readonly method: string; readonly params: unknown }[];
  readonly dial: (url: string, events: SocketEvents, options: DialOptions) => Socket;
  /** Sends a frame on the newest connection. */
  send(frame: JsonObject): void;
  /** Ends the newest connection. */
  end(code: number, reason: string): void;
}

export const hello: JsonObject = {
  type: "hello-ok",
  protocol: 4,
  server: { version: "0.1.0", connId: "c1", bootId: "boot-1" },
  features: { methods: ["health"], events: ["tick"] },
  snapshot: { presence: [], health: {}, stateVersion: { presence: 0, health: 0 }, uptimeMs: 65_000 },
  auth: { role: "operator", scopes: ["operator.read"] },
  policy: { maxPayload: 26_214_400, maxBufferedBytes: 52_428_800, tickIntervalMs: 30_000 },
};

export function fakeGateway(options: FakeGatewayOptions = {}): FakeGateway {
  const connections: FakeGateway["connections"] = [];
  const calls: { method: string; params: unknown }[] = [];
  let send: (frame: JsonObject) => void = () => undefined;
  let end: (code: number, reason: string) => void = () => undefined;

  const gateway: FakeGateway = {
    connections,
    calls,
    send: (frame) => send(frame),
    end: (code, reason) => end(code, reason),
    dial(url, events, dialled) {
      const connection: FakeGateway["connections"][number] = { url, options: dialled };
      connections.push(connection);
      let open = true;
      const finish = (code: number, reason: string) => {
        if (!open) return;
        open = false;
        queueMicrotask(() => events.close(socket, code, reason));
      };
      const reply = (frame: JsonObject) => queueMicrotask(() => open && events.message(socket, JSON.stringify(frame)));
      const answer = (id: unknown, outcome: unknown) => {
        if (outcome === undefined) return;
        if (outcome instanceof Refusal) reply({ type: "res", id, ok: false, error: outcome.error });
        else reply({ type: "res", id, ok: true, payload: outcome });
      };
      const socket: Socket = {
        buffered: 0,
        send(text) {
          const { id, method, params } = JSON.parse(text) as { id: string; method: string; params: JsonObject };
          if (method === "connect") {
            connection.connect = params;
            answer(
              id,
              options.connect?.(params) ?? {
                ...hello,
                server: { ...(hello["server"] as JsonObject), ...options.server },
              },
            );
            return 0;
          }
          calls.push({ method, params });
          const known = options.methods?.[method];
          const unknown = new Refusal({ code: "INVALID_REQUEST", message: `unknown method: ${method}` });
          answer(
            id,
            known
              ? known(params, { ...gateway, send: (frame) => reply({ ...frame, id: frame["id"] ?? id }) })
              : unknown,
          );
          return 0;
        },
        ping: () => undefined,
        trust: () => undefined,
        pause: () => undefined,
        resume: () => undefined,
        close: (code, reason) => finish(code, reason),
        terminate: () => finish(1006, ""),
      };
      send = reply;
      end = finish;
      queueMicrotask(() => {
        events.open(socket);
        if (!options.silent)
          reply({ type: "event", event: "connect.challenge", payload: { nonce: "n1", ts: 1_795_225_078_057 } });
      });
      return socket;
    },
  };
  return gateway;
}
