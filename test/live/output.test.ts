import { spawn, type StdioOptions } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { makeHome } from "../support/gateway-process.ts";
import { program } from "../support/runtime.ts";

/** Several times what a pipe holds. */
const long = "0123456789".repeat(40_000);

const home = makeHome();
mkdirSync(join(home, ".openclaw"), { mode: 0o700 });
const config = { agents: { defaults: { note: long } } };
writeFileSync(join(home, ".openclaw", "openclaw.json"), JSON.stringify(config), { mode: 0o600 });
test.after(() => rmSync(home, { recursive: true }));

function start(args: readonly string[], stdio: StdioOptions) {
  const [command = "", ...before] = program;
  const child = spawn(command, [...before, ...args], { env: { ...process.env, HOME: home }, stdio });
  return { child, ended: once(child, "close").then(([code]: unknown[]) => code) };
}

test("a reader that takes its time gets all of it", async () => {
  const { child, ended } = start(["config", "get", "agents.defaults.note"], ["ignore", "pipe", "inherit"]);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  let text = "";
  child.stdout?.setEncoding("utf8").on("data", (more: string) => void (text += more));
  assert.is(await ended, 0);
  assert.is(text.length, long.length + 1);
  assert.ok(text === `${long}\n`);
});

test("a reader that goes away is no error", async () => {
  const { child, ended } = start(["config", "get", "agents.defaults.note"], ["ignore", "pipe", "pipe"]);
  let complaints = "";
  child.stderr?.setEncoding("utf8").on("data", (more: string) => void (complaints += more));
  child.stdout?.destroy();
  assert.equal([await ended, complaints], [0, ""]);
});

test("a file that both streams go to has what was there before, and then the lines in their order", async () => {
  const file = join(home, "both");
  writeFileSync(file, "before\n");
  const both = openSync(file, "a");
  const { ended } = start(["config", "get", "nothing.here"], ["ignore", both, both]);
  const code = await ended;
  closeSync(both);
  assert.is.not(code, 0);
  assert.match(readFileSync(file, "utf8"), /^before\n.*nothing\.here/);
});

test("closed standard streams end no command", async () => {
  const [command = "", ...before] = program;
  const line = `"$@" <&- >&- 2>&-`;
  const args = ["-c", line, "sh", command, ...before, "config", "get", "agents.defaults.note"];
  const [code] = await once(spawn("sh", args, { env: { ...process.env, HOME: home }, stdio: "ignore" }), "close");
  assert.is(code, 0);
});

test.run();
