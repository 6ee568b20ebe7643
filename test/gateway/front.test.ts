import { test } from "uvu";
import * as assert from "uvu/assert";
import { createFront } from "../../src/gateway/front.ts";
import { Failure } from "../../src/kit/error.ts";
import type { Tls } from "../../src/tls/load.ts";
import { settle } from "../support/fake-clock.ts";
import { scriptedHost } from "../support/host.ts";

const sizes = { maxPayload: 1, maxUntrusted: 1, maxBody: 1 };
const env = { peer: { address: "127.0.0.1", port: 1 }, upgrade: () => new Response(null) };

function setUp() {
  const host = scriptedHost();
  const front = createFront({ ...host, ...sizes });
  const request = async (): Promise<Response> => {
    const server = host.net.servers.find(({ open }) => open);
    assert.ok(server, "somebody listens");
    return server.fetch(new Request("http://127.0.0.1/"), env);
  };
  const open = () => host.net.servers.filter((each) => each.open).map(({ hostname, port }) => `${hostname}:${port}`);
  return { host, front, request, open };
}

test("a request during the change waits, and the next gateway answers it", async () => {
  const { front, request } = setUp();
  await front.listen({ addresses: ["127.0.0.1"], port: 18_789 });
  front.serve(() => new Response("first"));
  assert.is(await (await request()).text(), "first");
  await front.hold(1000);
  const waiting = request();
  front.serve(() => new Response("second"));
  assert.is(await (await waiting).text(), "second");
});

test("an address that is encrypted otherwise than before is opened anew, and only then", async () => {
  const { host, front } = setUp();
  const tls = (cert: string): Tls => ({ cert, key: "k", fingerprint: cert, notes: [] });
  const place = { addresses: ["127.0.0.1"], port: 18_789 };
  await front.listen(place);
  await front.listen({ ...place, tls: tls("a") });
  assert.is(front.tls?.fingerprint, "a");
  await front.listen({ ...place, tls: tls("a") });
  await front.listen({ ...place, tls: tls("b") });
  assert.equal(
    host.net.servers.map(({ open }) => open),
    [false, false, true],
  );
  assert.is(front.tls?.fingerprint, "b");
});

test("a request that came before anybody answers waits too", async () => {
  const { front, request } = setUp();
  await front.listen({ addresses: ["127.0.0.1"], port: 18_789 });
  const waiting = request();
  front.serve(() => new Response("here"));
  assert.is(await (await waiting).text(), "here");
});

test("who waits too long, or behind too many, is told to come back", async () => {
  const { host, front, request } = setUp();
  await front.listen({ addresses: ["127.0.0.1"], port: 18_789 });
  const crowd = Array.from({ length: 1024 }, request);
  const oneMore = await request();
  assert.is(oneMore.status, 503);
  assert.is(oneMore.headers.get("retry-after"), "1");
  await host.clock.advance(8000);
  const statuses = await Promise.all(crowd.map(async (each) => (await each).status));
  assert.equal(new Set(statuses), new Set([503]));
});

test("the change waits for the answers that are being made, for a while", async () => {
  const { host, front, request } = setUp();
  await front.listen({ addresses: ["127.0.0.1"], port: 18_789 });
  let answer: (response: Response) => void = () => undefined;
  front.serve(() => new Promise((resolve) => (answer = resolve)));
  const slow = request();
  await settle();
  let held = 0;
  void front.hold(1000).then(() => held++);
  await settle();
  assert.is(held, 0);
  answer(new Response("late"));
  assert.is(await (await slow).text(), "late");
  await settle();
  assert.is(held, 1);

  front.serve(() => new Promise(() => undefined));
  void request();
  await settle();
  void front.hold(1000).then(() => held++);
  await host.clock.advance(1000);
  assert.is(held, 2, "one that never ends holds nothing up");
});

test("only what is new is opened, and only what is gone is closed", async () => {
  const { host, front, open } = setUp();
  await front.listen({ addresses: ["127.0.0.1", "::1"], port: 18_789 });
  await front.listen({ addresses: ["192.168.1.5", "127.0.0.1"], port: 18_789 });
  assert.is(host.net.servers.length, 3);
  assert.equal(open(), ["127.0.0.1:18789", "192.168.1.5:18789"]);
  assert.equal(front.addresses, ["192.168.1.5", "127.0.0.1"]);
  await front.listen({ addresses: ["192.168.1.5", "127.0.0.1"], port: 18_789 });
  assert.is(host.net.servers.length, 3, "nothing to do");
});

test("another port is opened before the old one is closed", async () => {
  const { host, front, open } = setUp();
  await front.listen({ addresses: ["127.0.0.1"], port: 18_789 });
  await front.listen({ addresses: ["127.0.0.1"], port: 20_000 });
  assert.equal(open(), ["127.0.0.1:20000"]);
  assert.is(front.port, 20_000);
  host.net.taken.add(21_000);
  const failure = await front
    .listen({ addresses: ["127.0.0.1"], port: 21_000 })
    .catch((error: unknown) => Failure.from(error));
  assert.is((failure as Failure).code, "conflict");
  assert.equal(open(), ["127.0.0.1:20000"], "what was open stays open");
});

test("any free port stays the same port for every address, and over a change", async () => {
  const { front, open } = setUp();
  await front.listen({ addresses: ["127.0.0.1", "::1"], port: 0 });
  const { port } = front;
  assert.equal(open(), [`127.0.0.1:${port}`, `::1:${port}`]);
  await front.listen({ addresses: ["127.0.0.1", "::1"], port: 0 });
  assert.is(front.port, port);
});

test("closing sends away who waits", async () => {
  const { front, request, open } = setUp();
  await front.listen({ addresses: ["127.0.0.1"], port: 18_789 });
  const waiting = request();
  await front.close(0);
  assert.is((await waiting).status, 503);
  assert.equal(open(), []);
});

test.run();
