import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { WebSocketServer } from "ws";
import { makeHome, runCommand } from "../support/gateway-process.ts";
import { canaries, planted } from "../support/hostile/planted.ts";

const challenge = { type: "event", event: "connect.challenge", payload: { nonce: "n", ts: 0 } };

test("threat A: a gateway named on the command line is sent none of the configured secrets", async () => {
  const stranger = await listen();
  const home = makeHome();
  mkdirSync(join(home, ".openclaw"), { mode: 0o700 });
  writeFileSync(join(home, ".openclaw", "openclaw.json"), JSON.stringify(planted), { mode: 0o600 });
  for (const command of [["health"], ["status"], ["gateway", "call", "health"], ["devices", "list"]])
    await runCommand([...command, "--url", stranger.url, "--timeout", "2000"], home);
  const seen = canaries.filter((canary) => stranger.heard().includes(canary));
  assert.equal(seen, []);
  await runCommand(["health", "--url", stranger.url, "--token", "meant-for-it", "--timeout", "2000"], home);
  assert.match(stranger.heard(), "meant-for-it");
  await stranger.close();
  rmSync(home, { recursive: true, force: true });
});

/** A gateway of somebody else: asks every caller to introduce itself, and writes down what it is told. */
async function listen(): Promise<{ url: string; heard(): string; close(): Promise<void> }> {
  const heard: string[] = [];
  const server = createServer((request, response) => {
    heard.push(JSON.stringify([request.url, request.headers]));
    response.end();
  });
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket, request) => {
    heard.push(JSON.stringify([request.url, request.headers]));
    socket.on("message", (data: Buffer) => {
      heard.push(data.toString("utf8"));
      socket.close(1008, "no");
    });
    socket.send(JSON.stringify(challenge));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  return {
    url: `ws://127.0.0.1:${port}`,
    heard: () => heard.join("\n"),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

test.run();
