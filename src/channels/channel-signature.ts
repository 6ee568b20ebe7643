import { toBase64 } from "../kit/base64.ts";
import { toHex } from "../kit/ids.ts";
import { sameSecret } from "../kit/secret.ts";

/** How a network writes a signature. */
export type SignatureForm = "hex" | "base64";

/** HMAC with SHA-256 (RFC 2104) of the data, texts in UTF-8, under a secret that is not blank. */
export async function signature(
  secret: string,
  { data, form }: { readonly data: string | Uint8Array<ArrayBuffer>; readonly form: SignatureForm },
): Promise<string> {
  const encoder = new TextEncoder();
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", encoder.encode(secret), algorithm, false, ["sign"]);
  const bytes = typeof data === "string" ? encoder.encode(data) : data;
  const signed = new Uint8Array(await crypto.subtle.sign("HMAC", key, bytes));
  return form === "hex" ? toHex(signed) : toBase64(signed);
}

/** Whether the data was signed with this secret; a blank one has signed nothing (threat K). */
export async function isSigned(
  secret: string,
  signed: {
    readonly data: string | Uint8Array<ArrayBuffer>;
    readonly form: SignatureForm;
    readonly given: string | null;
  },
): Promise<boolean> {
  const { given } = signed;
  if (secret === "" || given === null || given.length > 256) return false;
  const claimed = signed.form === "hex" ? given.toLowerCase() : given;
  return sameSecret(claimed, await signature(secret, signed));
}
