/** Somebody who signs JSON Web Tokens, with an RSA key of his own. */
export interface JwtIssuer {
  readonly kid: string;
  /** His public key, as a key set has it. */
  readonly jwk: Readonly<Record<string, unknown>>;
  /** His private key in PEM. */
  readonly pem: string;
  sign(claims: object, header?: object): Promise<string>;
  /** Whether he signed it; its claims. */
  verified(token: string): Promise<Record<string, unknown> | undefined>;
}

const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };

export async function createJwtIssuer(kid = "key-1", more: object = {}): Promise<JwtIssuer> {
  const size = { modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) };
  const pair = await crypto.subtle.generateKey({ ...algorithm, ...size }, true, ["sign", "verify"]);
  const jwk = await crypto.subtle.exportKey("jwk", pair.publicKey);
  const der = new Uint8Array(await crypto.subtle.exportKey("pkcs8", pair.privateKey));
  const body = btoa(String.fromCharCode(...der)).replace(/.{64}/g, "$&\n");
  return {
    kid,
    jwk: { kty: jwk.kty, n: jwk.n, e: jwk.e, kid, use: "sig", alg: "RS256", ...more },
    pem: `-----BEGIN PRIVATE KEY-----\n${body}\n-----END PRIVATE KEY-----\n`,
    async sign(claims, header = {}) {
      const text = `${part({ alg: "RS256", typ: "JWT", kid, ...header })}.${part(claims)}`;
      const mark = await crypto.subtle.sign(algorithm.name, pair.privateKey, new TextEncoder().encode(text));
      return `${text}.${base64Url(new Uint8Array(mark))}`;
    },
    async verified(token) {
      const [head = "", claims = "", mark = ""] = token.split(".");
      const text = new TextEncoder().encode(`${head}.${claims}`);
      const good = await crypto.subtle.verify(algorithm.name, pair.publicKey, bytesOf(mark), text);
      return good ? JSON.parse(new TextDecoder().decode(bytesOf(claims))) : undefined;
    },
  };
}

/** A part of a token: JSON in base64url. */
export function part(value: object): string {
  return base64Url(new TextEncoder().encode(JSON.stringify(value)));
}

function base64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const characters = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(characters, (character) => character.charCodeAt(0));
}
