import type { Attack, Target } from "./attack.ts";
import { type Introduction, introduce, introduceOn, makeDevice, open, outcome } from "./session.ts";

const skewMs = 121_000;

/** Devices that are not who they say they are. */
export const identity: readonly Attack[] = [
  {
    name: "threat C: the answer to one socket's challenge, sent on another",
    expected: "DEVICE_AUTH_NONCE_MISMATCH, closed 1008",
    async run(target) {
      const [own, stolen] = [await open(target), await open(target)];
      const session = await introduceOn(own.socket, stolen.challenge, target, { device: makeDevice() });
      stolen.socket.reset();
      return `${session.error?.details?.code}, closed ${(await session.socket.closed).code}`;
    },
  },
  forged(
    "a nonce of its own",
    () => ({ signed: { nonce: "00000000-0000-4000-8000-000000000000" } }),
    "DEVICE_AUTH_NONCE_MISMATCH",
  ),
  forged("a blank nonce", () => ({ signed: { nonce: " " } }), "DEVICE_AUTH_NONCE_REQUIRED"),
  forged(
    "a signature from before",
    () => ({ signed: { signedAt: Date.now() - skewMs } }),
    "DEVICE_AUTH_SIGNATURE_EXPIRED",
  ),
  forged(
    "a signature from the future",
    () => ({ signed: { signedAt: Date.now() + skewMs } }),
    "DEVICE_AUTH_SIGNATURE_EXPIRED",
  ),
  forged(
    "a signature over other scopes",
    () => ({ signed: { scopes: ["operator.read"] } }),
    "DEVICE_AUTH_SIGNATURE_INVALID",
  ),
  forged("a signature over no scopes", () => ({ signed: { scopes: [] } }), "DEVICE_AUTH_SIGNATURE_INVALID"),
  forged("a signature over another role", () => ({ signed: { role: "node" } }), "DEVICE_AUTH_SIGNATURE_INVALID"),
  forged("a signature over another token", () => ({ signed: { token: "another" } }), "DEVICE_AUTH_SIGNATURE_INVALID"),
  forged(
    "a signature over another client",
    () => ({ signed: { clientId: "openclaw-tui" } }),
    "DEVICE_AUTH_SIGNATURE_INVALID",
  ),
  forged(
    "a signature over another platform",
    () => ({ signed: { platform: "macos" } }),
    "DEVICE_AUTH_SIGNATURE_INVALID",
  ),
  forged("somebody else's id", () => ({ claimed: { id: makeDevice().id } }), "DEVICE_AUTH_DEVICE_ID_MISMATCH"),
  forged(
    "somebody else's key",
    () => ({ claimed: { publicKey: makeDevice().publicKey } }),
    "DEVICE_AUTH_DEVICE_ID_MISMATCH",
  ),
  forged("a key that is none", () => ({ claimed: { publicKey: "!!" } }), "DEVICE_AUTH_DEVICE_ID_MISMATCH"),
  forged(
    "somebody else's id and key",
    () => {
      const { id, publicKey } = makeDevice();
      return { signed: { deviceId: id }, claimed: { id, publicKey } };
    },
    "DEVICE_AUTH_SIGNATURE_INVALID",
  ),
  forged("a signature that is none", () => ({ claimed: { signature: "AAAA" } }), "DEVICE_AUTH_SIGNATURE_INVALID"),
  forged(
    "a signature of zeros under a key of zeros",
    zeros,
    /^DEVICE_AUTH_(PUBLIC_KEY|SIGNATURE)_INVALID, closed 1008$/,
  ),
  {
    name: "threat D: a device's token in the hands of another device",
    expected: "AUTH_DEVICE_TOKEN_MISMATCH, closed 1008",
    needs: ["token"],
    async run(target) {
      const deviceToken = await pair(target);
      return outcome(target, { device: makeDevice(), auth: { deviceToken } });
    },
  },
  {
    name: "threat D: a device's token without the device",
    expected: "AUTH_TOKEN_MISMATCH, closed 1008",
    needs: ["token"],
    async run(target) {
      return outcome(target, { auth: { token: await pair(target) } });
    },
  },
  {
    name: "threat D: a device's token with more scopes than it was given",
    expected: "AUTH_SCOPE_MISMATCH, closed 1008",
    needs: ["token"],
    async run(target) {
      const device = makeDevice();
      const session = await introduce(target, { device, scopes: ["operator.read"] });
      const { deviceToken } = session.hello.auth;
      await session.leave();
      return outcome(target, { device, auth: { deviceToken }, scopes: ["operator.read", "operator.admin"] });
    },
  },
];

function forged(what: string, given: () => Introduction, code: string | RegExp): Attack {
  return {
    name: `threat C: ${what}`,
    expected: typeof code === "string" ? `${code}, closed 1008` : code,
    run: (target) => outcome(target, { device: makeDevice(), ...given() }),
  };
}

/** A key of small order verifies signatures that nobody made, where the check is lax. */
function zeros(): Introduction {
  const id = "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925"; // SHA-256 of 32 zeros
  const publicKey = Buffer.alloc(32).toString("base64url");
  return {
    signed: { deviceId: id },
    claimed: { id, publicKey, signature: Buffer.alloc(64).toString("base64url") },
  };
}

async function pair(target: Target): Promise<string> {
  const session = await introduce(target, { device: makeDevice() });
  await session.leave();
  return session.hello.auth.deviceToken;
}
