import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  createGateway,
  createMemoryLogs,
  createMemoryStore,
  Failure,
  type EmbeddedGateway,
  type Env,
  type LogRecord,
} from "../../src/embed.ts";
import type { SocketEvents } from "../../src/host/socket.ts";

const token = "a-token-that-nobody-can-guess-0123456789";
const config = { gateway: { auth: { token } }, agents: { defaults: { model: "clawlet/echo" } } };

test("answers a chat through a client in the same process, without a port, a file or a signal", async () => {
  const gateway = await createGateway({ config });
  assert.match(await ask(gateway, "hello there"), "hello there");
  await gateway.close();
});

test("two in one process know nothing of each other", async () => {
  const [one, other] = await Promise.all([createGateway({ config }), createGateway({ config })]);
  await ask(one, "for one alone");
  assert.match(await history(one), "for one alone");
  assert.not.match(await history(other), "for one alone");
  await one.close();
  assert.is((await one.fetch(request("/healthz"))).status, 503);
  assert.is((await other.fetch(request("/healthz"))).status, 200);
  assert.match(await ask(other, "still there?"), "still there?");
  await other.close();
});

test("goes on over the same store with what the one before was told", async () => {
  const kept = { store: createMemoryStore(), logs: createMemoryLogs() };
  const first = await createGateway({ config, ...kept });
  await ask(first, "remember this");
  await first.close();
  const second = await createGateway({ config, ...kept });
  assert.match(await history(second), "remember this");
  await second.close();
});

test("asks models with the fetch, the keys and the configuration it is given, and nothing of the process's", async () => {
  const asked: Request[] = [];
  const answer = Object.assign(
    async (...given: ConstructorParameters<typeof Request>) => {
      asked.push(new Request(...given));
      return new Response("no", { status: 401 });
    },
    { preconnect: () => undefined },
  );
  const gateway = await createGateway({
    config: { ...config, agents: { defaults: { model: "anthropic/claude-opus-4-5" } } },
    env: { ANTHROPIC_API_KEY: "key-of-the-embedder" },
    fetch: answer,
  });
  await ask(gateway, "hello").catch(String);
  assert.is(asked[0]?.headers.get("x-api-key"), "key-of-the-embedder");
  await gateway.close();
});

test("threat A refuses to be created where nobody would have to prove anything", async () => {
  for (const gateway of [{}, { auth: { mode: "none" } }, { auth: { mode: "token" } }]) {
    const failure = await createGateway({ config: { gateway } }).then(
      () => undefined,
      (error: unknown) => Failure.from(error),
    );
    assert.is(failure?.code, "config");
    assert.match(failure?.message ?? "", "gateway.auth");
  }
});

test("threat A lets nobody in for being unknown: without a peer and a secret there is no hello", async () => {
  const gateway = await createGateway({ config });
  const frames: string[] = [];
  let events: SocketEvents | undefined;
  const env: Env = {
    peer: { address: "", port: 0 },
    upgrade(inside) {
      events = inside;
      return new Response(null);
    },
  };
  await gateway.fetch(request("/", { connection: "upgrade", upgrade: "websocket" }), env);
  const nothing = (): void => undefined;
  const closed = new Promise<number>((resolve) => {
    const socket = {
      buffered: 0,
      send(text: string) {
        frames.push(text);
        return 0;
      },
      close: resolve,
      terminate: nothing,
      ping: nothing,
      trust: nothing,
      pause: nothing,
      resume: nothing,
    };
    events?.open(socket);
    const client = { id: "cli", version: "1", platform: "linux", mode: "cli" };
    const params = { minProtocol: 4, maxProtocol: 4, client, scopes: ["operator.admin"] };
    events?.message(socket, JSON.stringify({ type: "req", id: "c", method: "connect", params }));
  });
  assert.is(await closed, 1008);
  assert.match(frames.at(-1) ?? "", '"ok":false');
  await gateway.close();
});

test("a configuration with a mistake is refused, and names the key", async () => {
  const wrong = { ...config, session: { maintenance: { mode: "sometimes" } } };
  const failure = await createGateway({ config: wrong }).then(
    () => undefined,
    (error: unknown) => Failure.from(error),
  );
  assert.is(failure?.code, "config");
  assert.match(failure?.message ?? "", "session.maintenance.mode");
});

test("another configuration counts at once, and one that would open the doors changes nothing", async () => {
  const gateway = await createGateway({ config });
  const client = await gateway.connect();
  const opened = await gateway.configure({ gateway: {} }).then(
    () => undefined,
    (error: unknown) => Failure.from(error),
  );
  assert.is(opened?.code, "config");
  await gateway.configure({ ...config, agents: { ...config.agents, list: [{ id: "ada" }] } });
  assert.match(JSON.stringify(await client.request("agents.list", {})), "ada");
  client.close();
  await gateway.close();
});

test("what needs a file, a machine or another owner says so, and the rest goes on", async () => {
  const gateway = await createGateway({ config });
  const client = await gateway.connect();
  const refusal = async (method: string, params: unknown): Promise<string> =>
    client.request(method, params).then(String, (error: unknown) => Failure.from(error).message);
  assert.match(await refusal("agents.files.list", { agentId: "main" }), "has no files");
  assert.match(await refusal("logs.tail", {}), "has no files");
  assert.match(await refusal("gateway.restart.request", {}), "part of another program");
  const { hash } = (await client.request("config.get", {})) as { hash: string };
  assert.match(
    await refusal("config.patch", { raw: '{"logging":{"level":"warn"}}', baseHash: hash }),
    "change it there",
  );
  const tools = JSON.stringify(await client.request("tools.catalog", {}));
  assert.match(tools, "session_status");
  assert.not.match(tools, '"write"');
  client.close();
  await gateway.close();
});

test("threat G no secret of the configuration is in what it tells its program and its clients", async () => {
  const records: LogRecord[] = [];
  const gateway = await createGateway({ config, log: (record) => void records.push(record) });
  const client = await gateway.connect();
  const shown = JSON.stringify(await client.request("config.get", {}));
  await client.request("status", {});
  client.close();
  await gateway.close();
  assert.not.match(shown, token);
  assert.not.match(JSON.stringify(records), token);
});

test("tells its clients that it closes", async () => {
  const gateway = await createGateway({ config });
  const heard: string[] = [];
  await gateway.connect({ onEvent: (event) => heard.push(event) });
  await gateway.close();
  assert.ok(heard.includes("shutdown"));
});

async function ask(gateway: EmbeddedGateway, message: string): Promise<string> {
  const client = await gateway.connect();
  try {
    const params = { message, sessionKey: "main", idempotencyKey: crypto.randomUUID() };
    return JSON.stringify(await client.request("agent", params, { expectFinal: true }));
  } finally {
    client.close();
  }
}

async function history(gateway: EmbeddedGateway): Promise<string> {
  const client = await gateway.connect();
  const shown = JSON.stringify(await client.request("chat.history", { sessionKey: "main" }));
  client.close();
  return shown;
}

function request(path: string, headers: Readonly<Record<string, string>> = {}): Request {
  return new Request(`http://localhost${path}`, { headers: { host: "localhost", ...headers } });
}

test.run();
