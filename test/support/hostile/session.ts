import { createHash, generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import { signedText, type SignedParts } from "../../../src/protocol/signature.ts";
import { openRaw, UpgradeRefused, type RawClient, type RawOptions } from "../raw-client.ts";
import type { Target } from "./attack.ts";

/** Any JSON: what a gateway answers is looked into, not trusted. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Json = any;

/** How a client introduces itself. The command line of this machine with the token, where nothing else is said. */
export interface Introduction extends RawOptions {
  readonly id?: string;
  readonly mode?: string;
  readonly platform?: string;
  readonly role?: string;
  readonly scopes?: readonly string[];
  readonly protocol?: 3 | 4;
  readonly auth?: Readonly<Record<string, string>>;
  readonly device?: Device;
  /** Signed instead of what is sent. */
  readonly signed?: Partial<SignedParts>;
  /** Sent instead of what the device is and signed. */
  readonly claimed?: Readonly<Record<string, unknown>>;
  /** More parameters, or others. */
  readonly params?: Readonly<Record<string, unknown>>;
}

export interface Device {
  readonly id: string;
  readonly publicKey: string;
  readonly key: KeyObject;
}

/** A socket after its introduction, accepted or not. */
export interface Session {
  readonly socket: RawClient;
  readonly hello: Json;
  readonly error: Json;
  /** Events that have come between answers. */
  readonly events: readonly Json[];
  call(method: string, params?: unknown): Promise<Json>;
  /** Ends it, and waits until it has ended. */
  leave(): Promise<void>;
}

export function makeDevice(): Device {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const raw = publicKey.export({ type: "spki", format: "der" }).subarray(-32);
  return {
    id: createHash("sha256").update(raw).digest("hex"),
    publicKey: raw.toString("base64url"),
    key: privateKey,
  };
}

/** Opens a socket and waits for its challenge. */
export async function open(target: Target, options?: RawOptions): Promise<{ socket: RawClient; challenge: Json }> {
  const socket = await openRaw(target.url, options);
  const challenge = JSON.parse((await socket.next()) ?? "{}").payload;
  return { socket, challenge };
}

/** Opens a socket and introduces a client. Rejects when the upgrade is refused; a refused `connect` is a session too. */
export async function introduce(target: Target, given: Introduction = {}): Promise<Session> {
  const { socket, challenge } = await open(target, given);
  return introduceOn(socket, challenge, target, given);
}

export async function introduceOn(
  socket: RawClient,
  challenge: Json,
  target: Target,
  given: Introduction = {},
): Promise<Session> {
  const events: Json[] = [];
  let count = 0;

  async function call(method: string, params: unknown = {}): Promise<Json> {
    const id = `${++count}`;
    socket.send(JSON.stringify({ type: "req", id, method, params }));
    for (;;) {
      const text = await socket.next();
      if (text === undefined) return { ok: false, error: { message: "closed" } };
      const frame = JSON.parse(text);
      if (frame.id === id) return frame;
      events.push(frame);
    }
  }

  const answer = await call("connect", connectParams(target, given, challenge));
  return {
    socket,
    hello: answer.ok ? answer.payload : undefined,
    error: answer.error,
    events,
    call,
    async leave() {
      socket.close();
      await socket.closed;
    },
  };
}

/** The parameters of `connect` (protocol.md 2.2), signed when there is a device. */
export function connectParams(target: Target, given: Introduction, challenge: Json): Json {
  const auth = given.auth ?? (target.token === undefined ? {} : { token: target.token });
  const client = {
    id: given.id ?? "cli",
    version: "1.0.0",
    platform: given.platform ?? "linux",
    mode: given.mode ?? "cli",
  };
  const { role, scopes = ["operator.admin"], protocol = 4 } = given;
  return {
    minProtocol: protocol,
    maxProtocol: protocol,
    client,
    ...(role === undefined ? {} : { role }),
    scopes,
    auth,
    ...(given.device ? { device: proof(given, challenge, { auth, client, scopes }) } : {}),
    ...given.params,
  };
}

function proof(given: Introduction, { nonce, ts }: Json, { auth, client, scopes }: Json): Json {
  const device = given.device ?? makeDevice();
  const parts: SignedParts = {
    deviceId: device.id,
    clientId: client.id,
    clientMode: client.mode,
    role: given.role ?? "operator",
    scopes,
    signedAt: ts,
    token: auth.token ?? auth.deviceToken ?? auth.bootstrapToken ?? "",
    nonce,
    platform: client.platform,
    deviceFamily: "",
    ...given.signed,
  };
  return {
    id: device.id,
    publicKey: device.publicKey,
    signature: sign(null, Buffer.from(signedText(3, parts)), device.key).toString("base64url"),
    signedAt: parts.signedAt,
    nonce: parts.nonce,
    ...given.claimed,
  };
}

/** What came of an introduction, in a line: the scopes granted, or the code of the refusal and how the socket closed. */
export async function outcome(target: Target, given: Introduction = {}): Promise<string> {
  try {
    const session = await introduce(target, given);
    if (session.hello) {
      await session.leave();
      return `let in with [${session.hello.auth?.scopes ?? ""}]`;
    }
    const { code } = await session.socket.closed;
    return `${session.error?.details?.code ?? session.error?.message}, closed ${code}`;
  } catch (error) {
    return refusedUpgrade(error);
  }
}

export function refusedUpgrade(error: unknown): string {
  if (!(error instanceof UpgradeRefused)) throw error;
  return `${error.message} ${/"type":"(\w+)"/.exec(error.body)?.[1] ?? ""}`.trim();
}

/** How a socket ended, in a line. */
export async function ending(socket: RawClient): Promise<string> {
  const { code, reason } = await socket.closed;
  return `closed ${code}${reason === "" ? "" : ` ${reason}`}`;
}

/** Whether a client that does everything right is still served: `served`, or what happened instead. */
export async function goodClient(target: Target): Promise<string> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const seen = await tryHealth(target);
    // The places and locks that an attack took are given back after a time.
    if (!/^HTTP 503|RATE_LIMITED/.test(seen) || Date.now() > deadline) return seen;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function tryHealth(target: Target): Promise<string> {
  try {
    const session = await introduce(target);
    if (!session.hello) return session.error?.details?.code ?? session.error?.message ?? "no answer";
    const health = await session.call("health");
    await session.leave();
    return health.ok && health.payload.ok ? "served" : `health answers ${JSON.stringify(health).slice(0, 200)}`;
  } catch (error) {
    return refusedUpgrade(error);
  }
}
