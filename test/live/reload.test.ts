import { mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { freePort, makeHome, until } from "../support/gateway-process.ts";
import { endLaunched, launch, type Running } from "../support/launch.ts";
import { servePacedModel } from "../support/paced-model.ts";
import { openRpc, type RpcPayload } from "../support/rpc-client.ts";

const token = "a-token-of-this-test";
const auth = { mode: "token", token };
const hello = { auth: { token } };
test.after(endLaunched);

/** How editors save: in place, over a new file, around a backup, after taking the old one away, and through a link. */
const ways: Readonly<Record<string, (file: string, text: string) => void>> = {
  "in place": (file, text) => writeFileSync(file, text),
  "by renaming a new file over it": (file, text) => {
    writeFileSync(`${file}.swp`, text);
    renameSync(`${file}.swp`, file);
  },
  "after renaming the old one away": (file, text) => {
    renameSync(file, `${file}~`);
    writeFileSync(file, text);
  },
  "after removing the old one": (file, text) => {
    unlinkSync(file);
    writeFileSync(file, text);
  },
  "by a link to it elsewhere": (file, text) => {
    writeFileSync(`${file}.real`, text);
    unlinkSync(file);
    symlinkSync(`${file}.real`, file);
  },
  "where the link leads": (file, text) => writeFileSync(`${file}.real`, text),
};

test("an edit of a live key counts at once, however the editor saves, and nobody is cut off", async () => {
  const { gateway, file, text, stop } = await edited();
  const client = await openRpc(gateway.url, hello);
  const hashes: unknown[] = [];
  client.onEvent((event, payload: RpcPayload) => void (event === "config.changed" && hashes.push(payload.hash)));
  for (const [index, [how, save]] of Object.entries(ways).entries()) {
    save(file, text({ messages: { queue: { cap: 30 + index } } }));
    await until(
      `an edit made ${how}`,
      async () => (await inForce(client)).messages.queue.cap === 30 + index || undefined,
      15_000,
    );
  }
  assert.is(hashes.length, Object.keys(ways).length, "each told once");
  assert.match(gateway.stdout(), "config change applied (dynamic reads: messages.queue.cap)");
  assert.is(gateway.stdout().split("agent model").length, 2, "no restart");
  client.close();
  await stop();
});

test("an edit of a restart key: clients are told, same process, new lines", async () => {
  const port = await freePort();
  const { gateway, file, text, stop } = await edited();
  const client = await openRpc(gateway.url, hello);
  const told: RpcPayload[] = [];
  client.onEvent((event, payload) => void (event === "shutdown" && told.push(payload)));
  const line = (at: number) => `listening on ws://127.0.0.1:${at} (PID ${gateway.pid})`;
  writeFileSync(file, text({ gateway: { port } }));
  await until("the new port", () => gateway.stdout().includes(line(port)) || undefined, 15_000);
  await client.closed;
  assert.type(told[0]?.restartExpectedMs, "number");
  assert.match(gateway.stdout(), "config change needs a restart (gateway.port); restarting");
  (await openRpc(`ws://127.0.0.1:${port}`, hello)).close();
  await stop();
});

test("a changed token counts without a restart: who came in by the old one is sent away", async () => {
  const { gateway, file, text, stop } = await edited();
  const client = await openRpc(gateway.url, hello);
  writeFileSync(file, text({ gateway: { auth: { mode: "token", token: "another-token-here" } } }));
  await client.closed;
  await openRpc(gateway.url, hello).then(
    () => assert.unreachable("the old token still counts"),
    () => undefined,
  );
  (await openRpc(gateway.url, { auth: { token: "another-token-here" } })).close();
  assert.is(gateway.stdout().split("agent model").length, 2, "no restart");
  await stop();
});

test("an invalid or unsafe edit is skipped, and the gateway goes on answering by the last good one", async () => {
  const { gateway, file, text, stop } = await edited();
  const client = await openRpc(gateway.url, hello);
  const edits = [
    ["{ gateway: ", "<root>: JSON5 parse failed"],
    [text({ gateway: { bind: "everywhere" } }), "gateway.bind: "],
    [text({ gateway: { bind: "lan", auth: { mode: "none" } } }), "gateway: Refusing to bind"],
  ] as const;
  for (const [wrong, why] of edits) {
    writeFileSync(file, wrong);
    const line = `config reload skipped (invalid config): ${why}`;
    await until(line, () => gateway.stderr().includes(line) || undefined, 15_000);
    const { valid, raw, config: now, issues }: RpcPayload = await client.call("config.get");
    assert.equal([valid, now.gateway.bind, now.gateway.auth.mode], [false, "loopback", "token"]);
    assert.ok(issues.length > 0 && raw !== undefined);
  }
  unlinkSync(file);
  await until("a file that is gone", () => gateway.stderr().includes("the file is gone") || undefined, 15_000);
  (await openRpc(gateway.url, hello)).close();
  client.close();
  await stop();
});

test("with gateway.reload.mode off the file is left alone until the next start", async () => {
  const { gateway, file, text, stop } = await edited({ gateway: { reload: { mode: "off" } } });
  const client = await openRpc(gateway.url, hello);
  writeFileSync(file, text({ messages: { queue: { cap: 7 } } }));
  // An edit that another gateway sees later tells when this one would have been seen.
  const watched = await edited();
  writeFileSync(watched.file, watched.text({ ui: { a: 1 } }));
  await until("an edit elsewhere", () => watched.gateway.stdout().includes("dynamic reads: ui") || undefined, 15_000);
  assert.is((await inForce(client)).messages.queue.cap, 20);
  assert.not.match(gateway.stdout(), "config change");
  client.close();
  await Promise.all([stop(), watched.stop()]);
});

test("an answer that streams goes on through a live change, and a restart waits for it", async () => {
  const model = await servePacedModel({ waits: true });
  const { gateway, file, text, stop } = await edited(model.config);
  const client = await openRpc(gateway.url, hello);
  const states: string[] = [];
  client.onEvent((event, payload: RpcPayload) => void (event === "chat" && states.push(payload.state)));
  await client.call("chat.send", { sessionKey: "agent:main:main", message: "go on", idempotencyKey: "run-1" });
  await until("a turn that streams", () => states.includes("delta") || undefined);
  writeFileSync(file, text({ messages: { queue: { cap: 9 } } }));
  await until("the live change", async () => (await inForce(client)).messages.queue.cap === 9 || undefined, 15_000);
  writeFileSync(file, text({ messages: { queue: { cap: 9 } }, discovery: { mdns: { mode: "off" } } }));
  await until(
    "a restart that waits",
    () => gateway.stdout().includes("waiting for running turns") || undefined,
    15_000,
  );
  assert.not.ok(states.includes("final"));
  model.finish();
  await client.closed;
  assert.is(states.at(-1), "final");
  assert.not.ok(states.includes("error") || states.includes("aborted"));
  await stop();
  model.close();
});

test.run();

interface Edited {
  readonly gateway: Running & { readonly url: string };
  readonly file: string;
  /** The text of a configuration for the port that it listens on. */
  readonly text: (more?: object) => string;
  readonly stop: () => Promise<void>;
}

/** A gateway whose port only the configuration says. */
async function edited(config: Readonly<Record<string, unknown>> & { readonly gateway?: object } = {}): Promise<Edited> {
  const home = makeHome();
  const port = await freePort();
  const file = join(home, ".openclaw", "openclaw.json");
  const text = (more: { readonly gateway?: object } = {}) =>
    JSON.stringify({ ...config, ...more, gateway: { mode: "local", port, auth, ...config.gateway, ...more.gateway } });
  mkdirSync(join(home, ".openclaw"), { mode: 0o700 });
  writeFileSync(file, text(), { mode: 0o600 });
  const running = launch(["gateway"], home);
  await until("listening", () => running.stdout().includes(`listening on ws://127.0.0.1:${port}`) || undefined, 15_000);
  return {
    gateway: { ...running, url: `ws://127.0.0.1:${port}` },
    file,
    text,
    async stop() {
      assert.is(await running.end(), 0);
      rmSync(home, { recursive: true, force: true });
    },
  };
}

async function inForce(client: { call(method: string): Promise<unknown> }): Promise<RpcPayload> {
  return ((await client.call("config.get")) as { config: RpcPayload }).config;
}
