import { connect, type Socket } from "node:net";

/** A WebSocket client by hand over TCP: it can send what no library would, and sees every byte that comes. */
export interface Peer {
  readonly tcp: Socket;
  write(bytes: string | Uint8Array): void;
  /** Everything received so far. */
  received(): Buffer;
  /** The frames received after the HTTP response. */
  frames(): readonly Frame[];
  /** Waits until `look` finds something; rejects after `ms`, five seconds unless told. */
  until<T>(look: () => T | undefined, ms?: number): Promise<T>;
  readonly ended: () => boolean;
}

export interface Frame {
  readonly opcode: number;
  readonly payload: Buffer;
}

export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** With `stays`, its side remains open when the server has ended its own. */
export function dialRaw(port: number, { stays = false } = {}): Promise<Peer> {
  const tcp = connect({ port, host: "127.0.0.1", allowHalfOpen: stays });
  const chunks: Buffer[] = [];
  let over = false;
  tcp.on("data", (chunk: Buffer) => void chunks.push(chunk));
  tcp.on("close", () => void (over = true));
  tcp.on("error", () => void (over = true));
  const peer: Peer = {
    tcp,
    write: (bytes) => void tcp.write(bytes),
    received: () => Buffer.concat(chunks),
    frames: () => parseFrames(afterHead(Buffer.concat(chunks))),
    async until(look, ms = 5000) {
      const deadline = Date.now() + ms;
      for (;;) {
        const found = look();
        if (found !== undefined && found !== false) return found;
        if (Date.now() > deadline)
          throw new Error(`not seen; received ${Buffer.concat(chunks).subarray(0, 400).toString()}`);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
    ended: () => over,
  };
  return new Promise((resolve) => tcp.on("connect", () => resolve(peer)));
}

/** The request that asks for a WebSocket (RFC 6455 4.1). */
export function upgradeRequest(path = "/", headers: readonly string[] = []): string {
  return [
    `GET ${path} HTTP/1.1`,
    "Host: 127.0.0.1",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ...headers,
    "\r\n",
  ].join("\r\n");
}

/** One frame as a client sends it, masked unless told otherwise (RFC 6455 5.2). */
export function frame(opcode: number, payload: string | Uint8Array, { masked = true, head = 0x80 } = {}): Buffer {
  const data = Buffer.from(payload);
  const size =
    data.length < 126
      ? Buffer.from([data.length])
      : data.length < 65_536
        ? Buffer.from([126, data.length >> 8, data.length & 255])
        : longSize(data.length);
  if (masked) size[0] = (size[0] ?? 0) | 0x80;
  // A mask of zeros is a mask, and leaves the payload readable.
  return Buffer.concat([Buffer.from([head | opcode]), size, masked ? Buffer.alloc(4) : Buffer.alloc(0), data]);
}

function longSize(length: number): Buffer {
  const size = Buffer.alloc(9);
  size[0] = 127;
  size.writeUInt32BE(length, 5);
  return size;
}

/** Code and reason of a close frame. */
export function closeOf(frames: readonly Frame[]): { code: number; reason: string } | undefined {
  const close = frames.find(({ opcode }) => opcode === opcodes.close);
  if (!close) return undefined;
  const code = close.payload.length < 2 ? 1005 : close.payload.readUInt16BE(0);
  return { code, reason: close.payload.subarray(2).toString() };
}

function afterHead(bytes: Buffer): Buffer {
  const end = bytes.indexOf("\r\n\r\n");
  return end < 0 || !bytes.toString("latin1", 0, 12).includes("101") ? Buffer.alloc(0) : bytes.subarray(end + 4);
}

function parseFrames(bytes: Buffer): readonly Frame[] {
  const frames: Frame[] = [];
  let at = 0;
  while (at + 2 <= bytes.length) {
    const opcode = (bytes[at] ?? 0) & 15;
    let size = (bytes[at + 1] ?? 0) & 127;
    let start = at + 2;
    if (size === 126) {
      if (start + 2 > bytes.length) break;
      size = bytes.readUInt16BE(start);
      start += 2;
    } else if (size === 127) {
      if (start + 8 > bytes.length) break;
      size = Number(bytes.readBigUInt64BE(start));
      start += 8;
    }
    if (start + size > bytes.length) break;
    frames.push({ opcode, payload: bytes.subarray(start, start + size) });
    at = start + size;
  }
  return frames;
}
