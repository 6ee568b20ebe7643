import { networkInterfaces } from "node:os";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Net, Server } from "../../src/host/host.ts";
import type { Env, Fetch, Socket, SocketEvents } from "../../src/host/socket.ts";
import { closeOf, dialRaw, frame, opcodes, upgradeRequest, type Peer } from "./peer.ts";

// What "a server" and "a socket" mean, on every runtime. Known gaps, each with its reason:
const gaps = {
  deno: {
    /** The gateway listens on `::` alone there, where it would on both. */
    ipv6: "`::` takes IPv4 as well",
  },
  bun: {
    /** Bun shows a message only when it is whole, so bytes of an unfinished one are not seen; the gateway bounds the sockets. */
    untrusted: "bytes of an unfinished frame are not visible",
    /** Bun takes bytes that follow the request for another request until `upgrade` was called; the gateway calls it at once. */
    later: "an upgrade must be accepted in the turn in which it comes",
  },
} as const;

const limits = { maxPayload: 1024 * 1024, maxUntrusted: 65_536, maxBody: 10_000 };

/** Everything a server of this runtime has to do. */
export function serveContract(runtime: "bun" | "deno" | "node", serve: Net["serve"]): void {
  const open: Server[] = [];

  async function listen(fetch: Fetch): Promise<Server> {
    const server = await serve({ hostname: "127.0.0.1", port: 0, ...limits }, fetch);
    open.push(server);
    return server;
  }

  /** A server whose every upgrade is accepted, and one raw client on it. */
  async function pair(
    options: { decide?: () => Promise<void> | undefined; first?: Uint8Array } = {},
  ): Promise<{ peer: Peer; seen: Seen }> {
    const seen = watch();
    const server = await listen(async (_, env) => {
      const waiting = options.decide?.();
      if (waiting) await waiting;
      return env.upgrade(seen.events);
    });
    const peer = await dialRaw(server.port);
    peer.write(Buffer.concat([Buffer.from(upgradeRequest()), options.first ?? Buffer.alloc(0)]));
    await peer.until(() => seen.socket);
    return { peer, seen };
  }

  test(`${runtime}: HTTP requests reach fetch with method, URL, headers, body and peer`, async () => {
    let peerAddress = "";
    const server = await listen(async (request, env: Env) => {
      peerAddress = env.peer.address;
      const url = new URL(request.url);
      return new Response(`${request.method} ${url.pathname} ${request.headers.get("x-a")} ${await request.text()}`, {
        status: 201,
      });
    });
    const response = await fetch(`http://127.0.0.1:${server.port}/p?q=1`, {
      method: "POST",
      body: "body",
      headers: { "x-a": "b" },
    });
    assert.is(response.status, 201);
    assert.is(await response.text(), "POST /p b body");
    assert.match(peerAddress, "127.0.0.1");
  });

  test(`${runtime}: every IPv4 and every IPv6 address are two listeners on one port`, async () => {
    const peers: string[] = [];
    const answer: Fetch = async (_, env) => {
      peers.push(env.peer.address);
      return new Response("here");
    };
    const ask = async (host: string, port: number) => (await fetch(`http://${host}:${port}/`)).text();
    const hasIpv6 = Object.values(networkInterfaces()).some((each) => each?.some(({ address }) => address === "::1"));
    if (hasIpv6 && runtime === "deno") {
      const both = await serve({ hostname: "::", port: 0, ...limits }, answer);
      open.push(both);
      assert.equal([await ask("127.0.0.1", both.port), await ask("[::1]", both.port)], ["here", "here"]);
      skip(`deno: ${gaps.deno.ipv6}`);
      return;
    }
    const four = await serve({ hostname: "0.0.0.0", port: 0, ...limits }, answer);
    open.push(four);
    if (!hasIpv6) {
      skip("needs IPv6");
      return;
    }
    const six = await serve({ hostname: "::", port: four.port, ...limits }, answer);
    open.push(six);
    assert.equal([await ask("127.0.0.1", four.port), await ask("[::1]", four.port)], ["here", "here"]);
    assert.equal(peers, ["127.0.0.1", "::1"]);
    await six.close(0);
    assert.is(await ask("[::1]", four.port).catch(() => "refused"), "refused");
    assert.is(await ask("127.0.0.1", four.port), "here");
  });

  test(`${runtime}: threat H: a body over the limit is answered 413, announced or not`, async () => {
    const server = await listen(async (request) => new Response(String((await request.text()).length)));
    const announced = await fetch(`http://127.0.0.1:${server.port}/`, { method: "POST", body: "x".repeat(10_001) });
    assert.is(announced.status, 413);
    await announced.body?.cancel();
    const peer = await dialRaw(server.port);
    peer.write("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (let chunk = 0; chunk < 20; chunk++) peer.write(`400\r\n${"x".repeat(1024)}\r\n`);
    await peer.until(() => peer.received().includes(" 413 "));
    peer.tcp.destroy();
  });

  test(`${runtime}: a malformed request is answered 400 and nothing else happens`, async () => {
    const server = await listen(() => new Response("reached"));
    for (const text of ["NONSENSE\r\n\r\n", "GET / HTTP/9.9\r\n\r\n"]) {
      const peer = await dialRaw(server.port);
      peer.write(text);
      await peer.until(() => peer.ended() || peer.received().includes(" 400 ") || peer.received().includes(" 505 "));
      assert.not.ok(peer.received().includes("reached"), text);
      peer.tcp.destroy();
    }
  });

  test(`${runtime}: an upgrade is accepted on any path`, async () => {
    const paths: string[] = [];
    const server = await listen((request, env) => {
      paths.push(new URL(request.url).pathname);
      return env.upgrade(watch().events);
    });
    for (const path of ["/", "/ws", "/foo/bar?x=y"]) {
      const peer = await dialRaw(server.port);
      peer.write(upgradeRequest(path));
      await peer.until(() => peer.received().includes("101 Switching Protocols"));
      peer.tcp.destroy();
    }
    assert.equal(paths, ["/", "/ws", "/foo/bar"]);
  });

  test(`${runtime}: a refused upgrade is a plain response with status and body`, async () => {
    const server = await listen(() => Response.json({ error: { message: "no" } }, { status: 403 }));
    const peer = await dialRaw(server.port);
    peer.write(upgradeRequest());
    await peer.until(() => peer.received().includes('{"error":{"message":"no"}}'));
    assert.match(peer.received().toString(), / 403 /);
    peer.tcp.destroy();
  });

  test(`${runtime}: threat H: an upgrade without a key is answered 400 and not kept`, async () => {
    const server = await listen((_, env) => env.upgrade(watch().events));
    const peer = await dialRaw(server.port);
    peer.write(upgradeRequest().replace(/Sec-WebSocket-Key: .*\r\n/, ""));
    await peer.until(() => peer.received().includes(" 400 ") || peer.ended());
    assert.not.ok(peer.received().includes("101 Switching"));
    peer.tcp.destroy();
  });

  test(`${runtime}: threat B: what a request says about its host cannot be changed by its path`, async () => {
    const urls: string[] = [];
    const server = await listen((request) => {
      urls.push(request.url);
      return new Response("no", { status: 403 });
    });
    const peer = await dialRaw(server.port);
    peer.write(upgradeRequest("//elsewhere.example/ws"));
    await peer.until(() => urls.length > 0);
    assert.equal(
      urls.map((url) => new URL(url).hostname),
      ["127.0.0.1"],
    );
    peer.tcp.destroy();
  });

  test(`${runtime}: a Host that makes no URL is answered 400, upgrade or not`, async () => {
    const server = await listen((request) => new Response(`reached ${request.url}`));
    for (const request of [upgradeRequest(), "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"]) {
      const peer = await dialRaw(server.port);
      peer.write(request.replace("Host: 127.0.0.1", "Host: [::zz]:99999"));
      await peer.until(() => peer.received().includes(" 400 "));
      peer.tcp.destroy();
    }
  });

  test(`${runtime}: an offer of another protocol is declined by answering the request`, async () => {
    const server = await listen(() => new Response("plain answer"));
    const peer = await dialRaw(server.port);
    peer.write(
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n",
    );
    await peer.until(() => peer.received().includes("plain answer"));
    assert.match(peer.received().toString(), /^HTTP\/1.1 200 /);
    peer.tcp.destroy();
  });

  test(`${runtime}: threat H: who breaks the protocol and stays is cut`, async () => {
    const seen = watch();
    const server = await listen((_, env) => env.upgrade(seen.events));
    const peer = await dialRaw(server.port, { stays: true });
    peer.write(upgradeRequest());
    await peer.until(() => seen.socket);
    // Writes on, so that only being cut ends it.
    const flood = setInterval(() => peer.tcp.writable && peer.write(Buffer.alloc(1000)), 50);
    peer.write(frame(opcodes.text, "x", { masked: false }));
    try {
      await peer.until(() => seen.closed && peer.ended(), 15_000);
    } finally {
      clearInterval(flood);
      peer.tcp.destroy();
    }
  });

  test(`${runtime}: an upgrade may be accepted later than in the turn in which it came`, async () => {
    const { peer, seen } = await pair({ decide: () => new Promise<void>((resolve) => setTimeout(resolve, 50)) });
    await peer.until(() => peer.received().includes("101 Switching Protocols"));
    peer.write(frame(opcodes.text, "after"));
    await peer.until(() => seen.messages.length === 1);
    assert.equal(seen.messages, ["after"]);
    peer.tcp.destroy();
  });

  test(`${runtime}: frames that come with the handshake arrive, also when accepting takes its time`, async () => {
    if (runtime === "bun") skip(`bun: ${gaps.bun.later}`);
    const decide = runtime === "bun" ? () => undefined : () => new Promise<void>((resolve) => setTimeout(resolve, 50));
    const { peer, seen } = await pair({ decide, first: frame(opcodes.text, "early") });
    await peer.until(() => seen.messages.length === 1);
    assert.equal(seen.messages, ["early"]);
    peer.tcp.destroy();
  });

  test(`${runtime}: text and binary arrive as text, in order, and answers in order`, async () => {
    const { peer, seen } = await pair();
    peer.write(Buffer.concat([frame(opcodes.text, "a"), frame(opcodes.binary, "ü"), frame(opcodes.text, "c")]));
    await peer.until(() => seen.messages.length === 3);
    assert.equal(seen.messages, ["a", "ü", "c"]);
    for (const text of ["1", "2", "3"]) assert.ok((seen.socket?.send(text) ?? -1) >= 0);
    await peer.until(() => peer.frames().length === 3);
    assert.equal(
      peer.frames().map(({ payload }) => payload.toString()),
      ["1", "2", "3"],
    );
    peer.tcp.destroy();
  });

  test(`${runtime}: pings are answered, ours are seen answered`, async () => {
    const { peer, seen } = await pair();
    peer.write(frame(opcodes.ping, "p"));
    await peer.until(() => peer.frames().some(({ opcode }) => opcode === opcodes.pong));
    seen.socket?.ping();
    await peer.until(() => peer.frames().some(({ opcode }) => opcode === opcodes.ping));
    peer.write(frame(opcodes.pong, ""));
    await peer.until(() => seen.pongs > 0);
    peer.tcp.destroy();
  });

  const violations: readonly (readonly [what: string, bytes: Buffer, codes: readonly number[]])[] = [
    ["a message over the limit", frame(opcodes.text, "x".repeat(limits.maxPayload + 1)), [1009]],
    ["an unmasked frame", frame(opcodes.text, "x", { masked: false }), [1002]],
    ["reserved bits", frame(opcodes.text, "x", { head: 0xc0 }), [1002]],
    ["an unknown opcode", frame(3, "x"), [1002]],
    ["text that is not UTF-8", frame(opcodes.text, Buffer.from([0xff, 0xfe])), [1007]],
    ["binary that is not UTF-8", frame(opcodes.binary, Buffer.from([0xff, 0xfe])), [1007]],
  ];
  for (const [what, bytes, codes] of violations) {
    test(`${runtime}: ${what} closes with ${codes.join(" or ")}`, async () => {
      const { peer, seen } = await pair();
      seen.socket?.trust();
      peer.write(bytes);
      const close = await peer.until(() => closeOf(peer.frames()));
      assert.ok(codes.includes(close.code), `closed ${close.code}`);
      peer.tcp.destroy();
      await peer.until(() => seen.closed);
      assert.equal(seen.messages, []);
    });
  }

  test(`${runtime}: threat H: before trust a peer cannot make it buffer much of a frame`, async () => {
    if (runtime === "bun") return skip(`bun: ${gaps.bun.untrusted}`);
    const { peer, seen } = await pair();
    peer.write(frame(opcodes.text, "x".repeat(limits.maxPayload - 1)).subarray(0, limits.maxUntrusted * 3));
    const close = await peer.until(() => closeOf(peer.frames()));
    assert.is(close.code, 1009);
    assert.equal(seen.messages, []);
    peer.tcp.destroy();
  });

  test(`${runtime}: a close carries code and reason, clamped to what may be sent`, async () => {
    for (const [code, sent] of [
      [4001, 4001],
      [1008, 1008],
      [999, 1011],
      [1005, 1011],
      [5000, 1011],
    ] as const) {
      const { peer, seen } = await pair();
      seen.socket?.close(code, "é".repeat(100));
      const close = await peer.until(() => closeOf(peer.frames()));
      assert.is(close.code, sent);
      assert.is(close.reason, "é".repeat(61), "cut at a character, within 123 bytes");
      peer.write(frame(opcodes.close, Buffer.from([sent >> 8, sent & 255])));
      await peer.until(() => seen.closed);
      peer.tcp.destroy();
    }
  });

  test(`${runtime}: nothing can be sent on a closed socket`, async () => {
    const { peer, seen } = await pair();
    peer.tcp.destroy();
    await peer.until(() => seen.closed);
    assert.is(seen.closed?.code, 1006);
    assert.is(seen.socket?.send("x"), -1);
    assert.is(seen.closes, 1);
  });

  test(`${runtime}: a client's own close is told with its code`, async () => {
    const { peer, seen } = await pair();
    peer.write(frame(opcodes.close, Buffer.concat([Buffer.from([4000 >> 8, 4000 & 255]), Buffer.from("bye")])));
    assert.equal(await peer.until(() => seen.closed), { code: 4000, reason: "bye" });
    peer.tcp.destroy();
  });

  test(`${runtime}: what a slow reader is sent piles up in sight, and all of it arrives when it reads on`, async () => {
    const { peer, seen } = await pair();
    peer.tcp.pause();
    const text = "x".repeat(256 * 1024);
    const count = 64;
    for (let index = 0; index < count; index++) assert.ok((seen.socket?.send(text) ?? -1) >= 0);
    assert.ok((seen.socket?.buffered ?? 0) > 1024 * 1024);
    peer.tcp.resume();
    await peer.until(() => peer.received().length >= count * text.length);
    await peer.until(() => peer.frames().length === count);
    await peer.until(() => seen.drains > 0);
    await peer.until(() => seen.socket?.buffered === 0);
    peer.tcp.destroy();
  });

  test(`${runtime}: a peer that does not read is gone at once when it is cut`, async () => {
    const { peer, seen } = await pair();
    peer.tcp.pause();
    for (let index = 0; index < 64; index++) seen.socket?.send("x".repeat(256 * 1024));
    seen.socket?.terminate();
    await peer.until(() => seen.closed);
    assert.is(seen.closed?.code, 1006);
    peer.tcp.destroy();
  });

  test(`${runtime}: closing a peer that does not read ends within a few seconds`, async () => {
    const { peer, seen } = await pair();
    peer.tcp.pause();
    for (let index = 0; index < 64; index++) seen.socket?.send("x".repeat(256 * 1024));
    seen.socket?.close(1008, "slow consumer");
    await peer.until(() => seen.closed);
    peer.tcp.destroy();
  });

  test(`${runtime}: nothing is delivered to a paused socket until it is resumed`, async () => {
    const { peer, seen } = await pair();
    seen.socket?.pause();
    peer.write(frame(opcodes.text, "later"));
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(seen.messages, []);
    seen.socket?.resume();
    await peer.until(() => seen.messages.length === 1);
    peer.tcp.destroy();
  });

  test(`${runtime}: a port that is taken is a conflict that says so`, async () => {
    const { port } = await listen(() => new Response());
    const failure = await serve({ hostname: "127.0.0.1", port, ...limits }, () => new Response()).then(
      () => undefined,
      (error: unknown) => error as { code: string; message: string; details: { errno: string } },
    );
    assert.is(failure?.code, "conflict");
    assert.is(failure?.details.errno, "EADDRINUSE");
    assert.match(failure?.message ?? "", `127.0.0.1:${port}`);
  });

  test(`${runtime}: a closed server accepts nobody and its port is free again`, async () => {
    const server = await listen(() => new Response());
    await server.close(100);
    const again = await serve({ hostname: "127.0.0.1", port: server.port, ...limits }, () => new Response("again"));
    assert.is(await (await fetch(`http://127.0.0.1:${again.port}/`)).text(), "again");
    await again.close(100);
  });

  test.after(() => Promise.all(open.map((server) => server.close(0))).then(() => undefined));
}

interface Seen {
  readonly events: SocketEvents;
  socket: Socket | undefined;
  readonly messages: string[];
  pongs: number;
  drains: number;
  closes: number;
  closed: { code: number; reason: string } | undefined;
}

/** Records what happens to one socket. */
function watch(): Seen {
  const seen: Seen = {
    socket: undefined,
    messages: [],
    pongs: 0,
    drains: 0,
    closes: 0,
    closed: undefined,
    events: {
      open: (socket) => void (seen.socket = socket),
      message: (_, text) => void seen.messages.push(text),
      pong: () => void seen.pongs++,
      drain: () => void seen.drains++,
      close(_, code, reason) {
        seen.closes++;
        seen.closed = { code, reason };
      },
    },
  };
  return seen;
}

function skip(why: string): void {
  process.stdout.write(`skipped: ${why}\n`);
}
