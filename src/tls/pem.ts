import { toBase64 } from "../kit/base64.ts";
import type { Bytes } from "./der.ts";

export interface PemBlock {
  /** What stands behind BEGIN, such as `CERTIFICATE`. */
  readonly label: string;
  readonly bytes: Bytes;
  /** It has header lines, which only encrypted keys of the old kind have (RFC 1421 4.6.1.1). */
  readonly encrypted: boolean;
}

/** The blocks of a PEM text (RFC 7468) in their order; whatever stands between them is explanation. */
export function readPem(text: string): readonly PemBlock[] {
  return [...text.matchAll(/-----BEGIN ([A-Z0-9 ]{1,64})-----([^-]*(?:-(?!----)[^-]*)*)-----END \1-----/g)].flatMap(
    ([, label = "", body = ""]) => {
      const encrypted = label.startsWith("ENCRYPTED ") || /^Proc-Type:.*ENCRYPTED/m.test(body);
      const bytes = encrypted ? new Uint8Array() : fromBase64(body.replace(/\s+/g, ""));
      return bytes ? [{ label, bytes, encrypted }] : [];
    },
  );
}

/** A block of PEM text, with a line end at its end. */
export function writePem(label: string, bytes: Uint8Array): string {
  const lines = toBase64(bytes).match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}

function fromBase64(text: string): Bytes | undefined {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return undefined; // not base64: then it is no block, and who needs one says which file has none
  }
}
