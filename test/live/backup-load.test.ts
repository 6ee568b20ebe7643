import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { makeHome, runCommand, startGateway, until } from "../support/gateway-process.ts";
import { endLaunched } from "../support/launch.ts";
import { openRpc, type RpcPayload } from "../support/rpc-client.ts";

const token = "a-token-of-this-test-and-no-other";
const keys = [0, 1, 2, 3].map((number) => `agent:main:load-${number}`);
const config = {
  gateway: { mode: "local", auth: { mode: "token", token } },
  agents: { defaults: { model: { primary: "clawlet/echo" }, skipBootstrap: true } },
};

const here = makeHome();
const there = makeHome();
test.after(() => {
  endLaunched();
  for (const home of [here, there]) rmSync(home, { recursive: true, force: true });
});

test("a backup under load has each message once that was acknowledged before it began, and starts elsewhere", async () => {
  const busy = await startGateway({ home: here, args: [], config });
  const load = await sendAll(busy.url);
  await until("load", () => load.acknowledged.length >= 40 || undefined, 30_000);
  const before = [...load.acknowledged];
  // A folder outside of everything that is backed up.
  const folder = join(here, "archives");
  mkdirSync(folder);
  const made = await runCommand(["backup", "create", "--output", folder, "--verify", "--json"], here);
  assert.is(made.status, 0, made.stderr + made.stdout);
  const meanwhile = load.acknowledged.length - before.length;
  await load.end();
  assert.is(await busy.stop(), 0);
  assert.ok(meanwhile > 0, "it went on answering while the backup was made");

  const { archivePath } = JSON.parse(made.stdout);
  const restored = await runCommand(["backup", "restore", archivePath, "--yes", "--json"], there);
  assert.is(restored.status, 0, restored.stderr + restored.stdout);

  const gateway = await startGateway({ home: there, args: [] });
  const client = await openRpc(gateway.url, { auth: { token } });
  // What waited for its turn when it was copied has it now.
  await until("an idle gateway", async () => (await isIdle(client)) || undefined, 30_000);
  const found = userMessages(there);
  assert.equal(
    before.filter((mark) => found.get(mark) !== 1).map((mark) => `${mark}: ${found.get(mark) ?? 0} times`),
    [],
  );
  assert.equal(
    [...found].filter(([, times]) => times > 1).map(([mark]) => mark),
    [],
    "what came meanwhile may be there, but not twice",
  );
  client.close();

  const doctor = await runCommand(["doctor", "--json"], there, { OPENCLAW_GATEWAY_PORT: String(gateway.port) });
  const { ok, checks } = JSON.parse(doctor.stdout);
  const wrong = checks
    .flatMap(({ findings }: RpcPayload) => findings)
    .filter(({ level, code }: RpcPayload) => level !== "info" && !ofTheMachine.has(code));
  assert.equal(wrong, []);
  assert.is(ok, true);
  assert.is(await gateway.stop(), 0);
});

/** What is wrong with the machine that runs the test says nothing of the restored state. */
const ofTheMachine = new Set(["disk-low", "disk-full"]);

interface Load {
  /** Marks of the messages that the gateway said it has, in the order of its answers. */
  readonly acknowledged: readonly string[];
  end(): Promise<void>;
}

/** Sends to all sessions at once, each message as soon as the one before it is acknowledged, until it is ended. */
async function sendAll(url: string): Promise<Load> {
  const client = await openRpc(url, { auth: { token } });
  const acknowledged: string[] = [];
  const load = { over: false };
  let number = 0;
  const senders = keys.map(async (sessionKey) => {
    while (!load.over) {
      const mark = `m${++number}x`;
      await client.call("chat.send", { sessionKey, message: `${mark} is sent`, idempotencyKey: `run-${mark}` });
      acknowledged.push(mark);
    }
  });
  return {
    acknowledged,
    async end() {
      load.over = true;
      await Promise.all(senders);
      client.close();
    },
  };
}

async function isIdle(client: Awaited<ReturnType<typeof openRpc>>): Promise<boolean> {
  const histories = await Promise.all(keys.map((sessionKey) => client.call("chat.history", { sessionKey, limit: 1 })));
  return histories.every((history: RpcPayload) => history.pendingInputs.total === 0 && !history.inFlightRun);
}

/** How often each mark stands in what people said, over all transcripts. */
function userMessages(home: string): ReadonlyMap<string, number> {
  const folder = join(home, ".openclaw/agents/main/sessions");
  const found = new Map<string, number>();
  for (const name of readdirSync(folder).filter((each) => each.endsWith(".jsonl"))) {
    const lines = readFileSync(join(folder, name), "utf8").split("\n");
    for (const line of lines.filter((each) => each !== "")) {
      const entry = JSON.parse(line);
      if (entry.type !== "message" || entry.message.role !== "user") continue;
      // What did not fit the queue is named again before the words of a later message.
      for (const [mark = ""] of JSON.stringify(entry.message.content.at(-1)).matchAll(/m\d+x/g))
        found.set(mark, (found.get(mark) ?? 0) + 1);
    }
  }
  return found;
}

test.run();
