import { encode, type RawClient, type RawFrame } from "../raw-client.ts";
import type { Attack, Target } from "./attack.ts";
import { connectParams, ending, introduce, open } from "./session.ts";

const connect = { type: "req", id: "1", method: "connect" };
const untrustedFrame = 65_536;
const trustedFrame = 26_214_400;
const bunCounts = "needs a runtime that counts the bytes of an unfinished frame (Bun does not: SECURITY.md)";

/** Frames that no well-behaved client sends, before its hello and after. */
export const frames: readonly Attack[] = [
  {
    name: "threat H: the largest frame before hello is read",
    expected: "hello",
    needs: ["token"],
    async run(target) {
      const { socket, challenge } = await open(target);
      socket.send(padded(target, challenge, untrustedFrame));
      const answer = await socket.next();
      socket.close();
      return JSON.parse(answer ?? "{}").ok ? "hello" : ending(socket);
    },
  },
  {
    name: "threat H: a byte more before hello is not",
    expected: "closed 1009",
    async run(target) {
      const { socket, challenge } = await open(target);
      socket.send(padded(target, challenge, untrustedFrame + 1));
      return withoutReason(await ending(socket));
    },
  },
  {
    name: "threat H: 25 MiB and a byte after hello",
    expected: "closed 1009",
    needs: ["token"],
    async run(target) {
      const { socket } = await introduce(target);
      socket.send(" ".repeat(trustedFrame + 1));
      return withoutReason(await ending(socket));
    },
  },
  before("text that is no JSON", (socket) => socket.send("GET / HTTP/1.1"), "closed 1000"),
  before("an empty message", (socket) => socket.send(""), "closed 1000"),
  before("an object that is no frame", (socket) => socket.send("{}"), "closed 1008 invalid request frame"),
  before("a list", (socket) => socket.send("[]"), "closed 1008 invalid request frame"),
  before("an event", (socket) => socket.send('{"type":"event"}'), "closed 1008 invalid request frame"),
  before(
    "another method than connect",
    (socket) => socket.send(JSON.stringify({ ...connect, method: "health" })),
    "closed 1008 invalid handshake: first request must be connect",
  ),
  before(
    "another method than connect in a binary frame",
    (socket) => socket.frame(JSON.stringify({ ...connect, method: "config.get" }), { opcode: 2 }),
    "closed 1008 invalid handshake: first request must be connect",
  ),
  before("nesting a hundred thousand deep", (socket) => socket.send("[".repeat(60_000)), "closed 1000"),
  before(
    "connect without parameters",
    (socket) => socket.send(JSON.stringify(connect)),
    /^closed 1008 invalid connect params: .{1,100}/,
  ),
  before(
    "a role that does not exist",
    (socket, params) => socket.send(JSON.stringify({ ...connect, params: { ...params, role: "root" } })),
    "closed 1008 invalid role",
  ),
  before(
    "a protocol that does not exist",
    (socket, params) =>
      socket.send(JSON.stringify({ ...connect, params: { ...params, minProtocol: 99, maxProtocol: 99 } })),
    "closed 1002 protocol mismatch",
  ),
  before(
    "a prototype for an answer",
    (socket) => socket.send('{"type":"req","id":"1","method":"connect","__proto__":{"admin":true}}'),
    "closed 1008 invalid request frame",
  ),
  ...(
    [
      ["an unmasked frame", "{}", { masked: false }, 1002],
      ["a reserved bit", "{}", { reserved: 4 }, 1002],
      ["an opcode that does not exist", "{}", { opcode: 3 }, 1002],
      ["a continuation of nothing", "{}", { opcode: 0 }, 1002],
      ["a ping in fragments", "x", { opcode: 9, fin: false }, 1002],
      ["a ping of 126 bytes", "x".repeat(126), { opcode: 9 }, 1002],
      ["text that is no UTF-8", Buffer.from([0xc3, 0x28]), {}, 1007],
      ["binary that is no UTF-8", Buffer.from([0xc3, 0x28]), { opcode: 2 }, 1007],
    ] as const
  ).map(([what, payload, frame, code]) => broken(what, payload, frame, code)),
  {
    name: "threat H: fragments without end before hello",
    expected: /^closed 100[89]/,
    gaps: { bun: bunCounts },
    async run(target) {
      const { socket } = await open(target);
      const fragment = encode(Buffer.from("x"), { opcode: 0, fin: false });
      socket.frame("[", { fin: false });
      socket.write(Buffer.concat(Array.from({ length: 40_000 }, () => fragment)));
      return ending(socket);
    },
  },
  {
    name: "threat H: requests without end while connect is being decided",
    expected: /^(hello|closed 1008 too many pending handshake frames)$/,
    needs: ["token"],
    async run(target) {
      const { socket, challenge } = await open(target);
      const first = JSON.stringify({ ...connect, params: connectParams(target, {}, challenge) });
      const more = encode(Buffer.from(JSON.stringify({ ...connect, id: "2", method: "health" })));
      socket.write(Buffer.concat([encode(Buffer.from(first)), ...Array.from({ length: 1000 }, () => more)]));
      const answer = JSON.parse((await socket.next()) ?? "{}");
      if (!answer.ok) return ending(socket);
      socket.reset();
      return "hello";
    },
  },
  after("text that is no JSON", "}{", "still answers"),
  after("a second connect", JSON.stringify({ ...connect, params: {} }), /^connect is only valid as the first request/),
  after("a frame without a method", '{"type":"req","id":"7"}', /^invalid request frame: /),
  after(
    "a frame with a property of its own",
    '{"type":"req","id":"7","method":"health","as":"admin"}',
    /^invalid request frame: /,
  ),
  after("a method that does not exist", '{"type":"req","id":"7","method":"__proto__"}', "unknown method: __proto__"),
];

/** `connect` as JSON of exactly so many bytes. */
function padded(target: Target, challenge: unknown, bytes: number): string {
  const text = JSON.stringify({ ...connect, params: { ...connectParams(target, {}, challenge), userAgent: "" } });
  return text.replace('"userAgent":""', () => `"userAgent":"${"x".repeat(bytes - text.length)}"`);
}

function before(what: string, send: (socket: RawClient, params: object) => void, expected: string | RegExp): Attack {
  return {
    name: `threat H: ${what} before hello`,
    expected,
    async run(target) {
      const { socket, challenge } = await open(target);
      send(socket, connectParams(target, {}, challenge));
      return ending(socket);
    },
  };
}

function broken(what: string, payload: string | Buffer, frame: RawFrame, code: number): Attack {
  return {
    name: `threat H: ${what}, before hello and after`,
    expected: `closed ${code}, closed ${code}`,
    needs: ["token"],
    async run(target) {
      const sockets = [(await open(target)).socket, (await introduce(target)).socket];
      for (const socket of sockets) socket.frame(payload, frame);
      const seen = await Promise.all(sockets.map(ending));
      return seen.map(withoutReason).join(", ");
    },
  };
}

function after(what: string, text: string, expected: string | RegExp): Attack {
  return {
    name: `threat H: ${what} after hello`,
    expected,
    needs: ["token"],
    async run(target) {
      const session = await introduce(target);
      session.socket.send(text);
      const health = await session.call("health");
      await session.leave();
      if (!health.ok) return `health answers ${JSON.stringify(health)}`;
      const refusal = session.events.find((frame) => frame.type === "res");
      return refusal?.error?.message ?? "still answers";
    },
  };
}

/** Runtimes word the reasons of their own codecs as they like. */
function withoutReason(ended: string): string {
  return ended.split(" ").slice(0, 2).join(" ");
}
