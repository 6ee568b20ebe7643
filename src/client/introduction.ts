import type { Host } from "../host/host.ts";
import { uuid } from "../kit/ids.ts";
import type { JsonObject } from "../kit/json.ts";
import { VERSION } from "../kit/version.ts";
import type { Identity } from "../pairing/identity.ts";

/** Who a client says it is, what it wants and how it proves it. */
export interface Introduction {
  readonly client: { readonly id: string; readonly mode: string; readonly displayName?: string };
  readonly scopes: readonly string[];
  /** 4..4 unless older gateways are welcome. */
  readonly protocol?: { readonly min: number; readonly max: number };
  readonly caps?: readonly string[];
  readonly token?: string | undefined;
  readonly password?: string | undefined;
  readonly deviceToken?: string | undefined;
  /** Signs the challenge: the connection is then a device's. */
  readonly identity?: Identity | undefined;
}

/** What the gateway asks to have signed. `ts` is its own clock, so that ours need not be right. */
export interface Challenge {
  readonly nonce: string;
  readonly ts: number;
}

/** The parameters of `connect` (protocol.md 2.2), signed over the challenge's nonce when there is an identity. */
export async function connectParams(
  host: Pick<Host, "os">,
  given: Introduction,
  challenge: Challenge,
): Promise<JsonObject> {
  const { min, max } = given.protocol ?? { min: 4, max: 4 };
  const family = families[host.os];
  const auth = {
    ...(given.token === undefined ? {} : { token: given.token }),
    ...(given.password === undefined ? {} : { password: given.password }),
    ...(given.deviceToken === undefined ? {} : { deviceToken: given.deviceToken }),
  };
  const client = { ...given.client, version: VERSION, platform: host.os, deviceFamily: family, instanceId: uuid() };
  return {
    minProtocol: min,
    maxProtocol: max,
    client,
    role: "operator",
    scopes: given.scopes,
    caps: given.caps ?? [],
    ...(Object.keys(auth).length > 0 ? { auth } : {}),
    ...(given.identity ? { device: await proof(host, given, challenge, given.identity) } : {}),
  };
}

const families: Readonly<Record<Host["os"], string>> = {
  darwin: "Mac",
  linux: "Linux",
  windows: "Windows",
  none: "Worker",
};

/** The version 3 payload (protocol.md 3.2): fields joined by `|`, the token presented among them, never the password. */
async function proof(
  host: Pick<Host, "os">,
  given: Introduction,
  { nonce, ts: signedAt }: Challenge,
  identity: Identity,
): Promise<JsonObject> {
  const payload = [
    "v3",
    identity.deviceId,
    given.client.id,
    given.client.mode,
    "operator",
    given.scopes.join(","),
    signedAt,
    given.token ?? given.deviceToken ?? "",
    nonce,
    host.os.toLowerCase(),
    families[host.os].toLowerCase(),
  ].join("|");
  const signature = await identity.sign(payload);
  return { id: identity.deviceId, publicKey: identity.publicKey, signature, signedAt, nonce };
}
