import type { Clock } from "../host/host.ts";
import { canonicalPublicKey, deviceIdOf, verifySignature } from "../pairing/identity.ts";
import type { ConnectParams } from "../protocol/connect.ts";
import { signedText, signedToken } from "../protocol/signature.ts";
import { limits } from "../protocol/version.ts";
import { deviceRefused } from "./refusals.ts";
import { isWeakKey } from "./weak-key.ts";

export interface ProofContext {
  readonly clock: Clock;
  readonly protocol: 3 | 4;
  /** The nonce of this socket's challenge. */
  readonly nonce: string;
  readonly role: string;
  readonly local: boolean;
}

/**
 * Checks that the client holds the private key of the device it names (protocol.md 3.3, in that order) and answers the
 * device's id and canonical public key. Throws the refusal.
 */
export async function verifyDevice(
  params: ConnectParams & { readonly device: NonNullable<ConnectParams["device"]> },
  context: ProofContext,
): Promise<{ deviceId: string; publicKey: string }> {
  const { device, client } = params;
  const publicKey = canonicalPublicKey(device.publicKey);
  if (!publicKey || (await deviceIdOf(publicKey)) !== device.id) throw deviceRefused("device-id-mismatch");
  if (isWeakKey(publicKey)) throw deviceRefused("device-public-key");
  if (Math.abs(context.clock.now() - device.signedAt) > limits.skewMs[context.protocol]) {
    throw deviceRefused("device-signature-stale");
  }
  const nonce = device.nonce?.trim() ?? "";
  // Clients of the v3 era did not wait for the challenge on loopback.
  const nonceless = nonce === "" && context.protocol === 3 && context.local;
  if (nonce === "" && !nonceless) throw deviceRefused("device-nonce-missing");
  if (!nonceless && device.nonce !== context.nonce) throw deviceRefused("device-nonce-mismatch");
  const parts = {
    deviceId: device.id,
    clientId: client.id,
    clientMode: client.mode,
    role: context.role,
    scopes: params.scopes,
    signedAt: device.signedAt,
    token: signedToken(params.auth),
    nonce: context.nonce,
    platform: client.platform,
    deviceFamily: client.deviceFamily ?? "",
  };
  for (const version of nonceless ? ([1] as const) : ([3, 2] as const)) {
    if (await verifySignature(publicKey, signedText(version, parts), device.signature)) {
      return { deviceId: device.id, publicKey };
    }
  }
  throw deviceRefused("device-signature");
}
