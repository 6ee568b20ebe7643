import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { makeHome, runCommand, startGateway, until } from "../support/gateway-process.ts";
import { endLaunched } from "../support/launch.ts";
import { openRpc, type RpcClient } from "../support/rpc-client.ts";

const token = "a-token-of-this-test";
const config = {
  gateway: { mode: "local", auth: { mode: "token", token } },
  agents: { defaults: { model: "clawlet/echo" } },
};
test.after(endLaunched);

async function say(client: RpcClient, message: string): Promise<void> {
  const idempotencyKey = crypto.randomUUID();
  await client.call("chat.send", { sessionKey: "main", message, idempotencyKey });
  await client.call("agent.wait", { runId: idempotencyKey, timeoutMs: 20_000 });
}

test("hooks that are switched on run: while the gateway runs at once, and what is for its start with the next one", async () => {
  const home = makeHome();
  const workspace = join(home, ".openclaw", "workspace");
  const first = await startGateway({ home, config, args: [] });
  const hooks = (...args: readonly string[]) => runCommand(["hooks", ...args], home);
  assert.match((await hooks()).stdout, /session-memory +no +Save the end/);
  assert.is(
    (await hooks("enable", "session-memory")).stdout,
    "✓ session-memory runs at command:new, command:reset, session:auto-reset.\n",
  );
  assert.is((await hooks("enable", "command-logger")).status, 0);
  const client = await openRpc(first.url, { auth: { token } });
  await say(client, "Remember the milk.");
  await say(client, "/new");
  const memory = join(workspace, "memory");
  const saved = await until(
    "the conversation is saved",
    () => (existsSync(memory) ? readdirSync(memory)[0] : undefined),
    10_000,
  );
  assert.match(saved, /^\d{4}-\d\d-\d\d-remember-the-milk\.md$/);
  assert.match(readFileSync(join(memory, saved), "utf8"), /\nuser: Remember the milk\.\nassistant: /);
  const log = join(home, ".openclaw", "logs", "commands.log");
  await until(
    "the command is in the log",
    () => (/"action":"new"/.test(readFileSync(log, "utf8")) ? true : undefined),
    10_000,
  );
  client.close();
  await first.stop();

  assert.is((await hooks("disable", "session-memory")).stdout, "✓ session-memory runs no more.\n");
  assert.is((await hooks("enable", "boot-md")).status, 0);
  const { hooks: list } = JSON.parse((await hooks("list", "--json")).stdout);
  assert.equal(
    list.map(({ name, disabled }: { name: string; disabled: boolean }) => [name, disabled]),
    [
      ["boot-md", false],
      ["command-logger", false],
      ["session-memory", true],
    ],
  );
  mkdirSync(workspace, { recursive: true });
  writeFileSync(join(workspace, "BOOT.md"), "Tell me that you are up.\n");
  const second = await startGateway({ home, args: [] });
  await until(
    "BOOT.md was looked at",
    () => /BOOT\.md was not followed: no model/.test(second.stdout() + second.stderr()) || undefined,
    10_000,
  );
  await second.stop();
});

test("a hook that is not there is refused, with those that are", async () => {
  const home = makeHome();
  const { status, stderr } = await runCommand(["hooks", "enable", "soul-evil"], home);
  assert.is(status, 2);
  assert.match(stderr, /there is no hook soul-evil[^]*boot-md, command-logger, session-memory/);
  assert.not(existsSync(join(home, ".openclaw")));
});

test.run();
