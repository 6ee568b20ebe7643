import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { makeHome, startGateway, until, type GatewayProcess } from "../support/gateway-process.ts";
import { introduce, makeDevice, type Json, type Session } from "../support/hostile/session.ts";
import { testThemes } from "../support/hostile/themes.ts";
import { endLaunched } from "../support/launch.ts";

process.once("exit", endLaunched);

testThemes(["conversation"]);

const token = "shared-secret-of-this-test";
const secrets = {
  key: "canary-provider-key-81c2",
  header: "canary-provider-header-77d0",
  environment: "canary-environment-key-12aa",
  stored: "canary-stored-key-3f9e",
  query: "canary-in-the-address-5b1c",
};
const canaries = Object.values(secrets);

interface World {
  readonly gateway: GatewayProcess;
  readonly vendor: Vendor;
  readonly stranger: Vendor;
  readonly home: string;
}

const test = suite<World>("a conversation with a provider that means ill");

test.before(async (world) => {
  // What is written must be closed to others, whatever the process was started with.
  const umask = process.umask(0);
  const home = makeHome();
  const stranger = await listen(() => ({ status: 200, body: "thank you" }));
  const vendor = await listen(({ path, headers }) =>
    path.includes("/away/")
      ? { status: 307, body: "", headers: { location: `${stranger.url}/v1/chat/completions` } }
      : {
          status: 401,
          body: JSON.stringify({ error: { message: `wrong key: ${JSON.stringify(headers)}`, type: headers } }),
        },
  );
  const models = [{ id: "m1", name: "m1", reasoning: false, contextWindow: 100_000, maxTokens: 4096 }];
  const provider = (path: string) => ({
    baseUrl: `${vendor.url}/${path}/v1`,
    apiKey: secrets.key,
    headers: { "x-custom": secrets.header },
    api: "openai-completions",
    models,
  });
  const folder = join(home, ".openclaw", "agents", "main", "agent");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const profile = { type: "api_key", provider: "echoing", key: secrets.stored };
  writeFileSync(
    join(folder, "auth-profiles.json"),
    JSON.stringify({ version: 1, profiles: { "echoing:stored": profile } }),
    { mode: 0o600 },
  );
  const config = {
    gateway: { mode: "local", auth: { mode: "token", token } },
    models: {
      providers: {
        echoing: provider("echo"),
        leading: provider("away"),
        asking: { ...provider(`echo`), baseUrl: `${vendor.url}/v1?key=${secrets.query}` },
      },
    },
    agents: { defaults: { model: "echoing/m1" } },
  };
  const gateway = await startGateway({ home, args: [], config, env: { OPENAI_API_KEY: secrets.environment } });
  process.umask(umask);
  Object.assign(world, { gateway, vendor, stranger, home });
});

test.after(async ({ gateway, vendor, stranger, home }) => {
  await gateway.stop();
  await Promise.all([vendor.close(), stranger.close()]);
  rmSync(home, { recursive: true, force: true });
});

test("threat G no key of a provider comes back, though the provider repeats all of them", async ({ gateway, home }) => {
  const owner = await introduce({ url: gateway.url, token });
  const device = { device: makeDevice(), id: "openclaw-tui", mode: "ui", scopes: ["operator.read"] };
  const reader = await introduce({ url: gateway.url, token }, device);
  await reader.call("sessions.subscribe");
  for (const model of ["echoing/m1", "leading/m1", "asking/m1"]) {
    const sessionKey = model.split("/")[0] ?? "";
    await owner.call("sessions.patch", { key: sessionKey, model });
    await reader.call("sessions.messages.subscribe", { key: sessionKey });
    await owner.call("chat.send", { sessionKey, message: "hi", idempotencyKey: `run-${sessionKey}` });
    await owner.call("agent.wait", { runId: `run-${sessionKey}`, timeoutMs: 20_000 });
    for (const command of ["/status", "/model status", "/context detail", "/usage"])
      await owner.call("chat.send", { sessionKey, message: command, idempotencyKey: `${sessionKey} ${command}` });
  }
  await owner.call("models.probe", { provider: "echoing", timeoutMs: 5000 });
  const answers = [owner.events, reader.events, await crawl(owner), await crawl(reader)];
  for (const canary of canaries) assert.not.match(JSON.stringify(answers), canary);
  assert.match(JSON.stringify(answers), "does not accept the credential");
  for (const { path, text } of files(home).filter(({ path }) => !/openclaw\.json|auth-profiles\.json/.test(path)))
    for (const canary of canaries) assert.not.match(text(), canary, path);
  for (const canary of canaries) assert.not.match(gateway.stdout() + gateway.stderr(), canary);
  await Promise.all([owner.leave(), reader.leave()]);
});

test("threat N a provider that redirects does not send the key, nor the conversation, elsewhere", async (world) => {
  assert.ok(world.vendor.heard().some(({ path }) => path.includes("/away/")));
  assert.equal(world.stranger.heard(), []);
});

test("threat S all that a conversation leaves behind is its owner's alone, without a umask too", async ({ home }) => {
  if (process.platform === "win32") return;
  const state = join(home, ".openclaw");
  await until("a transcript", () => files(state).some(({ path }) => /sessions\/.+\.jsonl$/.test(path)) || undefined);
  const open = readdirSync(state, { recursive: true, encoding: "utf8" })
    // The files of a workspace are the person's, and are made to be seen.
    .filter((path) => !path.startsWith("workspace"))
    .filter((path) => (statSync(join(state, path)).mode & 0o077) !== 0);
  assert.equal(open, []);
});

test("threat S a deleted session's words are not found", async ({ gateway }) => {
  const owner = await introduce({ url: gateway.url, token });
  const sessionKey = "forgettable";
  await owner.call("chat.send", { sessionKey, message: "xylophone quartz", idempotencyKey: "forget" });
  await owner.call("agent.wait", { runId: "forget", timeoutMs: 20_000 });
  const found = async (): Promise<number> => {
    const { payload } = await owner.call("sessions.search", { query: "xylophone" });
    return payload.results.length;
  };
  await until("the words in the index", async () => ((await found()) > 0 ? true : undefined));
  await owner.call("sessions.delete", { key: sessionKey });
  assert.is(await found(), 0);
  assert.equal((await owner.call("chat.history", { sessionKey })).payload.messages, []);
  await owner.leave();
});

test.run();

const reads =
  /(^|[.-])(get|list|status|schema|tail|describe|info|cost|history|startup|metadata|preview|search|resolve|usage|authStatus|catalog|effective|timeseries|logs)$/;

async function crawl(session: Session): Promise<readonly Json[]> {
  const answers: Json[] = [];
  for (const method of session.hello.features.methods.filter((name: string) => reads.test(name))) {
    for (const sessionKey of ["echoing", "leading", "asking"]) {
      const id = { sessionKey, key: sessionKey, keys: [sessionKey], agentId: "main" };
      answers.push(await session.call(method, { ...id, query: "credential", messageId: "00000000" }));
    }
    answers.push(await session.call(method, {}));
  }
  return answers;
}

function files(folder: string): readonly { readonly path: string; readonly text: () => string }[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => statSync(join(folder, path)).isFile())
    .map((path) => ({ path, text: () => readFileSync(join(folder, path), "latin1") }));
}

interface Heard {
  readonly path: string;
  readonly headers: unknown;
}

interface Vendor {
  readonly url: string;
  heard(): readonly Heard[];
  close(): Promise<void>;
}

interface Reply {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A server that answers as the test says, and remembers what it was asked. */
async function listen(reply: (heard: Heard) => Reply): Promise<Vendor> {
  const heard: Heard[] = [];
  const server: Server = createServer((request, response) => {
    const asked = { path: request.url ?? "", headers: { ...request.headers, url: request.url } };
    heard.push(asked);
    request.resume();
    const { status, body, headers } = reply(asked);
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`,
    heard: () => heard,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
