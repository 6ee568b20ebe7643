import { createPrivateKey, sign } from "node:crypto";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { WebSocket } from "ws";
import { signedText } from "../../src/protocol/signature.ts";
import { startGateway, type GatewayProcess } from "../support/gateway-process.ts";
import { makeDevice, rawPublicKey } from "../support/official-client.ts";
import { endLaunched } from "../support/launch.ts";

// Clients of 2026.1 and 2026.2 speak v3 only, sign without the platform, and check every frame against a closed schema.

const token = "a-token-of-this-test";
let gateway: GatewayProcess;

test.before(async () => {
  gateway = await startGateway({ config: { gateway: { mode: "local", auth: { mode: "token", token } } }, args: [] });
});

interface Answer {
  readonly ok: boolean;
  readonly payload: Record<string, unknown>;
  readonly error: Record<string, unknown>;
}

interface Talk {
  readonly nonce: string;
  readonly ask: (method: string, params: unknown) => Promise<Answer>;
  readonly closed: Promise<number>;
  readonly end: () => void;
}

function talk(): Promise<Talk> {
  const socket = new WebSocket(gateway.url);
  const waiting = new Map<string, (answer: Answer) => void>();
  let next = 0;
  const closed = new Promise<number>((resolve) => socket.on("close", (code: number) => resolve(code)));
  return new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.on("message", (data: Buffer) => {
      const frame = JSON.parse(data.toString());
      if (frame.type === "res") return waiting.get(frame.id)?.(frame);
      if (frame.event !== "connect.challenge") return;
      resolve({
        nonce: frame.payload.nonce,
        closed,
        ask(method, params) {
          const id = String(next++);
          socket.send(JSON.stringify({ type: "req", id, method, params }));
          return new Promise((answered) => waiting.set(id, answered));
        },
        end: () => socket.close(),
      });
    });
  });
}

const client = { id: "cli", version: "dev", platform: "linux", mode: "cli" };
const range = { minProtocol: 3, maxProtocol: 3 };

test("a v3 command line gets a v3 hello and everything it is used to", async () => {
  const { ask, end } = await talk();
  const hello = await ask("connect", { ...range, client, auth: { token } });
  assert.is(hello.payload["protocol"], 3);
  assert.equal(Object.keys(hello.payload).toSorted(), ["features", "policy", "protocol", "server", "snapshot", "type"]);
  const health = await ask("health", {});
  assert.is(health.ok, true);
  assert.is((await ask("config.get", {})).ok, true, "no scopes asked for means all of them");
  end();
});

for (const version of [1, 2] as const) {
  test(`a v3 device that signs version ${version} is paired and gets its token`, async () => {
    const { ask, nonce, end } = await talk();
    const keys = makeDevice();
    const scopes = ["operator.admin", "operator.approvals", "operator.pairing"];
    const signedAt = Date.now();
    const parts = {
      deviceId: keys.deviceId,
      clientId: "cli",
      clientMode: "cli",
      role: "operator",
      scopes,
      signedAt,
      token,
      nonce,
      platform: "",
      deviceFamily: "",
    };
    const signature = sign(
      null,
      Buffer.from(signedText(version, parts)),
      createPrivateKey(keys.privateKeyPem),
    ).toString("base64url");
    const publicKey = rawPublicKey(keys.publicKeyPem).toString("base64url");
    const device = { id: keys.deviceId, publicKey, signature, signedAt, ...(version === 2 ? { nonce } : {}) };
    const hello = await ask("connect", { ...range, client, role: "operator", scopes, auth: { token }, device });
    const auth = hello.payload["auth"] as { deviceToken: string; scopes: string[] };
    assert.is(auth.deviceToken.length, 43);
    assert.equal(auth.scopes, scopes);
    end();
  });
}

test("names of the first releases are known", async () => {
  const { ask, end } = await talk();
  const hello = await ask("connect", {
    ...range,
    client: { ...client, id: "clawdbot-macos", mode: "ui" },
    auth: { token },
  });
  assert.is(hello.ok, true);
  end();
});

test("errors have the shape that v3 clients accept: code and message alone", async () => {
  const { ask, end } = await talk();
  await ask("connect", { ...range, client, scopes: ["operator.read"], auth: { token } });
  const { error } = await ask("config.set", { raw: "{}" });
  assert.equal(error, { code: "INVALID_REQUEST", message: "missing scope: operator.admin" });
  end();
});

test("a client too old or too new is told what is spoken here", async () => {
  for (const [minProtocol, maxProtocol] of [
    [1, 2],
    [5, 6],
  ]) {
    const { ask, closed } = await talk();
    const { error } = await ask("connect", { minProtocol, maxProtocol, client, auth: { token } });
    assert.equal(error, {
      code: "INVALID_REQUEST",
      message: "protocol mismatch",
      details: {
        code: "PROTOCOL_MISMATCH",
        clientMinProtocol: minProtocol,
        clientMaxProtocol: maxProtocol,
        expectedProtocol: 4,
        minimumProbeProtocol: 3,
      },
    });
    assert.is(await closed, 1002);
  }
});

test.after(async () => {
  await gateway.stop();
  endLaunched();
});
test.run();
