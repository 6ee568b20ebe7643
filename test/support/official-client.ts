import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { GatewayClient } from "@openclaw/gateway-client";
import { atEnd } from "./launch.ts";

type Options = ConstructorParameters<typeof GatewayClient>[0];
type Hello = Parameters<NonNullable<Options["onHelloOk"]>>[0];

export interface DeviceKeys {
  readonly deviceId: string;
  readonly publicKeyPem: string;
  readonly privateKeyPem: string;
}

/** Where the official client keeps device tokens, by role. */
export type TokenShelf = Map<string, { token: string; scopes: string[] }>;

export interface Connected {
  readonly client: GatewayClient;
  readonly hello: Hello;
  readonly events: { event: string; payload?: unknown; seq?: number }[];
  /** Resolves when the socket closes. */
  readonly closed: Promise<{ code: number; reason: string }>;
  stop(): Promise<void>;
}

export function makeDevice(): DeviceKeys {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const publicKeyPem = publicKey.export({ type: "spki", format: "pem" }).toString();
  const privateKeyPem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  return {
    deviceId: createHash("sha256").update(rawPublicKey(publicKeyPem)).digest("hex"),
    publicKeyPem,
    privateKeyPem,
  };
}

/** Connects the official client; rejects when the gateway refuses it. */
export function connectOfficial(options: Options & { device?: DeviceKeys; shelf?: TokenShelf }): Promise<Connected> {
  const { device, shelf = new Map(), ...rest } = options;
  const events: Connected["events"] = [];
  let wasIn = false;
  return new Promise((resolve, reject) => {
    let closedWith: (value: { code: number; reason: string }) => void;
    const closed = new Promise<{ code: number; reason: string }>((done) => (closedWith = done));
    const client = new GatewayClient({
      clientVersion: "1.0.0",
      platform: "linux",
      deviceIdentity: device ?? null,
      hostDeps: {
        signDevicePayload: (pem, payload) =>
          sign(null, Buffer.from(payload), createPrivateKey(pem)).toString("base64url"),
        publicKeyRawBase64UrlFromPem: (pem) => rawPublicKey(pem).toString("base64url"),
        loadDeviceAuthToken: ({ role }) => {
          const kept = shelf.get(role);
          return kept ? { ...kept, role, updatedAtMs: Date.now() } : null;
        },
        storeDeviceAuthToken: ({ role, token, scopes }) => void shelf.set(role, { token, scopes }),
        clearDeviceAuthToken: ({ role }) => void shelf.delete(role),
      },
      ...rest,
      onEvent: (event) => void events.push(event),
      onHelloOk: (hello) => {
        wasIn = true;
        resolve({ client, hello, events, closed, stop: () => client.stopAndWait({ timeoutMs: 2000 }) });
      },
      onConnectError: (error) => {
        reject(error);
        // A client that was in once goes on trying: that is what some tests wait for.
        if (!wasIn) client.stop();
      },
      onClose: (code, reason) => {
        closedWith({ code, reason });
        reject(new Error(`closed ${code} ${reason}`));
      },
    });
    // One that a failed test leaves tries to come back for ever.
    atEnd(() => client.stop());
    client.start();
  });
}

export function rawPublicKey(pem: string): Buffer {
  return createPublicKey(pem).export({ type: "spki", format: "der" }).subarray(-32);
}
