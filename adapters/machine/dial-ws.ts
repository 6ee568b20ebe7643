import { WebSocket } from "ws";
import type { DialOptions } from "../../src/host/host.ts";
import { connectPinned, shownFingerprint } from "./dial-tls.ts";
import type { Handlers } from "./dial.ts";

const connectMs = 10_000;

/** A client of `ws`: takes headers, tells why it was refused, and speaks only to the pinned certificate. */
export async function dialWs(url: string, handlers: Handlers, options: DialOptions): Promise<WebSocket> {
  const { fingerprint, certificate } = options;
  let failure = "";
  let over = (): void => undefined;
  const ended = (error: Error): void => {
    failure ||= error.message;
    over();
  };
  const pinned = fingerprint === undefined ? undefined : await connectPinned(url, fingerprint, { certificate, ended });
  if (failure !== "") throw new Error(wantsCertificate.test(failure) ? noCertificate : failure);
  const socket = new WebSocket(url, {
    perMessageDeflate: false,
    maxPayload: options.maxPayload ?? 0,
    handshakeTimeout: options.timeoutMs ?? connectMs,
    ...(options.headers ? { headers: { ...options.headers } } : {}),
    ...certificate,
    // Already checked: the certificate is the pinned one, whoever signed it.
    ...(pinned ? { rejectUnauthorized: false, createConnection: () => pinned } : {}),
  });
  // Between the two nobody else listens to the connection: an end that `ws` does not hear of would be waited for.
  over = () => socket.terminate();
  let opened = false;
  socket.on("open", () => {
    opened = true;
    handlers.open();
  });
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
  socket.on("close", (code, reason) => {
    const why = reason.toString("utf8") || (code === 1006 ? failure : "");
    if (!opened && wantsCertificate.test(why)) return handlers.close(code, noCertificate);
    if (opened || !url.startsWith("wss:") || !untrusted.test(why)) return handlers.close(code, why);
    void untrustedCertificate(url, why).then((told) => handlers.close(code, told));
  });
  return socket;
}

/** What each runtime makes of the alert (RFC 8446 6.2) of a server that was shown no certificate. */
const wantsCertificate = /certificate[_ ]?required/i;
const noCertificate = "the server takes only clients with a certificate that it knows";

/** Why a certificate was not trusted, as each runtime says it. */
const untrusted = /certificate|self[- ]signed|unable to (verify|get)|altname|UnknownIssuer/i;

/** What a person needs to decide whether to trust a certificate that this machine does not. */
async function untrustedCertificate(url: string, why: string): Promise<string> {
  try {
    const shown = await shownFingerprint(url);
    // Node goes on with advice about options of its own.
    const [reason] = why.split(";");
    return `the certificate of ${new URL(url).host} is not trusted by this machine (${reason}); it is sha256 ${shown ?? "(unknown)"}`;
  } catch {
    return why; // it went away meanwhile: the first reason stands
  }
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
