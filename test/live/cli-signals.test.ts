import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { makeHome, runCommand, startGateway, until, type GatewayProcess } from "../support/gateway-process.ts";
import { connectOfficial, makeDevice, type TokenShelf } from "../support/official-client.ts";
import { endLaunched } from "../support/launch.ts";

const token = "a-token-of-this-test";
const gatewayConfig = { mode: "local", auth: { mode: "token", token } };
const config = { gateway: gatewayConfig };
const watcher = { token, clientName: "cli" as const, mode: "cli" as const, scopes: ["operator.admin"] };
test.after(endLaunched);

for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
  test(`SC-012 SC-170 ${signal} tells the clients, closes and ends with status 0`, async () => {
    const gateway = await startGateway({ config, args: [] });
    const { events, closed, client } = await connectOfficial({ url: gateway.url, ...watcher });
    process.kill(gateway.pid, signal);
    const { code } = await closed;
    client.stop();
    assert.is(await gateway.exited, 0);
    assert.ok(events.some(({ event }) => event === "shutdown"));
    assert.is(code, 1012);
    assert.match(gateway.stdout(), `received ${signal}; shutting down`);
    assert.match(readFileSync(join(gateway.home, ".openclaw", "logs", "gateway.log"), "utf8"), `received ${signal}`);
    rmSync(gateway.home, { recursive: true });
  });
}

test("SC-169 SIGUSR1 with commands.restart: same process, new lines, and clients come back", async () => {
  const gateway = await startGateway({ config: { ...config, commands: { restart: true } }, args: [] });
  const { client } = await connectOfficial({ url: gateway.url, ...watcher });
  const boots = () => gateway.stdout().match(/listening on ws:\/\/127\.0\.0\.1:\d+ \(PID \d+\)/g) ?? [];
  process.kill(gateway.pid, "SIGUSR1");
  await until("second start", () => boots().length === 2 || undefined, 10_000);
  assert.match(gateway.stdout(), "received SIGUSR1; restarting");
  assert.is(boots()[0], boots()[1], "same address, same PID");
  await until("the client's return", async () => (await answers(client)) || undefined, 60_000);
  await client.stopAndWait({ timeoutMs: 2000 });
  assert.is(await gateway.stop(), 0);
});

test("SC-169 SIGUSR1 without commands.restart changes nothing and is said to be ignored", async () => {
  const gateway = await startGateway({ config: { ...config, commands: { restart: false } }, args: [] });
  process.kill(gateway.pid, "SIGUSR1");
  const ignored = "SIGUSR1 restart ignored (not authorized; enable commands.restart or use gateway tool).";
  await until("warning", () => gateway.stderr().includes(ignored) || undefined);
  assert.is((await runCommand(["health"], gateway.home)).status, 0);
  assert.is(gateway.stdout().split("agent model").length, 2, "started once");
  await gateway.stop();
});

test("kill -9, then start again: at once, with configuration, pairing and tokens as they were", async () => {
  const home = makeHome();
  const [device, shelf]: [ReturnType<typeof makeDevice>, TokenShelf] = [makeDevice(), new Map()];
  const first = await startGateway({ home, config, args: [] });
  const tui = {
    clientName: "openclaw-tui" as const,
    mode: "ui" as const,
    scopes: ["operator.read"],
    device,
    shelf,
  };
  await (await connectOfficial({ url: first.url, token, ...tui })).stop();
  assert.is((await runCommand(["config", "set", "logging.level", "debug"], home)).status, 0);
  const before = await kept(first);
  assert.is(await first.stop("SIGKILL"), "SIGKILL");

  const again = await startGateway({ home, port: first.port, args: [] });
  assert.not.match(again.stderr(), "standing by", "no lock outlives its process");
  assert.equal(await kept(again), before);
  await (await connectOfficial({ url: again.url, ...tui })).stop();
  await again.stop();
  rmSync(home, { recursive: true });
});

/** What must survive. */
async function kept({ home }: GatewayProcess): Promise<unknown> {
  const { paired } = JSON.parse((await runCommand(["devices", "list", "--json"], home)).stdout);
  const { stdout } = await runCommand(["config", "get", "--json"], home);
  return [
    paired.map((each: { deviceId: string; tokens: unknown }) => [each.deviceId, Object.keys(each.tokens ?? {})]),
    JSON.parse(stdout),
  ];
}

async function answers(client: { request(method: string): Promise<unknown> }): Promise<boolean> {
  try {
    await client.request("health");
    return true;
  } catch {
    return false; // not back yet
  }
}

test.run();
