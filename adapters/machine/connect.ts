import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { ByteStream, ByteStreamEvents, ConnectOptions } from "../../src/host/byte-stream.ts";
import { parseFingerprint } from "../../src/kit/fingerprint.ts";

const closeMs = 2000;
/** More than anybody leaves unread who still reads. */
const maxWaiting = 4 * 1024 * 1024;

/** Opens a TCP connection: see `Net.connect`. */
export function connect(options: ConnectOptions, events: ByteStreamEvents): ByteStream {
  const { timeoutMs } = options;
  const early: (string | Uint8Array)[] = [];
  let stands = false;
  let over = false;
  let why: string | undefined;

  const cut = (reason: string): void => {
    why ??= reason;
    socket.destroy();
  };
  const stream: ByteStream = {
    write(data) {
      if (over || socket.writableEnded) return;
      // Nothing may leave before the certificate was looked at.
      if (!stands) early.push(data);
      else socket.write(data);
      if (socket.writableLength > maxWaiting) cut("the other side does not read");
    },
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    close() {
      if (over || socket.writableEnded) return;
      if (stands) {
        socket.resume();
        socket.end();
        setTimeout(() => socket.destroy(), closeMs).unref();
      } else socket.destroy();
    },
  };

  const socket = open(options);
  const timer = setTimeout(() => cut(`no answer within ${timeoutMs} ms`), timeoutMs);
  socket.on(options.tls ? "secureConnect" : "connect", () => {
    const wrong = wrongCertificate(socket, options);
    if (wrong !== undefined) return cut(wrong);
    clearTimeout(timer);
    stands = true;
    for (const data of early.splice(0)) stream.write(data);
    events.open(stream);
  });
  socket.on("data", (bytes: Uint8Array) => {
    if (stands && !over) events.data(stream, bytes);
  });
  socket.on("error", (error) => void (why ??= error.message));
  socket.on("close", () => {
    if (over) return;
    over = true;
    clearTimeout(timer);
    events.close(stream, why ?? (stands ? undefined : "closed before it was open"));
  });
  return stream;
}

function open({ hostname, port, tls, fingerprint }: ConnectOptions): Socket {
  // Loaded when used: most commands call nobody.
  const { connect, isIP } = process.getBuiltinModule("node:net");
  const host = hostname.replace(/^\[|\]$/g, "");
  if (!tls) return connect({ host, port, noDelay: true });
  return process.getBuiltinModule("node:tls").connect({
    host,
    port,
    // Whoever signed it: it is compared as soon as it is known.
    rejectUnauthorized: fingerprint === undefined,
    // An address is no name that a server could be asked for (RFC 6066 3).
    ...(isIP(host) ? {} : { servername: host }),
  });
}

/** Why a certificate that nobody checked so far is not the one that is wanted; undefined when it is. */
function wrongCertificate(socket: Socket, { tls, fingerprint }: ConnectOptions): string | undefined {
  if (!tls || fingerprint === undefined) return undefined;
  const shown = parseFingerprint((socket as TLSSocket).getPeerCertificate().fingerprint256 ?? "");
  if (shown !== undefined && shown === parseFingerprint(fingerprint)) return undefined;
  return `the server's certificate is sha256 ${shown ?? "(none)"}, not the pinned ${fingerprint}`;
}
