import { X509Certificate } from "node:crypto";
import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { connect } from "../../adapters/machine/connect.ts";
import type { ByteStream, ConnectOptions } from "../../src/host/byte-stream.ts";
import { makeCertificate } from "../../src/tls/certificate.ts";
import { freePort } from "../support/gateway-process.ts";
import { interpreter } from "../support/runtime.ts";

const local = { hostname: "127.0.0.1", tls: false, timeoutMs: 10_000 };
const servers: Server[] = [];

/** A server whose every connection is given to `serve`. */
async function listen(serve: (socket: Socket) => void, secured?: { cert: string; key: string }): Promise<number> {
  const taking = (socket: Socket): void => {
    socket.on("error", () => undefined); // the client may cut it
    serve(socket);
  };
  const server = secured ? createTlsServer(secured, taking) : createServer(taking);
  if (secured) server.on("tlsClientError", () => undefined); // a client that did not like the certificate
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return typeof address === "object" && address ? address.port : 0;
}

/** Connects, does `act` with it once it stands, and tells what happened when it is over. */
function talk(
  options: ConnectOptions,
  act: (stream: ByteStream) => void = () => undefined,
  heard: (stream: ByteStream, text: string) => void = () => undefined,
): Promise<{ readonly text: string; readonly opened: boolean; readonly reason: string | undefined }> {
  return new Promise((resolve) => {
    let [text, opened, closed] = ["", false, 0];
    connect(options, {
      open(stream) {
        opened = true;
        act(stream);
      },
      data(stream, bytes) {
        assert.is(closed, 0);
        text += new TextDecoder().decode(bytes);
        heard(stream, text);
      },
      close(_, reason) {
        assert.is(++closed, 1);
        resolve({ text, opened, reason });
      },
    });
  });
}

test("bytes go and come, and an end in order has no reason", async () => {
  const port = await listen((socket) => socket.on("data", (data: Buffer) => socket.end(`you said ${data.toString()}`)));
  const end = await talk({ ...local, port }, (stream) => stream.write("grüezi"));
  assert.equal(end, { text: "you said grüezi", opened: true, reason: undefined });
});

test("what is written before it stands arrives in order", async () => {
  const port = await listen((socket) => socket.pipe(socket));
  const text = await new Promise<string>((resolve) => {
    let heard = "";
    const stream = connect(
      { ...local, port },
      {
        open: () => stream.write("c"),
        data(_, bytes) {
          heard += new TextDecoder().decode(bytes);
          if (heard.length === 3) stream.close();
        },
        close: () => resolve(heard),
      },
    );
    stream.write("a");
    stream.write(new TextEncoder().encode("b"));
  });
  assert.is(text, "abc");
});

test("a port that nobody listens on is told as such", async () => {
  const { opened, reason } = await talk({ ...local, port: await freePort() });
  assert.is(opened, false);
  assert.match(reason ?? "", /ECONNREFUSED/);
});

test("a server that does not finish the handshake is given up on", async () => {
  const port = await listen(() => undefined);
  const { opened, reason } = await talk({ ...local, port, tls: true, timeoutMs: 100 });
  assert.equal({ opened, reason }, { opened: false, reason: "no answer within 100 ms" });
});

test("closing before it stands ends it at once", async () => {
  const port = await listen(() => undefined);
  const reason = await new Promise((resolve) => {
    connect(
      { ...local, port, tls: true },
      { open: () => undefined, data: () => undefined, close: (_, why) => resolve(why) },
    ).close();
  });
  assert.is(reason, "closed before it was open");
});

test("a server that goes on after we have closed is cut", async () => {
  const port = await listen((socket) => {
    const chatter = setInterval(() => socket.write("more"), 20);
    socket.on("close", () => clearInterval(chatter));
  });
  const { opened, reason } = await talk({ ...local, port }, (stream) => stream.close());
  assert.equal({ opened, reason }, { opened: true, reason: undefined });
});

test("a connection that breaks is told of once, with its reason", async () => {
  const port = await listen((socket) => socket.once("data", () => socket.resetAndDestroy()));
  const { opened, reason } = await talk({ ...local, port }, (stream) => stream.write("x"));
  assert.is(opened, true);
  assert.match(reason ?? "", /ECONNRESET|reset/i);
});

test("nothing is read while it is paused: a peer that sends without end is made to wait", async () => {
  const block = "x".repeat(256 * 1024);
  let sent = 0;
  let [stuck, paused] = [(): void => undefined, (): void => undefined];
  const waits = Promise.all([
    new Promise<void>((resolve) => (stuck = resolve)),
    new Promise<void>((resolve) => (paused = resolve)),
  ]);
  const port = await listen((socket) => {
    const pour = (): void => {
      // More than the buffers of two kernels hold.
      while (sent < 64 * 1024 * 1024 && socket.write(block)) sent += block.length;
      stuck();
    };
    socket.on("drain", pour);
    pour();
  });
  let stream: ByteStream | undefined;
  let read = 0;
  let going = (): void => undefined;
  const enough = new Promise<void>((resolve) => (going = resolve));
  const over = new Promise((resolve) => {
    stream = connect(
      { ...local, port },
      {
        open(opened) {
          opened.pause?.();
          paused();
        },
        data(_, bytes) {
          read += bytes.byteLength;
          if (read > 16 * 1024 * 1024) going();
        },
        close: resolve,
      },
    );
  });
  await waits;
  assert.ok(sent < 64 * 1024 * 1024);
  assert.ok(read <= 1024 * 1024, `${read} bytes were read`);
  stream?.resume?.();
  await enough;
  stream?.close();
  await over;
});

test("a peer that reads nothing does not fill the memory", async () => {
  const port = await listen((socket) => void socket.pause());
  const { reason } = await talk({ ...local, port }, (stream) => {
    for (let each = 0; each < 64; each++) stream.write(new Uint8Array(1024 * 1024));
  });
  assert.is(reason, "the other side does not read");
});

test("a certificate that nobody vouches for is refused before anything is sent", async () => {
  let heard = "";
  const port = await listen((socket) => socket.on("data", (data: Buffer) => (heard += data.toString())), await pair());
  const { opened, reason } = await talk({ ...local, port, tls: true }, (stream) => stream.write("secret"));
  assert.is(opened, false);
  assert.match(reason ?? "", /certificate|self.signed|unable to verify|issuer/i);
  assert.is(heard, "");
});

test("threat A: with a fingerprint that certificate alone will do, and another hears nothing", async () => {
  const secured = await pair();
  let heard = "";
  const port = await listen((socket) => {
    socket.write("hello");
    socket.on("data", (data: Buffer) => {
      heard += data.toString();
      socket.end();
    });
  }, secured);
  const { fingerprint256 } = new X509Certificate(secured.cert);
  const right = await talk({ ...local, port, tls: true, fingerprint: fingerprint256 }, (stream) =>
    stream.write("pass"),
  );
  assert.equal(right, { text: "hello", opened: true, reason: undefined });
  assert.is(heard, "pass");

  const other = "ab".repeat(32);
  const wrong = await talk({ ...local, port, tls: true, fingerprint: other }, (stream) => stream.write("secret"));
  assert.is(wrong.opened, false);
  assert.is(wrong.text, "");
  assert.match(wrong.reason ?? "", `not the pinned ${other}`);
  assert.is(heard, "pass");
});

test("a certificate of a known authority does for its own names alone", async () => {
  const secured = await makeCertificate({ names: ["localhost"], addresses: [], now: Date.now() });
  const port = await listen((socket) => socket.end("welcome"), secured);
  const folder = mkdtempSync(join(tmpdir(), "clawlet-connect-"));
  const authority = join(folder, "authority.pem");
  writeFileSync(authority, secured.cert);
  try {
    assert.is(await asksFromAnother(authority, { ...local, hostname: "localhost", port }), "welcome");
    assert.match(await asksFromAnother(authority, { ...local, port }), /^refused: .*(altname|name|valid|IP)/i);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** What another process hears that takes this certificate for an authority's: it is to be told so before it starts. */
function asksFromAnother(authority: string, options: Omit<ConnectOptions, "tls">): Promise<string> {
  const [program = "", ...args] = interpreter;
  const env = {
    ...process.env,
    NODE_EXTRA_CA_CERTS: authority,
    DENO_CERT: authority,
    [asking]: JSON.stringify(options),
  };
  return new Promise((resolve) => {
    let text = "";
    const child = spawn(program, [...args, import.meta.filename], { env, stdio: ["ignore", "pipe", "inherit"] });
    child.stdout.setEncoding("utf8").on("data", (more: string) => void (text += more));
    child.on("close", () => resolve(text));
  });
}

function pair() {
  return makeCertificate({ names: ["localhost"], addresses: ["127.0.0.1"], now: Date.now() });
}

const asking = "CLAWLET_TEST_CONNECT_TO";
test.after(() => servers.forEach((server) => server.close()));

const asked = process.env[asking];
if (asked === undefined) test.run();
else {
  const { text, opened, reason } = await talk({ ...JSON.parse(asked), tls: true });
  process.stdout.write(opened ? text : `refused: ${reason}`);
}
