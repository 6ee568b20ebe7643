import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";

export interface RawClose {
  /** 1005 for a close frame without a code, 1006 for a connection that ended without one. */
  readonly code: number;
  readonly reason: string;
}

export interface RawFrame {
  readonly opcode?: number;
  readonly fin?: boolean;
  /** The three reserved bits, as a number from 0 to 7. */
  readonly reserved?: number;
  readonly masked?: boolean;
}

/** A WebSocket client by hand, which can do everything that a well-behaved one cannot. */
export interface RawClient {
  /** A text message, as it should be. */
  send(text: string): void;
  /** A frame of any kind. */
  frame(payload: string | Buffer, frame?: RawFrame): void;
  /** Bytes as they are; false when the kernel takes no more for now. */
  write(bytes: string | Buffer): boolean;
  /** The next whole message; undefined when there will be none. */
  next(): Promise<string | undefined>;
  /** Stops reading, for good: whatever the gateway sends piles up. */
  stopReading(): void;
  /** Ends the connection with a reset. */
  reset(): void;
  /** The closing handshake, from our side. */
  close(): void;
  readonly isOpen: boolean;
  /** Bytes that our side still holds because the gateway does not read them. */
  readonly unsent: number;
  readonly closed: Promise<RawClose>;
}

export interface RawOptions {
  readonly path?: string;
  /** More headers, or other values for the usual ones. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** The answer to an upgrade that was not accepted. `status` is 0 when there was none. */
export class UpgradeRefused extends Error {
  readonly status: number;
  readonly body: string;
  constructor(answer: string) {
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);
    super(status === 0 ? "no answer to the upgrade" : `HTTP ${status}`);
    this.status = status;
    this.body = answer.split("\r\n\r\n").slice(1).join("\r\n\r\n");
  }
}

/** Opens a WebSocket at `url`; rejects with `UpgradeRefused` when the server does not want it. */
export async function openRaw(url: string, options: RawOptions = {}): Promise<RawClient> {
  const socket = await dial(url);
  socket.write(upgradeRequest(url, options));
  const { head, rest } = await readHead(socket);
  if (head.startsWith("HTTP/1.1 101")) return speak(socket, rest);
  // What does not upgrade answers like any other request, in full.
  const body = await untilEnd(socket, rest, lengthIn(head));
  socket.destroy();
  throw new UpgradeRefused(`${head}\r\n\r\n${body}`);
}

/** A TCP connection to where `url` points. */
export function dial(url: string): Promise<Socket> {
  const { hostname, port, protocol } = new URL(url);
  if (protocol !== "ws:") throw new Error(`${url}: only ws:// can be spoken by hand`);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname.replace(/^\[|\]$/g, ""), port: Number(port || 80), noDelay: true });
    socket.once("connect", () => {
      socket.off("error", reject);
      socket.on("error", () => undefined); // a reset shows as the end of the connection
      resolve(socket);
    });
    socket.once("error", reject);
  });
}

/** The upgrade as a browser or client sends it; a header with an empty value is left out. */
export function upgradeRequest(url: string, { path = "/", headers = {} }: RawOptions = {}): string {
  const all = {
    Host: new URL(url).host,
    Upgrade: "websocket",
    Connection: "Upgrade",
    "Sec-WebSocket-Key": randomBytes(16).toString("base64"),
    "Sec-WebSocket-Version": "13",
    ...headers,
  };
  const lines = Object.entries(all).flatMap(([name, value]) => (value === "" ? [] : [`${name}: ${value}\r\n`]));
  return `GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`;
}

function speak(socket: Socket, rest: Buffer): RawClient {
  const messages: string[] = [];
  const waiting: ((message: string | undefined) => void)[] = [];
  let fragments: Buffer[] = [];
  let unread = rest;
  let close: RawClose = { code: 1006, reason: "" };
  let over = false;
  let settleClosed: (close: RawClose) => void;
  const closed = new Promise<RawClose>((resolve) => (settleClosed = resolve));

  function end(): void {
    if (over) return;
    over = true;
    settleClosed(close);
    for (const resolve of waiting.splice(0)) resolve(undefined);
  }

  function read(bytes: Buffer): void {
    unread = unread.length === 0 ? bytes : Buffer.concat([unread, bytes]);
    for (let parsed = parse(unread); parsed; parsed = parse(unread)) {
      unread = unread.subarray(parsed.size);
      receive(parsed);
    }
  }

  function receive({ opcode, fin, payload }: Parsed): void {
    if (opcode === 8) {
      const code = payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
      close = { code, reason: payload.subarray(2).toString("utf8") };
      if (!over) client.frame(payload.subarray(0, 2), { opcode: 8 });
      socket.end();
      return end();
    }
    if (opcode === 9) return client.frame(payload, { opcode: 10 });
    if (opcode > 2) return;
    fragments.push(payload);
    if (!fin) return;
    const message = Buffer.concat(fragments).toString("utf8");
    fragments = [];
    const resolve = waiting.shift();
    if (resolve) resolve(message);
    else messages.push(message);
  }

  const client: RawClient = {
    send: (text) => client.frame(text),
    frame: (payload, frame) => void client.write(encode(Buffer.from(payload), frame)),
    write: (bytes) => socket.writable && socket.write(bytes),
    next() {
      const message = messages.shift();
      if (message !== undefined || over) return Promise.resolve(message);
      return new Promise((resolve) => waiting.push(resolve));
    },
    stopReading: () => void socket.pause(),
    reset() {
      socket.resetAndDestroy();
      end();
    },
    close() {
      client.frame("", { opcode: 8 });
      socket.end();
    },
    get isOpen() {
      return !over;
    },
    get unsent() {
      return socket.writableLength;
    },
    closed,
  };
  socket.on("data", read);
  socket.on("end", end);
  socket.on("close", end);
  read(Buffer.alloc(0));
  socket.resume();
  return client;
}

interface Parsed {
  readonly opcode: number;
  readonly fin: boolean;
  readonly payload: Buffer;
  readonly size: number;
}

/** The frame that `bytes` begins with (RFC 6455 5.2), when it is whole. A server masks nothing. */
function parse(bytes: Buffer): Parsed | undefined {
  if (bytes.length < 2) return undefined;
  const [first = 0, second = 0] = bytes;
  const short = second & 127;
  const header = short === 127 ? 10 : short === 126 ? 4 : 2;
  if (bytes.length < header) return undefined;
  const length = short === 127 ? Number(bytes.readBigUInt64BE(2)) : short === 126 ? bytes.readUInt16BE(2) : short;
  if (bytes.length < header + length) return undefined;
  const payload = bytes.subarray(header, header + length);
  return { opcode: first & 15, fin: first >= 128, payload, size: header + length };
}

/** A client's frame (RFC 6455 5.2), whether the standard allows it or not. */
export function encode(
  payload: Buffer,
  { opcode = 1, fin = true, reserved = 0, masked = true }: RawFrame = {},
): Buffer {
  const { length } = payload;
  const extended = length > 65_535 ? 8 : length > 125 ? 2 : 0;
  const header = Buffer.alloc(2 + extended + (masked ? 4 : 0));
  header[0] = (fin ? 128 : 0) | (reserved << 4) | opcode;
  header[1] = (masked ? 128 : 0) | (extended === 8 ? 127 : extended === 2 ? 126 : length);
  if (extended === 8) header.writeBigUInt64BE(BigInt(length), 2);
  if (extended === 2) header.writeUInt16BE(length, 2);
  // A mask of zeros is a mask: the payload stays as it is.
  return Buffer.concat([header, payload]);
}

async function readHead(socket: Socket): Promise<{ head: string; rest: Buffer }> {
  let bytes = Buffer.alloc(0);
  await new Promise<void>((resolve) => {
    const done = (): void => {
      socket.off("data", read).off("end", done).off("close", done);
      socket.pause();
      resolve();
    };
    const read = (chunk: Buffer): void => {
      bytes = Buffer.concat([bytes, chunk]);
      if (bytes.includes("\r\n\r\n")) done();
    };
    socket.on("data", read).on("end", done).on("close", done);
    socket.resume();
  });
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) throw new UpgradeRefused(bytes.toString("latin1"));
  return { head: bytes.subarray(0, end).toString("latin1"), rest: bytes.subarray(end + 4) };
}

function lengthIn(head: string): number {
  return Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? Number.POSITIVE_INFINITY);
}

function untilEnd(socket: Socket, rest: Buffer, length: number): Promise<string> {
  let bytes = rest;
  return new Promise((resolve) => {
    const done = (): void => resolve(bytes.toString("utf8"));
    const read = (chunk: Buffer): void => {
      bytes = Buffer.concat([bytes, chunk]);
      if (bytes.length >= length) done();
    };
    socket.on("data", read).on("end", done).on("close", done);
    socket.resume();
    read(Buffer.alloc(0));
  });
}
