import { createPrivateKey, sign } from "node:crypto";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { WebSocket } from "ws";
import { signedText } from "../../src/protocol/signature.ts";
import { startGateway, until, type GatewayProcess } from "../support/gateway-process.ts";
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
  readonly id: string;
  readonly payload: Record<string, unknown>;
  readonly error: Record<string, unknown>;
}

// eslint-disable-next-line typescript/no-explicit-any -- frames and payloads are read by path in assertions
type Frame = any;

interface Talk {
  readonly nonce: string;
  /** Everything that came, the challenge too. */
  readonly frames: readonly Frame[];
  readonly ask: (method: string, params: unknown) => Promise<Answer>;
  /** The response to a request that comes after its acceptance. */
  readonly final: (accepted: Answer) => Promise<Answer>;
  readonly closed: Promise<number>;
  readonly end: () => void;
}

function talk(): Promise<Talk> {
  const socket = new WebSocket(gateway.url);
  const waiting = new Map<string, (answer: Answer) => void>();
  const frames: Frame[] = [];
  let next = 0;
  const closed = new Promise<number>((resolve) => socket.on("close", (code: number) => resolve(code)));
  return new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.on("message", (data: Buffer) => {
      const frame = JSON.parse(data.toString());
      frames.push(frame);
      if (frame.type === "res") return waiting.get(frame.id)?.(frame);
      if (frame.event !== "connect.challenge") return;
      resolve({
        nonce: frame.payload.nonce,
        frames,
        closed,
        final: ({ id }) =>
          until("second response", () => frames.filter((each) => each.type === "res" && each.id === id)[1], 10_000),
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
  const { events } = hello.payload["features"] as { events: readonly string[] };
  assert.equal([events.includes("chat"), events.includes("sessions.changed")], [true, false]);
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

/** A chat window of version 3, past its hello. */
async function chatWindow() {
  const line = await talk();
  const params = { client: { ...client, id: "gateway-client", mode: "ui" }, caps: ["tool-events"], auth: { token } };
  await line.ask("connect", { ...range, ...params, role: "operator", scopes: ["operator.admin"] });
  const told = (event: string, runId: string): Frame[] =>
    line.frames.flatMap((each) => (each.event === event && each.payload.runId === runId ? [each.payload] : []));
  const over = (runId: string) =>
    until(`end of ${runId}`, () => told("chat", runId).find(({ state }) => state !== "delta"), 10_000);
  return { ...line, told, over };
}

const sessionKey = "agent:main:main";

test("SC-024 a v3 chat window talks: an acknowledgement, growing texts, the last one, and all of it in the history", async () => {
  const { ask, told, over, end } = await chatWindow();
  const sent = await ask("chat.send", { sessionKey, message: "hello", deliver: false, idempotencyKey: "v3-1" });
  assert.equal([sent.ok, sent.payload["runId"], sent.payload["status"]], [true, "v3-1", "started"]);
  const final = await over("v3-1");
  assert.is(final.state, "final");
  const deltas = told("chat", "v3-1").slice(0, -1);
  const texts = deltas.map(({ message }) => message.content[0].text);
  assert.ok(texts.length > 0);
  for (const [at, text] of texts.entries()) assert.ok(text.startsWith(texts[at - 1] ?? ""), "texts only grow");
  assert.is(final.message.content[0].text, texts.at(-1));
  const streams = told("agent", "v3-1").map(({ stream, data }) => `${stream} ${data.phase ?? ""}`.trim());
  assert.equal([...new Set(streams)], ["lifecycle start", "assistant", "lifecycle end"]);
  const history = (await ask("chat.history", { sessionKey, limit: 200 })).payload as Frame;
  assert.equal(
    history.messages.map(({ role, content }: Frame) => `${role} ${content[0].type}`),
    ["user text", "assistant text"],
  );
  const again = await ask("chat.send", { sessionKey, message: "hello", deliver: false, idempotencyKey: "v3-1" });
  assert.is(again.payload["status"], "ok");
  end();
});

test("a v3 chat window stops an answer, and keeps what was said", async () => {
  const { ask, told, over, end } = await chatWindow();
  await ask("chat.send", { sessionKey, message: "say 2000 words", deliver: false, idempotencyKey: "v3-2" });
  await until("first words", () => told("chat", "v3-2").length > 0 || undefined, 10_000);
  const stopped = await ask("chat.abort", { sessionKey, runId: "v3-2" });
  assert.equal(stopped.payload, { ok: true, aborted: true, runIds: ["v3-2"] });
  const aborted = await over("v3-2");
  assert.is(aborted.state, "aborted");
  assert.ok(aborted.message.content[0].text.length > 0, "the words that were said");
  end();
});

test("a v3 command line asks an agent and waits for the second response", async () => {
  const { ask, final, end } = await chatWindow();
  const params = { message: "hi", agentId: "main", sessionKey, deliver: false, timeout: 600, idempotencyKey: "v3-3" };
  const accepted = await ask("agent", params);
  assert.is(accepted.payload["status"], "accepted");
  assert.type(accepted.payload["acceptedAt"], "number");
  const { payload } = await final(accepted);
  assert.equal([payload["status"], payload["summary"]], ["ok", "completed"]);
  const { payloads, meta } = payload["result"] as Frame;
  assert.match(payloads[0].text, "You said: hi");
  assert.equal([meta.agentMeta.provider, meta.agentMeta.model], ["clawlet", "echo"]);
  end();
});

test("nothing is sent to v3 clients that they would refuse or do not know", async () => {
  const { ask, over, frames, end } = await chatWindow();
  await ask("sessions.patch", { key: sessionKey, label: "v3" });
  await ask("chat.send", { sessionKey, message: "status", deliver: false, idempotencyKey: "v3-4" });
  await over("v3-4");
  const fields = { req: [], res: ["error", "id", "ok", "payload"], event: ["event", "payload", "seq", "stateVersion"] };
  for (const { type, ...frame } of frames) {
    const unknown = Object.keys(frame).filter((each) => !fields[type as keyof typeof fields].includes(each as never));
    assert.equal(unknown, [], JSON.stringify(frame));
  }
  const events = new Set(frames.flatMap(({ event }) => event ?? []));
  const known = ["connect.challenge", "agent", "chat", "presence", "tick", "health"];
  assert.equal(
    [...events].filter((event) => !known.includes(event)),
    [],
  );
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
