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
  let reached = 0;
  const server = await serve(
    {
      hostname: "127.0.0.1",
      port: 0,
      maxPayload: 1024,
      maxUntrusted: 1024,
      maxBody: 1024,
      tls: { ...own, ca: known.cert },
    },
    () => {
      reached++;
      return new Response("welcome");
    },
  );
  const ask = (options: ConnectionOptions) =>
    new Promise<string>((resolve) => {
      let text = "";
      const socket = connect({ host: "127.0.0.1", port: server.port, rejectUnauthorized: false, ...options }, () =>
        socket.write("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
      );
      socket.on("data", (data: Buffer) => void (text += data.toString()));
      socket.on("error", () => undefined); // a refusal: what counts is that nothing was answered
      socket.on("close", () => resolve(text));
    });
  assert.is(await ask({}), "");
  assert.is(await ask(stranger), "");
  assert.is(reached, 0);
  assert.match(await ask(known), "welcome");
  await server.close(0);
});

test.run();
