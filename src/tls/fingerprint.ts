import { sha256Hex } from "../kit/ids.ts";
import { readPem } from "./pem.ts";

/**
 * The fingerprint that clients pin: SHA-256 over the first certificate of a PEM text, in lower-case hex. Undefined when
 * there is no certificate in it.
 */
export async function fingerprintOf(pem: string): Promise<string | undefined> {
  const certificate = readPem(pem).find(({ label }) => label === "CERTIFICATE");
  return certificate && sha256Hex(certificate.bytes);
}
