import { connect, type ConnectionOptions } from "node:tls";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { makeCertificate } from "../../src/tls/certificate.ts";
import { runtime } from "../support/runtime.ts";

const { serve } = await (runtime === "bun"
  ? import("../../adapters/bun/serve.ts")
  : import("../../adapters/machine/serve.ts"));
const make = (usage: "server" | "client") =>
  makeCertificate({ names: ["localhost"], addresses: ["127.0.0.1"], now: Date.now(), usage });

test("cli.md 2.4 tls: with caPath only clients with a certificate of that authority are answered", async () => {
  const [own, known, stranger] = await Promise.all([make("server"), make("client"), make("client")]);
  const server = await welcoming({ ...own, ca: known.cert });
  assert.is((await ask(server)).text, "");
  assert.is((await ask(server, stranger)).text, "");
  assert.is(server.reached(), 0);
  assert.match((await ask(server, known)).text, "welcome");
  await server.close(0);
});

test("threat A: a session with a server that asked for no certificate opens none that asks for one", async () => {
  const [own, known] = await Promise.all([make("server"), make("client")]);
  const before = await welcoming(own);
  const { text, session } = await ask(before);
  assert.match(text, "welcome");
  assert.ok(session);
  const server = await welcoming({ ...own, ca: known.cert });
  assert.is((await ask(server, { session })).text, "");
  assert.is(server.reached(), 0);
  await Promise.all([before.close(0), server.close(0)]);
});

/** A server that says welcome, and how often it did. */
async function welcoming(tls: NonNullable<Parameters<typeof serve>[0]["tls"]>) {
  let reached = 0;
  const limits = { maxPayload: 1024, maxUntrusted: 1024, maxBody: 1024 };
  const server = await serve({ hostname: "127.0.0.1", port: 0, ...limits, tls }, () => {
    reached++;
    return new Response("welcome");
  });
  return { ...server, reached: () => reached };
}

/** What a client is answered, and the session that it may resume. */
function ask({ port }: { readonly port: number }, options: ConnectionOptions = {}) {
  return new Promise<{ readonly text: string; readonly session: Buffer | undefined }>((resolve) => {
    let [text, session]: [string, Buffer | undefined] = ["", undefined];
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false, ...options }, () =>
      socket.write("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
    );
    socket.on("session", (given: Buffer) => (session = given));
    socket.on("data", (data: Buffer) => void (text += data.toString()));
    socket.on("error", () => undefined); // a refusal: what counts is that nothing was answered
    socket.on("close", () => resolve({ text, session }));
  });
}

test.run();
