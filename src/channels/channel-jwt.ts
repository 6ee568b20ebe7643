import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import { fromBase64, toBase64Url } from "../kit/ids.ts";
import { isObject, parseJson, type JsonObject } from "../kit/json.ts";
import type { Jwk, KeySet } from "./channel-keys.ts";

/** Who a token must come from, and for whom. */
export interface JwtDemands {
  readonly keys: KeySet;
  readonly issuers: readonly string[];
  readonly audience: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** A token that is good: what it says, and the key that signed it. */
export interface Proven {
  readonly claims: JsonObject;
  readonly key: Jwk;
}

const LONGEST = 16 * 1024;
const LEEWAY_S = 300;

/**
 * The claims of a JSON Web Token (RFC 7519) that one of the issuer's keys signed for us and that is in force, give or
 * take five minutes; undefined for any other text. Rejects with `unavailable` when the keys cannot be had.
 */
export async function verifyJwt(token: string, demands: JwtDemands): Promise<Proven | undefined> {
  const [head = "", body = "", signed = "", ...more] = token.length > LONGEST ? [] : token.split(".");
  const header = v.safeParse(headerSchema, jsonIn(head));
  const claims = v.safeParse(claimsSchema, jsonIn(body));
  const mark = fromBase64(signed);
  if (!header.success || !claims.success || !mark || more.length > 0) return undefined;
  if (!isInForce(claims.output, demands)) return undefined;
  const { alg, kid } = header.output;
  const key = await demands.keys.find(kid);
  // What a key is for is said by who made it, not by the token (RFC 8725 3.1).
  if (!key || algorithmOf(key) !== alg) return undefined;
  return (await isSignedBy(key, { alg, text: `${head}.${body}`, mark })) ? { claims: claims.output, key } : undefined;
}

/** The token of an `Authorization: Bearer` header. */
export function bearerOf(request: Request): string | undefined {
  return /^bearer +([\w.~+/=-]+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
}

/** A token that a service account signs with its RSA key, in PEM (PKCS #8). Throws `config` for a key that is none. */
export async function signJwt(
  claims: JsonObject,
  { privateKey, keyId }: { readonly privateKey: string; readonly keyId?: string | undefined },
): Promise<string> {
  const part = (value: JsonObject): string => toBase64Url(new TextEncoder().encode(JSON.stringify(value)));
  const header = { alg: "RS256", typ: "JWT", ...(keyId === undefined ? {} : { kid: keyId }) };
  const text = `${part(header)}.${part(claims)}`;
  const key = await signingKey(privateKey);
  const mark = await crypto.subtle.sign(algorithms.RS256.name, key, new TextEncoder().encode(text));
  return `${text}.${toBase64Url(new Uint8Array(mark))}`;
}

/** The only ones: what is not in here, `none` first of all, is no signature. */
const algorithms = {
  RS256: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
  ES256: { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" },
} as const;

type AlgorithmName = keyof typeof algorithms;

const headerSchema = v.looseObject({
  alg: v.picklist(["RS256", "ES256"]),
  kid: v.pipe(v.string(), v.minLength(1), v.maxLength(256)),
  // An extension that must be understood and is not (RFC 7515 4.1.11).
  crit: v.optional(v.undefined()),
});

const claimsSchema = v.looseObject({
  iss: v.string(),
  aud: v.union([v.string(), v.array(v.string())]),
  exp: v.number(),
  nbf: v.optional(v.number()),
  iat: v.optional(v.number()),
});

function isInForce(claims: v.InferOutput<typeof claimsSchema>, { issuers, audience, now }: JwtDemands): boolean {
  const seconds = now / 1000;
  const { iss, aud, exp, nbf = 0, iat = 0 } = claims;
  const isForUs = audience !== "" && [aud].flat().includes(audience);
  return issuers.includes(iss) && isForUs && seconds < exp + LEEWAY_S && seconds > Math.max(nbf, iat) - LEEWAY_S;
}

function jsonIn(part: string): unknown {
  // Base64url alone: `+`, `/` and padding would make other spellings of the same token.
  const bytes = /^[\w-]+$/.test(part) ? fromBase64(part) : undefined;
  const value = bytes && parseJson(new TextDecoder().decode(bytes));
  return isObject(value) ? value : undefined;
}

function algorithmOf({ kty, crv }: Jwk): AlgorithmName | undefined {
  if (kty === "RSA") return "RS256";
  return kty === "EC" && crv === "P-256" ? "ES256" : undefined;
}

async function isSignedBy(
  key: Jwk,
  { alg, text, mark }: { readonly alg: AlgorithmName; readonly text: string; readonly mark: Uint8Array<ArrayBuffer> },
): Promise<boolean> {
  const { kty, n, e, crv, x, y } = key;
  const parts = Object.entries({ kty, n, e, crv, x, y }).filter(([, value]) => value !== undefined);
  try {
    const jwk: JsonWebKey = Object.fromEntries(parts);
    const known = await crypto.subtle.importKey("jwk", jwk, algorithms[alg], false, ["verify"]);
    return await crypto.subtle.verify(algorithms[alg], known, mark, new TextEncoder().encode(text));
  } catch {
    return false; // a key or a signature that is no such thing: runtimes differ in which call refuses it
  }
}

async function signingKey(pem: string): Promise<CryptoKey> {
  const body = /^-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END PRIVATE KEY-----$/.exec(pem.trim())?.[1];
  const der = body === undefined ? undefined : fromBase64(body.replaceAll(/\s/g, ""));
  try {
    if (der) return await crypto.subtle.importKey("pkcs8", der, algorithms.RS256, false, ["sign"]);
  } catch {
    // The error must not carry any of the key: the sentence below is all there is to say.
  }
  throw new Failure("config", "the private key of the service account is no RSA key in PEM: download its JSON again");
}
