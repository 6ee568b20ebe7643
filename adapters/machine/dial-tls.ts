import { connect, type TLSSocket } from "node:tls";
import { parseFingerprint } from "../../src/kit/fingerprint.ts";

const connectMs = 10_000;

/** A TLS connection to the server whose certificate has this SHA-256; nothing was sent on it. */
export async function connectPinned(url: string, fingerprint: string): Promise<TLSSocket> {
  const wanted = parseFingerprint(fingerprint);
  if (wanted === undefined) throw new Error("the pinned fingerprint is not a SHA-256 in hex");
  const { socket, shown } = await handshake(url);
  if (shown === wanted) return socket;
  socket.destroy();
  throw new Error(`the server's certificate is sha256 ${shown ?? "(none)"}, not the pinned ${wanted}`);
}

/** The SHA-256 of the certificate that a server shows, in lower-case hex; nothing is sent to it. */
export async function shownFingerprint(url: string): Promise<string | undefined> {
  const { socket, shown } = await handshake(url);
  socket.destroy();
  return shown;
}

/** Whoever signed the certificate: what it is worth is the caller's to decide. */
function handshake(url: string): Promise<{ socket: TLSSocket; shown: string | undefined }> {
  const { hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, "");
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port: Number(port) || 443,
      rejectUnauthorized: false,
      ...(/[a-z]/i.test(host) && !host.includes(":") ? { servername: host } : {}),
    });
    socket.setTimeout(connectMs, () => socket.destroy(new Error("connect ETIMEDOUT")));
    socket.once("error", reject);
    socket.once("secureConnect", () => {
      socket.setTimeout(0);
      socket.off("error", reject);
      resolve({ socket, shown: parseFingerprint(socket.getPeerCertificate().fingerprint256 ?? "") });
    });
  });
}
