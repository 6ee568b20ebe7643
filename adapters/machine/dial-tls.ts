import { connect, type TLSSocket } from "node:tls";
import type { DialOptions } from "../../src/host/host.ts";
import { parseFingerprint } from "../../src/kit/fingerprint.ts";

const connectMs = 10_000;

interface Side {
  /** What this side shows where it is asked for one. */
  readonly certificate?: DialOptions["certificate"] | undefined;
  /** Told when the connection breaks after the handshake. */
  readonly ended: (error: Error) => void;
}

/**
 * A TLS connection to the server whose certificate has this SHA-256; nothing was sent on it. It may end at any moment, of
 * which `ended` is told: a server looks at the client's certificate only after its own was accepted (RFC 8446 4.4.2.4).
 */
export async function connectPinned(
  url: string,
  fingerprint: string,
  { certificate, ended }: Side,
): Promise<TLSSocket> {
  const wanted = parseFingerprint(fingerprint);
  if (wanted === undefined) throw new Error("the pinned fingerprint is not a SHA-256 in hex");
  const { socket, shown } = await handshake(url, { certificate, ended });
  if (shown === wanted) return socket;
  socket.destroy();
  throw new Error(`the server's certificate is sha256 ${shown ?? "(none)"}, not the pinned ${wanted}`);
}

/** The SHA-256 of the certificate that a server shows, in lower-case hex; nothing is sent to it. */
export async function shownFingerprint(url: string): Promise<string | undefined> {
  const { socket, shown } = await handshake(url, { ended: () => undefined });
  socket.destroy();
  return shown;
}

/** Whoever signed the certificate: what it is worth is the caller's to decide. */
function handshake(
  url: string,
  { certificate, ended }: Side,
): Promise<{ socket: TLSSocket; shown: string | undefined }> {
  const { hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, "");
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port: Number(port) || 443,
      rejectUnauthorized: false,
      ...certificate,
      ...(/[a-z]/i.test(host) && !host.includes(":") ? { servername: host } : {}),
    });
    socket.setTimeout(connectMs, () => socket.destroy(new Error("connect ETIMEDOUT")));
    socket.once("error", reject);
    socket.once("secureConnect", () => {
      socket.setTimeout(0);
      socket.off("error", reject).on("error", ended);
      resolve({ socket, shown: parseFingerprint(socket.getPeerCertificate().fingerprint256 ?? "") });
    });
  });
}
