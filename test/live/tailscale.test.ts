import { rmSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { fakeTailscale, type FakeTailscale } from "../support/fake-tailscale.ts";
import { makeHome, runCommand, startGateway, until, type GatewayProcess } from "../support/gateway-process.ts";
import { endLaunched } from "../support/launch.ts";
import { connectFrame } from "../support/no-port.ts";
import { openRaw, UpgradeRefused } from "../support/raw-client.ts";
import { recorded } from "../tailscale/recorded.ts";

const secret = "a-secret-of-this-test-that-is-long";
const serve = ["--tailscale", "serve", "--token", secret, "--allow-unconfigured"];
const funnel = ["--tailscale", "funnel", "--auth", "password", "--password", secret, "--allow-unconfigured"];
test.after(endLaunched);

test("SC-008 SC-095 SC-097 SC-098 SC-099 SC-100 SC-106 serve tells the lines of the seed in their order", () =>
  withTailscale(async (tailscale) => {
    tailscale.answers("status", recorded("running.json"));
    tailscale.answers("serve", recorded("serve-ok.txt"));
    const gateway = await startGateway({ args: serve, env: tailscale.env });
    const told = gateway.stdout();
    const lines = [
      "\n✓ Tailscale identity detected\n",
      "\n✓ advertising gateway via Tailscale Serve\n",
      "\n✓ MagicDNS: https://box.tail1234.ts.net\n",
      `\n✓ listening on ws://127.0.0.1:${gateway.port} (PID ${gateway.pid})\n`,
    ];
    const places = lines.map((line) => `\n${told}`.indexOf(line));
    assert.ok(
      places.every((place, index) => place >= 0 && place > (places[index - 1] ?? -1)),
      told,
    );
    assert.match(told, "[tailscale] serve enabled: https://box.tail1234.ts.net/ (WS via wss://box.tail1234.ts.net)");
    assert.equal(tailscale.asked(), ["status --json", `serve --bg --yes ${gateway.port}`]);
    assert.not.match(told, /listening on ws:\/\/(?!127\.0\.0\.1|\[::1\])/);
    const status = await statusOf(gateway);
    assert.match(status, "✓ https://box.tail1234.ts.net/");
    assert.is(await gateway.stop(), 0);
    assert.not.ok(tailscale.asked().includes("serve reset"), "it stays published unless somebody wishes otherwise");
  }));

test("SC-096 SC-101 SC-105 funnel with a password is published, and withdrawn on SIGTERM", () =>
  withTailscale(async (tailscale) => {
    tailscale.answers("status", recorded("running.json"));
    tailscale.answers("funnel", recorded("funnel-ok.txt"));
    const gateway = await startGateway({ args: [...funnel, "--tailscale-reset-on-exit"], env: tailscale.env });
    assert.match(gateway.stdout(), "✓ Tailscale Funnel enabled\n✓ Funnel URL: https://box.tail1234.ts.net\n");
    assert.is(await gateway.stop("SIGTERM"), 0);
    assert.equal(tailscale.asked(), ["status --json", `funnel --bg --yes ${gateway.port}`, "funnel reset"]);
  }));

test("SC-096 funnel without a password does not start, with status 78", async () => {
  const home = makeHome();
  const { status, stderr } = await runCommand(["gateway", "--tailscale", "funnel", "--allow-unconfigured"], home);
  assert.is(status, 78);
  assert.match(stderr, "tailscale funnel requires gateway auth mode=password");
  rmSync(home, { recursive: true });
});

test("without tailscale the gateway goes on on this machine, and says what is missing wherever it is asked", async () => {
  const gateway = await startGateway({ args: serve });
  const reason = "serve failed: the program tailscale is not installed; install it: https://tailscale.com/download";
  await until("the reason", () => gateway.stderr().includes(`[tailscale] ${reason}`) || undefined);
  assert.match(await statusOf(gateway), `✗ ${reason}`);
  const health = await runCommand(["gateway", "health", "--url", gateway.url, "--token", secret], gateway.home);
  assert.is(health.status, 0, "it is well, on this machine");
  assert.match(health.stdout, reason);
  assert.is(await gateway.stop(), 0);
});

for (const { name, args, prepare, line } of [
  {
    name: "logged out",
    args: serve,
    prepare: (tailscale: FakeTailscale) => tailscale.answers("status", recorded("needs-login.json")),
    line: "serve failed: Tailscale is logged out; log in: tailscale up",
  },
  {
    name: "stopped",
    args: serve,
    prepare: (tailscale: FakeTailscale) => tailscale.answers("status", recorded("stopped.json")),
    line: "serve failed: Tailscale is stopped; start it: tailscale up",
  },
  {
    name: "without its daemon",
    args: serve,
    prepare: (tailscale: FakeTailscale) => tailscale.fails("status", recorded("no-daemon.txt")),
    line: "serve failed: Tailscale does not run; start it:",
  },
  {
    name: "without HTTPS",
    args: serve,
    prepare(tailscale: FakeTailscale) {
      tailscale.answers("status", recorded("running-no-https.json"));
      tailscale.answers("serve", recorded("serve-not-enabled.txt"));
    },
    line: "serve failed: HTTPS is not enabled for the tailnet; enable it: https://login.tailscale.com/f/serve?node=nExample1CNTRL",
  },
  {
    name: "not allowed to use Funnel",
    args: funnel,
    prepare(tailscale: FakeTailscale) {
      tailscale.answers("status", recorded("running.json"));
      tailscale.fails("funnel", recorded("funnel-no-attribute.txt"));
    },
    line: "funnel failed: the tailnet does not let this machine use Funnel; allow it: https://tailscale.com/s/no-funnel",
  },
  {
    name: "somebody else's to change",
    args: serve,
    prepare(tailscale: FakeTailscale) {
      tailscale.answers("status", recorded("running.json"));
      tailscale.fails("serve", recorded("serve-denied.txt"));
    },
    line: "serve failed: Tailscale takes this from its operator only; become it: sudo tailscale set --operator=$USER",
  },
])
  test(`Tailscale that is ${name} is told on standard error, and the gateway goes on and ends well`, () =>
    withTailscale(async (tailscale) => {
      prepare(tailscale);
      const gateway = await startGateway({ args: [...args, "--tailscale-reset-on-exit"], env: tailscale.env });
      await until("the reason", () => gateway.stderr().includes(`[tailscale] ${line}`) || undefined);
      assert.not.match(gateway.stdout() + gateway.stderr(), secret);
      assert.is(await gateway.stop(), 0);
      assert.not.ok(
        tailscale.asked().some((line) => line.endsWith("reset")),
        "nothing was published",
      );
    }));

test("a tailscale that hangs neither keeps the gateway from listening nor from ending", () =>
  withTailscale(async (tailscale) => {
    tailscale.hangs("status");
    const gateway = await startGateway({ args: serve, env: tailscale.env });
    await until("the reason", () => gateway.stderr().includes("no answer in time") || undefined, 15_000);
    assert.is(await gateway.stop(), 0);
  }));

test("what a killed gateway was to withdraw is withdrawn at the next start without Tailscale", () =>
  withTailscale(async (tailscale) => {
    const home = makeHome();
    tailscale.answers("status", recorded("running.json"));
    const first = await startGateway({ home, args: [...serve, "--tailscale-reset-on-exit"], env: tailscale.env });
    await first.stop("SIGKILL");
    tailscale.answers("serve-status", recorded("serve-status.json").replace("18789", String(first.port)));
    const second = await startGateway({ home, env: tailscale.env });
    await until("the reset", () => tailscale.asked().includes("serve reset") || undefined);
    assert.is(await second.stop(), 0);
    rmSync(home, { recursive: true });
  }));

test("SC-102 SC-103 threat J: through Serve the person whom whois names gets in, or who has the secret, and nobody else", () =>
  withTailscale(async (tailscale) => {
    tailscale.answers("status", recorded("running.json"));
    tailscale.answers("whois", recorded("whois.json"));
    const gateway = await startGateway({ args: serve, env: tailscale.env });
    const owner = { "tailscale-user-login": "ada@example.com" };
    const through = (headers: object, auth?: object) => helloThrough(gateway, headers, auth);
    assert.is(await through(owner), "ok");
    assert.is(await through({ ...owner, origin: "https://box.tail1234.ts.net" }), "ok", "the gateway's own page");
    assert.is(await through({ ...owner, origin: "https://other.tail1234.ts.net" }), "HTTP 403");
    assert.is(await through({}, { token: secret }), "ok");
    assert.is.not(await through({}), "ok");
    assert.is(await through({ "tailscale-user-login": "eve@example.com" }), "AUTH_TAILSCALE_IDENTITY_MISMATCH");
    assert.equal(
      tailscale.asked().filter((line) => line.startsWith("whois")),
      ["whois --json 100.88.77.66"],
    );
    assert.is(await gateway.stop(), 0);
  }));

/** Connects as Tailscale Serve forwards it; answers `ok`, or how it was refused. */
async function helloThrough(gateway: GatewayProcess, headers: object, auth: object = {}): Promise<string> {
  const forwarded = {
    host: "box.tail1234.ts.net",
    "x-forwarded-for": "100.88.77.66",
    "x-forwarded-proto": "https",
    "x-forwarded-host": "box.tail1234.ts.net",
  };
  const client = await openRaw(gateway.url, { headers: { ...forwarded, ...headers } }).catch(refusal);
  if (client instanceof UpgradeRefused) return client.message;
  await client.next();
  client.send(JSON.stringify(connectFrame({ auth })));
  const answer = JSON.parse((await client.next()) ?? "{}") as { ok?: boolean; error?: { details?: { code?: string } } };
  client.close();
  return answer.ok ? "ok" : (answer.error?.details?.code ?? "refused");
}

function refusal(error: unknown): UpgradeRefused {
  if (error instanceof UpgradeRefused) return error;
  throw error;
}

async function withTailscale(work: (tailscale: FakeTailscale) => Promise<void>): Promise<void> {
  const tailscale = fakeTailscale();
  try {
    await work(tailscale);
  } finally {
    tailscale.remove();
  }
}

async function statusOf(gateway: GatewayProcess): Promise<string> {
  const { stdout } = await runCommand(["status", "--url", gateway.url, "--token", secret], gateway.home);
  return stdout;
}

test.run();
