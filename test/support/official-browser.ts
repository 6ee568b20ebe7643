import { buildDeviceAuthPayloadV3, GatewayProtocolClient } from "@openclaw/gateway-client/browser";
import { WebSocket } from "ws";
import { loadIdentity } from "../../src/pairing/identity.ts";
import { createMemoryStore } from "../../src/store/memory.ts";

/** The official client's browser entry, connected as a page is that was loaded from elsewhere. */
export interface BrowserClient {
  readonly client: GatewayProtocolClient<object>;
  readonly hello: unknown;
  readonly events: { event: string; payload?: unknown }[];
}

export type BrowserIdentity = Awaited<ReturnType<typeof loadIdentity>>;

/** Connects with the token and the device; rejects with the gateway's reason. */
export function connectBrowser(
  url: string,
  { origin, token, identity }: { origin: string; token: string; identity: BrowserIdentity },
): Promise<BrowserClient> {
  const who = { id: "webchat-ui", version: "1.0.0", platform: "web", mode: "webchat" };
  const scopes = ["operator.read", "operator.write"];
  const events: BrowserClient["events"] = [];
  return new Promise((resolve, reject) => {
    const client = new GatewayProtocolClient<object>({
      createSocket(handlers) {
        // Node 20 has no WebSocket of its own; pages have the same surface.
        const socket = new WebSocket(url, { origin });
        socket.on("open", () => handlers.open());
        socket.on("message", (data: Buffer) => handlers.message(data.toString("utf8")));
        socket.on("close", (code, reason) => handlers.close(code, reason.toString("utf8")));
        socket.on("error", (error) => handlers.error(error));
        return {
          isOpen: () => socket.readyState === WebSocket.OPEN,
          send: (data) => socket.send(data),
          close: (code, reason) => socket.close(code, reason),
        };
      },
      createRequestId: () => crypto.randomUUID(),
      async buildConnectPlan({ nonce: asked, challengeTs }) {
        const [nonce, signedAt] = [asked ?? "", challengeTs ?? Date.now()];
        const { deviceId, publicKey } = identity;
        const { id: clientId, mode: clientMode, platform } = who;
        const claims = { clientId, clientMode, role: "operator", scopes, token, nonce, signedAtMs: signedAt };
        const signature = await identity.sign(buildDeviceAuthPayloadV3({ deviceId, ...claims, platform }));
        const device = { id: deviceId, publicKey, signature, signedAt, nonce };
        return { minProtocol: 4, maxProtocol: 4, client: who, role: "operator", scopes, auth: { token }, device };
      },
      buildConnectParams: (plan) => plan,
      onHello: (hello) => resolve({ client, hello, events }),
      onConnectFailure: (error) => {
        reject(error);
        return { closeCode: 1000, closeReason: "refused", stop: true };
      },
      resolveClose: () => ({ retry: false, notify: true }),
      onClose: ({ code, reason }) => reject(new Error(`closed ${code} ${reason}`)),
      onEvent: (event) => void events.push(event),
      handshake: { mode: "require-challenge", timeoutMs: 10_000 },
      reconnect: { initialMs: 100, multiplier: 2, maxMs: 1000 },
    });
    client.start();
  });
}

/** A page's key, as it would keep in IndexedDB. */
export function browserIdentity(): Promise<BrowserIdentity> {
  return loadIdentity(createMemoryStore());
}
