import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { makeHome, runCommand, startGateway, until, type GatewayProcess } from "../support/gateway-process.ts";
import { endLaunched } from "../support/launch.ts";
import { openRpc, type RpcPayload } from "../support/rpc-client.ts";

const token = "a-token-of-this-test";
const hookToken = "a-hook-token-of-this-test";
const config = {
  gateway: { mode: "local", auth: { mode: "token", token } },
  agents: { defaults: { model: "clawlet/echo" } },
  hooks: { enabled: true, token: hookToken },
};
test.after(endLaunched);

interface World {
  readonly home: string;
  gateway: GatewayProcess;
  call(method: string, params: object): Promise<RpcPayload>;
}

async function world(): Promise<World> {
  const home = makeHome();
  const it: World = {
    home,
    gateway: await startGateway({ home, config, args: [] }),
    async call(method, params) {
      const client = await openRpc(it.gateway.url, { auth: { token } });
      try {
        return await client.call(method, params);
      } finally {
        client.close();
      }
    },
  };
  return it;
}

/** What was said in a session, each message once. */
async function said(it: World, sessionKey: string): Promise<readonly string[]> {
  const { messages } = await it.call("chat.history", { sessionKey, limit: 100 });
  return messages.map(({ role, content }: RpcPayload) => `${role}: ${content[0]?.text ?? content}`);
}

const inMs = (ms: number) => ({ kind: "at", at: new Date(Date.now() + ms).toISOString() });

test("a job of one moment is answered once, though the gateway is killed while it is due, and is off then", async () => {
  const it = await world();
  const job = await it.call("cron.add", {
    name: "tea",
    schedule: inMs(1500),
    sessionTarget: "isolated",
    wakeMode: "now",
    deleteAfterRun: false,
    payload: { kind: "agentTurn", message: "is it ready?" },
  });
  const file = join(it.home, ".openclaw", "cron", "jobs.json");
  // As soon as the run is on the disk, whatever has become of it, the process ends without a word.
  await until(
    "the run is begun",
    () => /runningDueAtMs|lastRunStatus/.test(readFileSync(file, "utf8")) || undefined,
    15_000,
  );
  await it.gateway.stop("SIGKILL");
  it.gateway = await startGateway({ home: it.home, args: [] });
  const entry = await until(
    "the run has ended",
    async () => (await it.call("cron.runs", { id: job.id })).entries[0],
    15_000,
  );
  assert.is(entry.status, "ok");
  const key = `agent:main:cron:${job.id}`;
  const answers = (await said(it, key)).filter((line) => line.startsWith("assistant"));
  assert.is(answers.length, 1, answers.join("\n"));
  const told = (await said(it, "main")).filter((line) => line.includes("Cron (tea)"));
  assert.is(told.length, 1, "and the main session was told once");
  assert.is((await it.call("cron.runs", { id: job.id })).total, 1);
  const isOff = async () => !(await it.call("cron.get", { id: job.id })).enabled || undefined;
  await until("the job is switched off", isOff, 15_000);
  await it.gateway.stop();
});

test("a reminder that was due while the gateway was down is told once when it is back", async () => {
  const it = await world();
  await it.call("cron.add", {
    name: "tea",
    schedule: inMs(800),
    sessionTarget: "main",
    wakeMode: "now",
    payload: { kind: "systemEvent", text: "The tea is ready." },
  });
  await it.gateway.stop("SIGKILL");
  await new Promise((resolve) => setTimeout(resolve, 1000));
  it.gateway = await startGateway({ home: it.home, args: [] });
  await until(
    "the reminder is answered",
    async () => (await said(it, "main")).some((line) => line.startsWith("assistant")) || undefined,
    15_000,
  );
  assert.is((await said(it, "main")).filter((line) => line.includes("System: [")).length, 2, "once, and its echo");
  assert.equal((await it.call("cron.list", { includeDisabled: true })).jobs, []);
  await it.gateway.stop();
});

test("the command line schedules, runs and lists jobs of a gateway that runs", async () => {
  const it = await world();
  const cli = (...args: readonly string[]) =>
    runCommand(["cron", ...args, "--url", it.gateway.url, "--token", token], it.home);
  const added = await cli(
    "add",
    "--name",
    "brief",
    "--cron",
    "0 7 * * 1-5",
    "--tz",
    "Europe/Vienna",
    "--message",
    "hi",
  );
  assert.match(added.stdout, /^✓ Added brief \([0-9a-f-]{36}\): runs .* \(in \d+[dhms]\)\.\n$/, added.stderr);
  const [, id = ""] = /\(([0-9a-f-]{36})\)/.exec(added.stdout) ?? [];
  assert.match((await cli("list")).stdout, /brief +cron 0 7 \* \* 1-5 @ Europe\/Vienna/);
  assert.is((await cli("run", id, "--force")).status, 0);
  await until(
    "the run is listed",
    async () => /brief +ok/.test((await cli("runs", "--id", id)).stdout) || undefined,
    30_000,
  );
  assert.match(
    (await cli("add", "--name", "x", "--cron", "61 * * * *", "--message", "m")).stderr,
    /Allowed are minute 0-59/,
  );
  assert.is((await cli("rm", id)).status, 0);
  assert.is((await cli("list")).stdout, "No cron jobs.\n");
  await it.gateway.stop();
});

test("SC-027 a call from another program over HTTP is answered by an agent, and refused without the secret", async () => {
  const it = await world();
  const url = `${it.gateway.url.replace("ws", "http")}/hooks/agent`;
  const post = (headers: Record<string, string>, body: string) => fetch(url, { method: "POST", headers, body });
  const headers = { authorization: `Bearer ${hookToken}`, "idempotency-key": "one" };
  const [first, again] = [
    await post(headers, JSON.stringify({ message: "hello from CI" })),
    await post(headers, JSON.stringify({ message: "hello from CI" })),
  ];
  assert.is(first.status, 202);
  const { runId } = (await first.json()) as { runId: string };
  assert.is(((await again.json()) as { runId: string }).runId, runId);
  await until(
    "the answer",
    async () => (await said(it, runId)).some((line) => /^assistant: .*hello from CI/s.test(line)) || undefined,
    15_000,
  );
  const wrongs: readonly Record<string, string>[] = [{}, { authorization: `Bearer ${token}` }];
  for (const wrong of wrongs) assert.is((await post(wrong, "{")).status, 401, "the gateway's own secret is no hook's");
  assert.is((await fetch(url)).status, 405);
  assert.is(
    (await fetch(url.replace("agent", "wake"), { method: "POST", headers, body: "x".repeat(300_000) })).status,
    413,
  );
  await it.gateway.stop();
});

test("a gateway with SKIP_CRON runs no jobs and says so", async () => {
  const home = makeHome();
  const gateway = await startGateway({ home, config, args: [], env: { OPENCLAW_SKIP_CRON: "1" } });
  const client = await openRpc(gateway.url, { auth: { token } });
  const status: RpcPayload = await client.call("cron.status", {});
  assert.is(status.enabled, false);
  client.close();
  await gateway.stop();
});

test.run();
