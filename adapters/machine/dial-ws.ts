import { connect as connectTls, type TLSSocket } from "node:tls";
import { WebSocket } from "ws";
import type { DialOptions } from "../../src/host/host.ts";
import type { Handlers } from "./dial.ts";

const connectMs = 10_000;

/** A client of `ws`: takes headers, tells why it was refused, and speaks only to the pinned certificate. */
export async function dialWs(url: string, handlers: Handlers, options: DialOptions): Promise<WebSocket> {
  const pinned = options.fingerprint === undefined ? undefined : await pin(url, options.fingerprint);
  const socket = new WebSocket(url, {
    perMessageDeflate: false,
    maxPayload: options.maxPayload ?? 0,
    handshakeTimeout: options.timeoutMs ?? connectMs,
    ...(options.headers ? { headers: { ...options.headers } } : {}),
    // Already checked: the certificate is the pinned one, whoever signed it.
    ...(pinned ? { rejectUnauthorized: false, createConnection: () => pinned } : {}),
  });
  let failure = "";
  socket.on("open", () => handlers.open());
  socket.on("message", (data: Buffer) => handlers.message(data.toString("utf8")));
  socket.on("pong", () => handlers.pong());
  socket.on("error", (error) => void (failure ||= error.message));
  socket.on("unexpected-response", (_, response) => {
    let body = "";
    response.setEncoding("utf8").on("data", (text: string) => void (body = (body + text).slice(0, 4096)));
    response.on("end", () => {
      failure = refusal(response.statusCode ?? 0, body);
      socket.terminate();
    });
  });
  socket.on("close", (code, reason) => handlers.close(code, reason.toString("utf8") || (code === 1006 ? failure : "")));
  return socket;
}

/** A TLS connection to the server whose certificate has this SHA-256; nothing was sent on it. */
function pin(url: string, fingerprint: string): Promise<TLSSocket> {
  const { hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, "");
  const wanted = normal(fingerprint);
  return new Promise((resolve, reject) => {
    const socket = connectTls({
      host,
      port: Number(port) || 443,
      rejectUnauthorized: false,
      ...(/[a-z]/i.test(host) && !host.includes(":") ? { servername: host } : {}),
    });
    socket.setTimeout(connectMs, () => socket.destroy(new Error("connect ETIMEDOUT")));
    socket.once("error", reject);
    socket.once("secureConnect", () => {
      const shown = normal(socket.getPeerCertificate().fingerprint256 ?? "");
      socket.setTimeout(0);
      socket.off("error", reject);
      if (shown !== "" && shown === wanted) return resolve(socket);
      socket.destroy();
      reject(new Error(`the server's certificate has fingerprint ${shown || "(none)"}, not the pinned ${wanted}`));
    });
  });
}

function normal(fingerprint: string): string {
  return fingerprint
    .replaceAll(":", "")
    .replace(/^sha-?256[:/ ]*/i, "")
    .toLowerCase();
}

function refusal(status: number, body: string): string {
  try {
    const parsed: unknown = JSON.parse(body);
    const error = (parsed as { error?: { message?: unknown } } | null)?.error;
    if (typeof error?.message === "string") return `${status} ${error.message}`;
  } catch {
    // not our JSON: the status says enough
  }
  return `the server answered ${status}`;
}
