import { test } from "uvu";
import * as assert from "uvu/assert";
import type { PartState } from "../../src/app.ts";
import { createPublishing, type PublishWish } from "../../src/gateway/publishing.ts";
import type { RunResult } from "../../src/host/host.ts";
import { createLogger } from "../../src/kit/log.ts";
import { createTailscale } from "../../src/tailscale/tailscale.ts";
import { settle } from "../support/fake-clock.ts";
import { scriptedHost, type Answer, type ScriptedOptions } from "../support/host.ts";
import { complained, printed } from "../tailscale/recorded.ts";

const state = "/home/me/.openclaw";
const mark = `${state}/tailscale.json`;
const target = { port: 18_789, tls: false };
const running = printed("running.json");

test("SC-095 SC-097 SC-098 SC-099 serve is published, and the lines of the seed tell it", async () => {
  const { publishing, ran, lines, told } = machine(
    { mode: "serve" },
    { status: running, serve: printed("serve-ok.txt") },
  );
  await publishing.begin(target);
  assert.equal(ran(), ["status --json", "serve --bg --yes 18789"]);
  assert.equal(lines(), [
    "gateway info ✓ Tailscale identity detected",
    "gateway info ✓ advertising gateway via Tailscale Serve",
    "gateway info ✓ MagicDNS: https://box.tail1234.ts.net",
    "tailscale info serve enabled: https://box.tail1234.ts.net/ (WS via wss://box.tail1234.ts.net)",
  ]);
  assert.equal(told.at(-1), { part: "tailscale", state: "ok", url: "https://box.tail1234.ts.net/" });
  assert.is(publishing.name(), "box.tail1234.ts.net");
});

test("SC-096 SC-101 funnel is published, and the lines of the seed tell it", async () => {
  const { publishing, ran, lines } = machine({ mode: "funnel" }, { status: running, funnel: printed("funnel-ok.txt") });
  await publishing.begin(target);
  assert.equal(ran(), ["status --json", "funnel --bg --yes 18789"]);
  assert.equal(lines().slice(0, 2), [
    "gateway info ✓ Tailscale Funnel enabled",
    "gateway info ✓ Funnel URL: https://box.tail1234.ts.net",
  ]);
});

test("the path of the web page is in the address, and TLS of the gateway's own in the target", async () => {
  const { publishing, ran, lines } = machine({ mode: "serve", basePath: "/ui/" }, { status: running, serve: {} });
  await publishing.begin({ port: 18_789, tls: true });
  assert.is(ran().at(-1), "serve --bg --yes https+insecure://127.0.0.1:18789");
  assert.match(lines().at(-1) ?? "", "https://box.tail1234.ts.net/ui/ (WS via wss://box.tail1234.ts.net)");
});

test("with mode off Tailscale is not even asked", async () => {
  const { publishing, ran, lines } = machine({ mode: "off" }, { status: running });
  await publishing.begin(target);
  await settle();
  await publishing.end({ owner: true });
  assert.equal([ran(), lines()], [[], []]);
});

test("a gateway on standby or in safe mode publishes nothing and takes nothing back", async () => {
  const { publishing, ran, host } = machine(undefined, { status: running });
  host.files.put(mark, JSON.stringify({ mode: "serve", port: 18_789, resetOnExit: true }));
  await publishing.begin(target);
  await settle();
  await publishing.end({ owner: true });
  assert.equal(ran(), []);
});

test("SC-105 what was published is taken back at the end where that is wished", async () => {
  for (const mode of ["serve", "funnel"] as const) {
    const { publishing, ran, host } = machine({ mode, resetOnExit: true }, { status: running, [mode]: {} });
    await publishing.begin(target);
    assert.match(host.files.snapshot()[mark] ?? "", `"mode":"${mode}"`);
    await publishing.end({ owner: true });
    assert.is(ran().at(-1), `${mode} reset`);
    assert.is(host.files.snapshot()[mark], undefined);
  }
});

test("SC-105 without the wish it stays published, and the mark remembers it", async () => {
  const { publishing, ran, host } = machine({ mode: "serve" }, { status: running, serve: {} });
  await publishing.begin(target);
  await publishing.end({ owner: true });
  assert.is(ran().at(-1), "serve --bg --yes 18789");
  assert.is.not(host.files.snapshot()[mark], undefined);
});

test("what could not be published is not taken back", async () => {
  const { publishing, ran, host } = machine(
    { mode: "serve", resetOnExit: true },
    { status: running, serve: complained("serve-denied.txt") },
  );
  await publishing.begin(target);
  await publishing.end({ owner: true });
  assert.not.ok(ran().includes("serve reset"));
  assert.is(host.files.snapshot()[mark], undefined);
});

test("a process that lost its state folder leaves what is published to the new owner", async () => {
  const { publishing, ran } = machine({ mode: "serve", resetOnExit: true }, { status: running, serve: {} });
  await publishing.begin(target);
  await publishing.end({ owner: false });
  assert.not.ok(ran().includes("serve reset"));
});

test("a restart with the same wish publishes nothing again and tells the lines again", async () => {
  const { publishing, ran, lines, wish, host } = machine({ mode: "serve" }, { status: running, serve: {} });
  await publishing.begin(target);
  wish.resetOnExit = true;
  await publishing.begin(target);
  assert.equal(ran(), ["status --json", "serve --bg --yes 18789"]);
  assert.is(lines().filter((line) => line.includes("MagicDNS")).length, 2);
  assert.match(host.files.snapshot()[mark] ?? "", '"resetOnExit":true');
});

test("a restart with another port or mode publishes anew", async () => {
  const { publishing, ran, wish } = machine(
    { mode: "serve" },
    { status: running, serve: {}, funnel: printed("funnel-ok.txt") },
  );
  await publishing.begin(target);
  await publishing.begin({ port: 18_790, tls: false });
  wish.mode = "funnel";
  await publishing.begin({ port: 18_790, tls: false });
  assert.equal(
    ran().filter((line) => !line.startsWith("status")),
    ["serve --bg --yes 18789", "serve --bg --yes 18790", "funnel --bg --yes 18790"],
  );
});

test("a restart with mode off takes back what this process has published", async () => {
  const { publishing, ran, wish, told, host } = machine({ mode: "serve" }, { status: running, serve: {} });
  await publishing.begin(target);
  wish.mode = "off";
  await publishing.begin(target);
  await settle();
  assert.is(ran().at(-1), "serve reset");
  assert.is(host.files.snapshot()[mark], undefined);
  assert.equal(told.at(-1), { part: "tailscale", state: "ok" });
  assert.is(publishing.name(), undefined);
});

test("what a killed gateway was to take back is taken back at the next start with mode off", async () => {
  const { publishing, ran, host } = machine({ mode: "off" }, { serve: servedOr({}) });
  host.files.put(mark, JSON.stringify({ mode: "serve", port: 18_789, resetOnExit: true }));
  await publishing.begin(target);
  await settle();
  assert.equal(ran(), ["serve status --json", "serve reset"]);
  assert.is(host.files.snapshot()[mark], undefined);
});

test("what an earlier start left published on purpose is told, with the command that ends it", async () => {
  const { publishing, ran, lines, host } = machine({ mode: "off" }, { serve: servedOr({}) });
  host.files.put(mark, JSON.stringify({ mode: "serve", port: 18_789, resetOnExit: false }));
  await publishing.begin(target);
  await settle();
  assert.equal(ran(), ["serve status --json"]);
  assert.equal(lines(), [
    "tailscale warn Tailscale Serve still leads to port 18789 from an earlier start; to end that: tailscale serve reset",
  ]);
});

test("what somebody else publishes by now is left alone", async () => {
  const { publishing, ran, lines, host } = machine({ mode: "off" }, { serve: printed("serve-status-other.json") });
  host.files.put(mark, JSON.stringify({ mode: "serve", port: 18_789, resetOnExit: true }));
  await publishing.begin(target);
  await settle();
  assert.equal([ran(), lines()], [["serve status --json"], []]);
  assert.is(host.files.snapshot()[mark], undefined);
});

for (const [name, mode, answers, line] of [
  [
    "not installed",
    "serve",
    {},
    "serve failed: the program tailscale is not installed; install it: https://tailscale.com/download",
  ],
  [
    "logged out",
    "serve",
    { status: printed("needs-login.json") },
    "serve failed: Tailscale is logged out; log in: tailscale up",
  ],
  [
    "stopped",
    "funnel",
    { status: printed("stopped.json") },
    "funnel failed: Tailscale is stopped; start it: tailscale up",
  ],
  [
    "without its daemon",
    "serve",
    { status: complained("no-daemon.txt") },
    "serve failed: Tailscale does not run; start it: sudo systemctl start tailscaled",
  ],
  [
    "without MagicDNS",
    "serve",
    { status: printed("running-no-magicdns.json") },
    "serve failed: this machine has no name in the tailnet; enable MagicDNS: https://login.tailscale.com/admin/dns",
  ],
  [
    "without HTTPS",
    "serve",
    { status: printed("running-no-https.json"), serve: { ...printed("serve-not-enabled.txt"), code: 128 } },
    "serve failed: HTTPS is not enabled for the tailnet; enable it: https://login.tailscale.com/f/serve?node=nExample1CNTRL, then: clawlet gateway restart",
  ],
  [
    "not allowed to use Funnel",
    "funnel",
    { status: running, funnel: complained("funnel-no-attribute.txt") },
    "funnel failed: the tailnet does not let this machine use Funnel; allow it: https://tailscale.com/s/no-funnel, then: clawlet gateway restart",
  ],
  [
    "not this user's to change",
    "serve",
    { status: running, serve: complained("serve-denied.txt") },
    "serve failed: Tailscale takes this from its operator only; become it: sudo tailscale set --operator=$USER, then: clawlet gateway restart",
  ],
] as const)
  test(`Tailscale that is ${name} leaves the gateway on this machine, with the reason and what to do`, async () => {
    const { publishing, lines, told } = machine({ mode }, answers);
    await publishing.begin(target);
    assert.equal(lines(), [`tailscale error ${line}`]);
    assert.equal(told.at(-1), { part: "tailscale", state: "degraded", reason: line });
    await publishing.end({ owner: true });
  });

test("a daemon that starts is waited for, and said once", async () => {
  let now: Partial<RunResult> = printed("starting.json");
  const { publishing, lines, told, host } = machine({ mode: "serve" }, { status: () => now, serve: {} });
  await publishing.begin(target);
  await host.clock.advance(10_000);
  assert.equal(lines(), ["tailscale info waiting for Tailscale to start"]);
  now = running;
  await host.clock.advance(2000);
  assert.match(lines().at(-1) ?? "", "serve enabled");
  assert.is(told.at(-1)?.state, "ok");
});

test("a daemon that still starts after 90 seconds is told as a failure, and asked once a minute from then on", async () => {
  const { publishing, lines, ran, host } = machine({ mode: "serve" }, { status: printed("no-state.json") });
  await publishing.begin(target);
  await host.clock.advance(90_000);
  assert.match(lines().at(-1) ?? "", "error serve failed: Tailscale is still starting");
  const before = ran().length;
  await host.clock.advance(300_000);
  assert.is(ran().length, before + 5);
  assert.is(lines().length, 2);
  await publishing.end({ owner: true });
});

test("somebody who logs in later needs no restart", async () => {
  let now: Partial<RunResult> = printed("needs-login.json");
  const { publishing, lines, host } = machine({ mode: "serve" }, { status: () => now, serve: {} });
  await publishing.begin(target);
  now = running;
  await host.clock.advance(60_000);
  assert.match(lines().at(-1) ?? "", "serve enabled");
});

test("a slow daemon holds the start up for two seconds and no longer, and a hanging one the end for five", async () => {
  const { publishing, host } = machine({ mode: "serve" }, { status: () => new Promise(() => undefined) });
  let [begun, ended] = [false, false];
  void publishing.begin(target).then(() => (begun = true));
  await host.clock.advance(1999);
  assert.is(begun, false);
  await host.clock.advance(1);
  assert.is(begun, true);
  void publishing.end({ owner: true }).then(() => (ended = true));
  await host.clock.advance(4999);
  assert.is(ended, false);
  await host.clock.advance(1);
  assert.is(ended, true);
});

test("an ended gateway asks no more", async () => {
  const { publishing, ran, host } = machine({ mode: "serve" }, { status: printed("stopped.json") });
  await publishing.begin(target);
  await publishing.end({ owner: true });
  const before = ran().length;
  await host.clock.advance(600_000);
  assert.is(ran().length, before);
});

test("a disk that is full keeps the gateway from publishing what it could not take back", async () => {
  const { publishing, ran, told, host } = machine({ mode: "serve" }, { status: running, serve: {} });
  host.files.before = (operation) => {
    if (operation === "write") throw new Error("no space left on the disk");
  };
  await publishing.begin(target);
  assert.equal(ran(), ["status --json"]);
  assert.match(told.at(-1)?.reason ?? "", "no space left");
});

test("threat G a mark that was tampered with is not obeyed", async () => {
  for (const text of ["", "[]", '{"mode":"serve; id","port":1,"resetOnExit":true}', '{"mode":"serve","port":"1"}']) {
    const { publishing, ran, host } = machine({ mode: "off" }, { serve: servedOr({}) });
    host.files.put(mark, text);
    await publishing.begin(target);
    await settle();
    assert.equal(ran(), []);
  }
});

/** What `tailscale serve` answers: its state when asked for it, else this. */
function servedOr(answer: object): Answer {
  return (args) => (args[1] === "status" ? printed("serve-status.json") : answer);
}

function machine(wished: Partial<PublishWish> | undefined, answers: Readonly<Record<string, Answer>>) {
  const tailscale: NonNullable<ScriptedOptions["commands"]>[string] = (args, options) => {
    const answer = answers[args[0] ?? ""] ?? { code: 127 };
    return typeof answer === "function" ? answer(args, options) : answer;
  };
  const host = scriptedHost({ commands: { tailscale } });
  host.files.putFolder(state);
  const records: string[] = [];
  const log = createLogger(
    () => 0,
    [({ subsystem, level, message }) => void records.push(`${subsystem} ${level} ${message}`)],
  );
  const wish = { mode: "off" as PublishWish["mode"], resetOnExit: false, basePath: "/", ...wished };
  const told: PartState[] = [];
  const publishing = createPublishing(host, {
    state,
    program: "clawlet",
    log,
    tailscale: createTailscale(host),
    wish: () => (wished ? wish : undefined),
  });
  publishing.watch((part) => told.push(part));
  return {
    host,
    wish,
    told,
    publishing,
    lines: () => [...records],
    ran: () => host.processes.ran.map(({ args }) => args.join(" ")),
  };
}

test.run();
