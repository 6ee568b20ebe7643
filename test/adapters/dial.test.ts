import { createHash, X509Certificate } from "node:crypto";
import { createServer } from "node:net";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { net } from "../../adapters/machine/net.ts";
import type { DialOptions, Server, ServeOptions } from "../../src/host/host.ts";
import type { Fetch, SocketEvents } from "../../src/host/socket.ts";
import { makeCertificate, type Pair } from "../../src/tls/certificate.ts";
import { freePort } from "../support/gateway-process.ts";
import { runtime } from "../support/runtime.ts";

const { serve } = await (runtime === "bun"
  ? import("../../adapters/bun/serve.ts")
  : import("../../adapters/machine/serve.ts"));
const limits = { hostname: "127.0.0.1", port: 0, maxPayload: 1e6, maxUntrusted: 65_536, maxBody: 1e6 };
const servers: Server[] = [];

const echo: SocketEvents = {
  open: () => undefined,
  message: (socket, text) => void (text === "close" ? socket.close(4002, "asked") : socket.send(text)),
  pong: () => undefined,
  drain: () => undefined,
  close: () => undefined,
};

async function listen(fetch: Fetch, options: Partial<ServeOptions> = {}): Promise<number> {
  const server = await serve({ ...limits, ...options }, fetch);
  servers.push(server);
  return server.port;
}

/** Dials, sends, and tells everything that happened once the socket is closed. */
function talk(url: string, messages: readonly string[], options?: DialOptions): Promise<readonly string[]> {
  return new Promise((resolve) => {
    const seen: string[] = [];
    net.dial(
      url,
      {
        open: (socket) => messages.forEach((text) => socket.send(text)),
        message: (_, text) => void seen.push(text),
        pong: () => undefined,
        drain: () => undefined,
        close: (_, code, reason) => resolve([...seen, `${code} ${reason}`]),
      },
      options,
    );
  });
}

test("messages go and come, and the close is told with its code", async () => {
  const port = await listen((_, env) => env.upgrade(echo));
  assert.equal(await talk(`ws://127.0.0.1:${port}`, ["a", "ü", "close"]), ["a", "ü", "4002 asked"]);
});

test("headers are sent", async () => {
  const port = await listen((request, env) =>
    env.upgrade({ ...echo, open: (socket) => socket.close(4003, request.headers.get("x-a") ?? "") }),
  );
  assert.equal(await talk(`ws://127.0.0.1:${port}`, [], { headers: { "x-a": "b" } }), ["4003 b"]);
});

test("a port that nobody listens on is told as such", async () => {
  const [end] = await talk(`ws://127.0.0.1:${await freePort()}`, []);
  assert.match(end ?? "", /^1006 .*ECONNREFUSED/);
});

test("a refusal over HTTP is told with its message", async () => {
  const port = await listen(() => Response.json({ error: { message: "not you" } }, { status: 403 }));
  assert.equal(await talk(`ws://127.0.0.1:${port}`, []), ["1006 403 not you"]);
});

test("a server that says nothing is given up on", async () => {
  const port = await listen(() => new Promise<Response>(() => undefined));
  const [end] = await talk(`ws://127.0.0.1:${port}`, [], { timeoutMs: 100 });
  assert.is(end, "1006 no answer within 100 ms");
});

test("an address that makes no URL is told like any other failure", async () => {
  const [end] = await talk("not a url", []);
  assert.match(end ?? "", /^1006 .*url/i);
});

test("what is closed before it was open is over at once", async () => {
  const port = await listen((_, env) => env.upgrade(echo));
  const end = await new Promise((resolve) => {
    const close = (_: unknown, code: number, reason: string) => resolve(`${code} ${reason}`);
    net.dial(`ws://127.0.0.1:${port}`, { ...echo, close }).close(1000, "");
  });
  assert.is(end, "1006 closed before it was open");
});

test("a server that does not answer the closing handshake is cut", async () => {
  const silent = createServer((tcp) => {
    tcp.on("error", () => undefined); // the client resets it
    tcp.once("data", (request) => tcp.write(accepted(request.toString("latin1"))));
  });
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  const address = silent.address();
  const port = typeof address === "object" && address ? address.port : 0;
  const cut = new Promise((resolve) => silent.once("connection", (tcp) => tcp.once("close", resolve)));
  const closed = new Promise<number>((resolve) => {
    const close = (_: unknown, code: number) => resolve(code);
    net.dial(`ws://127.0.0.1:${port}`, { ...echo, open: (socket) => socket.close(1000, ""), close });
  });
  assert.is(await closed, 1006);
  await cut;
  await new Promise((resolve) => silent.close(resolve));
});

test("threat A: only the pinned certificate is spoken to", async () => {
  const { cert, key, fingerprint } = await pairFor("server");
  let asked = 0;
  const port = await listen(
    (_, env) => {
      asked++;
      return env.upgrade(echo);
    },
    { tls: { cert, key } },
  );
  const url = `wss://127.0.0.1:${port}`;
  assert.equal(await talk(url, ["a", "close"], { fingerprint }), ["a", "4002 asked"]);
  const [end] = await talk(url, ["a"], { fingerprint: "00".repeat(32) });
  assert.match(end ?? "", /^1006 .*not the pinned 0000/);
  assert.is(asked, 1, "nothing was sent to the other one");
});

test("a server that takes only clients with a certificate is shown one, and told apart when there is none", async () => {
  const [own, authority, client] = await Promise.all([pairFor("server"), pairFor("client"), pairFor("client")]);
  const tls = { cert: own.cert, key: own.key, ca: authority.cert + client.cert };
  const url = `wss://127.0.0.1:${await listen((_, env) => env.upgrade(echo), { tls })}`;
  const pinned = { fingerprint: own.fingerprint };
  const certificate = { cert: client.cert, key: client.key };
  assert.equal(await talk(url, ["a", "close"], { ...pinned, certificate }), ["a", "4002 asked"]);
  assert.equal(await talk(url, ["a"], pinned), ["1006 the server takes only clients with a certificate that it knows"]);
});

test("a port is reachable or not", async () => {
  const port = await listen(() => new Response());
  assert.is(await net.reaches("127.0.0.1", port, 1000), true);
  assert.is(await net.reaches("127.0.0.1", await freePort(), 1000), false);
});

test("this machine's interfaces include loopback", () => {
  assert.ok(
    net.interfaces().some(({ address, family, internal }) => address === "127.0.0.1" && family === 4 && internal),
  );
});

/** The server's half of the handshake (RFC 6455 4.2.2). */
function accepted(request: string): string {
  const key = /^sec-websocket-key: *(\S+)/im.exec(request)?.[1] ?? "";
  const proof = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  const head = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n";
  return `${head}Sec-WebSocket-Accept: ${proof}\r\n\r\n`;
}

async function pairFor(usage: "server" | "client"): Promise<Pair & { readonly fingerprint: string }> {
  const pair = await makeCertificate({ names: [], addresses: ["127.0.0.1"], now: Date.now(), usage });
  return { ...pair, fingerprint: new X509Certificate(pair.cert).fingerprint256 };
}

test.after(() => Promise.all(servers.map((server) => server.close(0))).then(() => undefined));
test.run();
