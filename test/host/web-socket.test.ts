import { test } from "uvu";
import * as assert from "uvu/assert";
import { dialOverWeb, overWebSocket, type WebSocketLike } from "../../src/host/web-socket.ts";
import type { SocketEvents } from "../../src/host/socket.ts";
import { createFakeClock } from "../support/fake-clock.ts";

test("tells what happens in order, the close last and once", async () => {
  const { web, heard, socket } = opened();
  await Promise.resolve();
  web.happen("message", { data: "one" });
  web.happen("message", { data: new TextEncoder().encode("two").buffer });
  web.happen("close", { code: 1001, reason: "away" });
  web.happen("message", { data: "late" });
  web.happen("close", { code: 1000, reason: "" });
  assert.equal(heard, ["open", "one", "two", "close 1001 away"]);
  assert.is(socket.send("late"), -1);
});

test("a paused socket keeps what comes, in order, and closes when that is more than a message may be", () => {
  const { web, heard, socket } = opened({ maxPayload: 10 });
  socket.pause();
  web.happen("message", { data: "12345" });
  web.happen("message", { data: "67890" });
  assert.equal(heard, []);
  socket.resume();
  assert.equal(heard, ["12345", "67890"]);
  socket.pause();
  for (const data of ["12345", "67890", "1"]) web.happen("message", { data });
  assert.equal(web.closed, { code: 1009, reason: "" });
});

test("threat H counts bytes until the peer is trusted, and closes for more", () => {
  const { web, heard, socket } = opened({ maxUntrusted: 6 });
  web.happen("message", { data: "éé" });
  socket.trust();
  web.happen("message", { data: "as much as it likes" });
  assert.equal(heard.length, 2);
  const other = opened({ maxUntrusted: 6 });
  for (const data of ["éé", "éé"]) other.web.happen("message", { data });
  assert.equal(other.heard, ["éé"]);
  assert.is(other.web.closed?.code, 1009);
});

test("refuses bytes that are no text", () => {
  const { web, heard } = opened();
  web.happen("message", { data: new Uint8Array([0xff]).buffer });
  assert.equal(heard, []);
  assert.is(web.closed?.code, 1007);
});

test("says when everything is sent, and not before", async () => {
  const { web, heard, socket, clock } = opened();
  await Promise.resolve();
  web.bufferedAmount = 5;
  assert.is(socket.send("12345"), 5);
  await clock.advance(50);
  assert.equal(heard, ["open"]);
  web.bufferedAmount = 0;
  await clock.advance(50);
  assert.equal(heard, ["open", "drain"]);
});

test("where the runtime takes no code below 3000, one of private use says the same", () => {
  const { web, socket } = opened();
  web.picky = true;
  socket.close(1008, "no");
  assert.equal(web.closed, { code: 4008, reason: "no" });
});

test("ends by itself when the peer does not answer a close", async () => {
  const { heard, socket, clock } = opened();
  await Promise.resolve();
  socket.close(1000, "");
  await clock.advance(2000);
  assert.equal(heard, ["open", "close 1006 the peer did not answer the close"]);
});

test("refuses to connect with what it could not hold to", async () => {
  const heard: string[] = [];
  const dial = dialOverWeb(FakeWeb, createFakeClock());
  dial("wss://example.com", hearing(heard), { fingerprint: "ab".repeat(32) });
  await Promise.resolve();
  assert.equal(heard, ["close 1006 this runtime's WebSocket takes no headers, fingerprint or certificate"]);
});

type Happening = "open" | "message" | "close" | "error";

class FakeWeb implements WebSocketLike {
  readyState = 1;
  bufferedAmount = 0;
  binaryType = "blob";
  picky = false;
  closed: { code?: number | undefined; reason?: string | undefined } | undefined;
  readonly listeners = new Map<Happening, (event: never) => void>();

  addEventListener(type: Happening, listener: (event: never) => void): void {
    this.listeners.set(type, listener);
  }
  send(): void {}
  close(code?: number, reason?: string): void {
    if (this.picky && code !== undefined && code < 3000) throw new Error("InvalidAccessError");
    this.closed = { code, reason };
  }
  happen(type: Happening, event: object): void {
    this.listeners.get(type)?.(event as never);
  }
}

function opened(limits: { maxPayload?: number; maxUntrusted?: number } = {}) {
  const heard: string[] = [];
  const clock = createFakeClock();
  const web = new FakeWeb();
  const socket = overWebSocket(web, hearing(heard), { clock, maxPayload: 1000, ...limits });
  return { web, heard, socket, clock };
}

function hearing(heard: string[]): SocketEvents {
  return {
    open: () => void heard.push("open"),
    message: (_, text) => void heard.push(text),
    pong: () => void heard.push("pong"),
    drain: () => void heard.push("drain"),
    close: (_, code, reason) => void heard.push(`close ${code} ${reason}`),
  };
}

test.run();
