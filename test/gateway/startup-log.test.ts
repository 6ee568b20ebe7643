import { test } from "uvu";
import * as assert from "uvu/assert";
import { logFreedPort, logGatewayStartup } from "../../src/gateway/startup-log.ts";
import { consoleLog, type ConsoleStyle } from "../../src/gateway/console-log.ts";
import { createLogger, type Level } from "../../src/kit/log.ts";
import { scriptedHost } from "../support/host.ts";

const startup = {
  model: "anthropic/claude-opus-4-5",
  addresses: ["127.0.0.1", "::1"],
  port: 18789,
  pid: 12345,
  logFile: "/home/me/.clawdbot/logs/gateway.log",
};

test("SC-031 SC-032 SC-033 SC-034 SC-245 model, addresses and log file, in this order and word by word", () => {
  const { log, host } = printing("compact");
  logGatewayStartup(log, startup);
  assert.is(
    host.terminal.stdout.text,
    `✓ agent model: anthropic/claude-opus-4-5
✓ listening on ws://127.0.0.1:18789 (PID 12345)
✓ listening on ws://[::1]:18789
✓ log file: /home/me/.clawdbot/logs/gateway.log
`,
  );
  assert.is(host.terminal.stderr.text, "");
});

test("SC-045 every address has a line, the PID on the first", () => {
  const { log, host } = printing("pretty");
  logGatewayStartup(log, { ...startup, addresses: ["192.168.1.100", "10.0.0.5", "fd00::5"] });
  assert.equal(host.terminal.stdout.text.match(/listening.*/g), [
    "listening on ws://192.168.1.100:18789 (PID 12345)",
    "listening on ws://10.0.0.5:18789",
    "listening on ws://[fd00::5]:18789",
  ]);
});

test("cli.md 2.4 tls: where it is encrypted the addresses say so, and the fingerprint follows as people compare it", () => {
  const { log, host } = printing("compact");
  logGatewayStartup(log, { ...startup, fingerprint: "ab".repeat(32) });
  assert.equal(host.terminal.stdout.text.split("\n").slice(1, 4), [
    "✓ listening on wss://127.0.0.1:18789 (PID 12345)",
    "✓ listening on wss://[::1]:18789",
    `✓ TLS certificate: sha256 ${Array.from({ length: 32 }, () => "ab").join(":")}`,
  ]);
});

test("SC-070 SC-071 SC-074 what --force did, in the order of the specification", () => {
  const { log, host } = printing("compact");
  logFreedPort(log, 18789, { killed: [{ pid: 9876, command: "node" }], escalated: true, waitedMs: 1200 });
  assert.is(
    host.terminal.stdout.text,
    `force: killed pid 9876 (node) on port 18789
force: escalated to SIGKILL while freeing port 18789
force: waited 1200ms for port 18789 to free
`,
  );
});

test("SC-071 SC-077 a free port is said to be free, and nothing was waited for", () => {
  const { log, host } = printing("compact");
  logFreedPort(log, 18789, { killed: [], escalated: false, waitedMs: 0 });
  assert.is(host.terminal.stdout.text, "force: no listeners on port 18789\n");
});

test("json lines have fields and no marker", () => {
  const { log, host } = printing("json");
  log.info("✓ log file: /x", { intervalMs: 1800 });
  assert.equal(JSON.parse(host.terminal.stdout.text), {
    time: "2026-11-21T00:00:00.000Z",
    level: "info",
    subsystem: "gateway",
    message: "log file: /x",
    intervalMs: 1800,
  });
});

test("compact lines have an ISO time, the short subsystem and fields", () => {
  const { log, host } = printing("compact");
  log.child("gateway/reload").info("changed", { path: "gateway.port", token: "abcdefghijklmnopqrstuvwxyz" });
  assert.is(
    host.terminal.stdout.text,
    "2026-11-21T00:00:00.000Z [reload] changed path=gateway.port token=abcdef…wxyz\n",
  );
});

test("warnings and errors go to standard error, and the level hides what is below it", () => {
  const { log, host } = printing("compact", "warn");
  log.info("quiet");
  log.warn("loud");
  log.error("louder");
  assert.is(host.terminal.stdout.text, "");
  assert.equal(host.terminal.stderr.text.match(/loud.*/g), ["loud", "louder"]);
});

test("SC-164 a filter shows one subsystem alone", () => {
  const host = scriptedHost();
  const log = createLogger(
    () => host.clock.now(),
    [consoleLog(host, { style: "compact", level: "trace", only: "claude-cli" })],
  );
  log.error("not this");
  log.child("agent/claude-cli").info("this");
  assert.is(host.terminal.stderr.text, "");
  assert.match(host.terminal.stdout.text, "[agent/claude-cli] this");
});

test("threat R text from outside neither starts a line nor steers the terminal", () => {
  const { log, host } = printing("compact");
  log.info("hello\n✓ listening \u001b[2J\u202e", { name: "a\r\nb" });
  assert.is(host.terminal.stdout.text.split("\n").length, 2);
  for (const character of ["\u001b", "\r", "\u202e"]) assert.not.ok(host.terminal.stdout.text.includes(character));
});

function printing(style: ConsoleStyle, level: Level = "info") {
  const host = scriptedHost();
  return { host, log: createLogger(() => host.clock.now(), [consoleLog(host, { style, level })]) };
}

test.run();
