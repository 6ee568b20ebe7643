import { der, integer, objectId, readElements, sequence, tags, type Bytes } from "./der.ts";
import type { PemBlock } from "./pem.ts";

/**
 * Whether a private key belongs to a certificate's public key, found out by signing with the one and verifying with the
 * other. Undefined when this runtime cannot work with keys of that kind: then whoever serves with them says so.
 */
export async function keyMatches(publicKey: Bytes, key: PemBlock): Promise<boolean | undefined> {
  const kind = kindOf(publicKey);
  const usage = kind && (await importKey("spki", publicKey, kind));
  if (!kind || !usage) return undefined;
  const own = await importKey("pkcs8", asPkcs8(key, publicKey), kind);
  if (!own) return false;
  const text = crypto.getRandomValues(new Uint8Array(32));
  const signature = await crypto.subtle.sign(kind, own, text);
  return crypto.subtle.verify(kind, usage, signature, text);
}

interface Kind {
  readonly name: string;
  readonly hash?: string;
  readonly namedCurve?: string;
}

/** By the algorithm that the public key names (RFC 3279 2.3, RFC 8410 3). */
function kindOf(publicKey: Bytes): Kind | undefined {
  const [algorithm] = readElements(readElements(publicKey)[0]?.content ?? new Uint8Array());
  const [id, parameters] = readElements(algorithm?.content ?? new Uint8Array());
  const is = (element: { readonly whole: Bytes } | undefined, name: string): boolean =>
    element !== undefined && element.whole.join() === objectId(name).join();
  if (is(id, rsa)) return { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
  if (is(id, "1.3.101.112")) return { name: "Ed25519" };
  if (!is(id, "1.2.840.10045.2.1")) return undefined;
  const namedCurve = Object.entries(curves).find(([, curve]) => is(parameters, curve))?.[0];
  return namedCurve === undefined ? undefined : { name: "ECDSA", hash: "SHA-256", namedCurve };
}

const rsa = "1.2.840.113549.1.1.1";
const curves = { "P-256": "1.2.840.10045.3.1.7", "P-384": "1.3.132.0.34", "P-521": "1.3.132.0.35" } as const;

/** Older files hold the bare key of one algorithm (RFC 8017 A.1.2, RFC 5915); PKCS #8 says which, as the certificate does. */
function asPkcs8({ label, bytes }: PemBlock, publicKey: Bytes): Bytes {
  if (label === "PRIVATE KEY") return bytes;
  const rsaAlgorithm = sequence(objectId(rsa), der(tags.null));
  const sameAlgorithm = readElements(readElements(publicKey)[0]?.content ?? new Uint8Array())[0]?.whole;
  const algorithm = label === "RSA PRIVATE KEY" ? rsaAlgorithm : (sameAlgorithm ?? rsaAlgorithm);
  return sequence(integer(Uint8Array.of(0)), algorithm, der(tags.octetString, bytes));
}

/** The key, or undefined when it is not one of that kind that this runtime can use. */
async function importKey(format: "spki" | "pkcs8", bytes: Bytes, kind: Kind): Promise<CryptoKey | undefined> {
  try {
    return await crypto.subtle.importKey(format, bytes, kind, false, [format === "spki" ? "verify" : "sign"]);
  } catch {
    return undefined; // its reasons are each runtime's own words; the caller says which file it was
  }
}
