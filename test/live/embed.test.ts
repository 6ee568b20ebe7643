import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { WebSocket as NodeWebSocket } from "ws";
import { attach, createListener } from "../../adapters/node/embed.ts";
import { serveOnBun } from "../../examples/bun.ts";
import { serveOnDeno } from "../../examples/deno.ts";
import { createExpressServer } from "../../examples/express.ts";
import { createApp } from "../../examples/hono.ts";
import { connect } from "../../src/client/web.ts";
import type { WebSocketLike } from "../../src/host/web-socket.ts";
import { Failure } from "../../src/kit/error.ts";
import { runtime } from "../support/runtime.ts";

const token = "the-token-of-this-example-0123456789";
const WebSocket = ("WebSocket" in globalThis ? globalThis.WebSocket : NodeWebSocket) as new (
  url: string,
) => WebSocketLike;

test("a gateway behind Express answers below its path, and leaves the rest to the app", async () => {
  const example = await createExpressServer(token);
  await new Promise<void>((resolve) => void example.server.listen(0, "127.0.0.1", resolve));
  await tryOut((example.server.address() as AddressInfo).port, "/gateway");
  await example.close();
});

test("a gateway inside a Hono app answers below its path, and leaves the rest to the app", async () => {
  const { app, gateway } = await createApp(token);
  const served = { fetch: app.fetch, limits: gateway.limits };
  const server = createServer(createListener(served));
  attach(server, served);
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  await tryOut((server.address() as AddressInfo).port, "/gateway");
  await gateway.close();
  server.close();
});

if (runtime === "bun")
  test("a gateway in Bun.serve answers beside a page of its own", async () => {
    const example = await serveOnBun(token, 0);
    await tryOut(example.port, "");
    await example.close();
  });

if (runtime === "deno")
  test("a gateway in Deno.serve answers beside a page of its own", async () => {
    const example = await serveOnDeno(token, 0);
    await tryOut(example.port, "");
    await example.close();
  });

/** The page of the app, a probe and a chat with the gateway, and a caller that does not know the secret. */
async function tryOut(port: number, below: string): Promise<void> {
  assert.is(await (await fetch(`http://127.0.0.1:${port}/`)).text(), "my own page");
  assert.is((await fetch(`http://127.0.0.1:${port}${below}/healthz`)).status, 200);

  const url = `ws://127.0.0.1:${port}${below}/`;
  const me = { url, WebSocket, client: { id: "cli", mode: "cli" }, scopes: ["operator.admin"] };
  const stranger = await connect({ ...me, token: "not-the-token" }).catch((error: unknown) => Failure.from(error));
  assert.instance(stranger, Failure);

  let closed: ((reason: Failure) => void) | undefined;
  const over = new Promise<Failure>((resolve) => (closed = resolve));
  const client = await connect({ ...me, token, onClose: (reason) => closed?.(reason) });
  const said = await client.request(
    "agent",
    { message: "is anybody here?", idempotencyKey: "1" },
    { expectFinal: true },
  );
  assert.match(JSON.stringify(said), "is anybody here?");
  client.close();
  await over;
}

test.run();
