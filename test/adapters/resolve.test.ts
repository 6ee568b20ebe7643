import { createSocket } from "node:dgram";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { resolve } from "../../adapters/machine/resolve.ts";
import { decodeMessage } from "../../src/host/dns-decode.ts";
import { encodeMessage } from "../../src/host/dns-encode.ts";
import type { DnsRecord } from "../../src/host/dns.ts";
import { Failure } from "../../src/kit/error.ts";
import { runtime } from "../support/runtime.ts";

const name = "vm.claw.internal";
const record = { name, ttl: 60, flush: false };

test("every type that discovery asks for is answered as the port says", async () => {
  const text = (each: string) => new TextEncoder().encode(each);
  const server = await dnsServer({
    A: [{ ...record, type: "A", data: "100.101.102.103" }],
    AAAA: [{ ...record, type: "AAAA", data: "fd00::7" }],
    PTR: [{ ...record, type: "PTR", data: "vm-gateway._openclaw-gw._tcp.claw.internal" }],
    SRV: [{ ...record, type: "SRV", data: { priority: 1, weight: 2, port: 18_789, target: name } }],
    TXT: [{ ...record, type: "TXT", data: [text("displayName=Jörg's 日本 Mac"), text("role=gateway")] }],
  });
  const ask = { servers: [server.address], timeoutMs: 5000 };
  assert.equal(await resolve(name, "A", ask), ["100.101.102.103"]);
  assert.equal(await resolve(name, "AAAA", ask), ["fd00::7"]);
  assert.equal(await resolve(name, "PTR", ask), ["vm-gateway._openclaw-gw._tcp.claw.internal"]);
  assert.equal(await resolve(name, "SRV", ask), [{ priority: 1, weight: 2, port: 18_789, target: name }]);
  assert.equal(await resolve(name, "TXT", ask), ["displayName=Jörg's 日本 Mac", "role=gateway"]);
  server.close();
});

test("a name that is not there is no failure", async () => {
  const server = await dnsServer("no such name");
  assert.equal(await resolve(name, "PTR", { servers: [server.address], timeoutMs: 5000 }), []);
  server.close();
});

test("a server that is silent, and somebody who interrupts, end the wait", async () => {
  const server = await dnsServer("silent");
  const ask = { servers: [server.address], timeoutMs: 100 };
  const late = await resolve(name, "PTR", ask).catch((error: unknown) => Failure.from(error));
  assert.is((late as Failure).code, "timeout");
  const stop = new AbortController();
  const asked = resolve(name, "PTR", { ...ask, timeoutMs: 60_000, signal: stop.signal }).catch((error: unknown) =>
    Failure.from(error),
  );
  stop.abort();
  assert.is(((await asked) as Failure).code, "aborted");
  server.close();
});

if (runtime !== "deno")
  test("a server that is not able to answer is a failure that names what was asked", async () => {
    const server = await dnsServer("failing");
    const failed = (await resolve(name, "PTR", { servers: [server.address], timeoutMs: 5000 }).catch((error: unknown) =>
      Failure.from(error),
    )) as Failure;
    assert.is(failed.code, "unavailable");
    assert.match(failed.message, name);
    server.close();
  });

type Behaviour = Readonly<Record<string, readonly DnsRecord[]>> | "no such name" | "silent" | "failing";

/** A DNS server on loopback that says the same of every name. */
async function dnsServer(behaviour: Behaviour): Promise<{ address: string; close(): void }> {
  const socket = createSocket("udp4");
  socket.on("message", (query, from) => {
    const asked = decodeMessage(query);
    if (!asked || behaviour === "silent") return;
    const answers = typeof behaviour === "string" ? [] : (behaviour[asked.questions[0]?.type ?? ""] ?? []);
    const reply = Buffer.from(encodeMessage({ ...asked, isResponse: true, answers, additionals: [], authorities: [] }));
    if (behaviour === "no such name") reply[3] = 3;
    if (behaviour === "failing") reply[3] = 2;
    socket.send(reply, from.port, from.address);
  });
  await new Promise<void>((bound) => socket.bind(0, "127.0.0.1", bound));
  return { address: `127.0.0.1:${socket.address().port}`, close: () => socket.close() };
}

test.run();
