import * as v from "valibot";
import type { Host } from "../host/host.ts";
import { Failure } from "../kit/error.ts";
import { fromBase64, sha256Hex, toBase64Url } from "../kit/ids.ts";
import { parseJson } from "../kit/json.ts";
import { createFolderStore } from "../store/folder.ts";
import type { Store } from "../store/store.ts";

/** An Ed25519 key pair: the gateway's own or a client's (protocol.md 3.1). */
export interface Identity {
  /** Lower-case hex SHA-256 of the raw public key. */
  readonly deviceId: string;
  /** Unpadded base64url of the raw 32 bytes. */
  readonly publicKey: string;
  /** Signs UTF-8 text; unpadded base64url. */
  sign(text: string): Promise<string>;
}

/** The identity of this state folder, made at first use. A file that is damaged is kept aside and replaced. */
export async function loadIdentity(store: Store, now: () => number = Date.now): Promise<Identity> {
  const text = await store.read(KEY);
  const known = await fromText(text);
  if (known) return known;
  if (text !== undefined) await store.change(`${KEY}.damaged-${now()}`, () => text);
  const fresh = await generate(now());
  // Another process may have made one since: that one counts.
  await store.change(KEY, (old) => (old === text ? fresh : old));
  const identity = await fromText(await store.read(KEY));
  if (identity) return identity;
  throw new Failure("failed", `${KEY} holds no Ed25519 key pair: move the file away, and a new identity is made`);
}

/** The identity kept in a state folder, for a program that is not the gateway. */
export async function openIdentity(host: Pick<Host, "files" | "clock">, stateFolder: string): Promise<Identity> {
  return loadIdentity(createFolderStore(host.files, stateFolder), () => host.clock.now());
}

/** A device's id: lower-case hex SHA-256 of its raw public key. `publicKey` is canonical. */
export async function deviceIdOf(publicKey: string): Promise<string> {
  return sha256Hex(fromBase64(publicKey) ?? new Uint8Array());
}

/** A public key given as base64url, base64 or SPKI PEM, as unpadded base64url; undefined when it is none of them. */
export function canonicalPublicKey(text: string): string | undefined {
  const trimmed = text.trim();
  if (/^[A-Za-z0-9+/_-]{43}=?$/.test(trimmed)) return rawKey(fromBase64(trimmed));
  const der = fromPem(trimmed, "PUBLIC KEY");
  const prefix = der && toBase64Url(der.subarray(0, SPKI_PREFIX_LENGTH));
  return prefix === SPKI_PREFIX ? rawKey(der?.subarray(SPKI_PREFIX_LENGTH)) : undefined;
}

/** Whether `signature` (base64url or base64) is the key's over this UTF-8 text. Anything malformed is simply false. */
export async function verifySignature(publicKey: string, text: string, signature: string): Promise<boolean> {
  const key = fromBase64(publicKey);
  const bytes = fromBase64(signature);
  if (key?.length !== 32 || bytes?.length !== 64) return false;
  try {
    const imported = await crypto.subtle.importKey("raw", key, "Ed25519", false, ["verify"]);
    return await crypto.subtle.verify("Ed25519", imported, bytes, new TextEncoder().encode(text));
  } catch {
    return false; // bytes that are no point of the curve: runtimes differ in which call refuses them
  }
}

const KEY = "identity/device.json";
/** The DER of `SubjectPublicKeyInfo` for Ed25519 up to the key itself (RFC 8410). */
const SPKI_PREFIX = "MCowBQYDK2VwAyEA";
const SPKI_PREFIX_LENGTH = 12;

const documentSchema = v.object({ publicKeyPem: v.string(), privateKeyPem: v.string() });

async function fromText(text: string | undefined): Promise<Identity | undefined> {
  const parsed = v.safeParse(documentSchema, parseJson(text ?? ""));
  const publicKey = parsed.success ? canonicalPublicKey(parsed.output.publicKeyPem) : undefined;
  const key = parsed.success ? await privateKey(parsed.output.privateKeyPem) : undefined;
  if (!publicKey || !key) return undefined;
  return {
    deviceId: await deviceIdOf(publicKey),
    publicKey,
    sign: async (signed) =>
      toBase64Url(new Uint8Array(await crypto.subtle.sign("Ed25519", key, new TextEncoder().encode(signed)))),
  };
}

async function privateKey(pem: string): Promise<CryptoKey | undefined> {
  const der = fromPem(pem, "PRIVATE KEY");
  try {
    return der && (await crypto.subtle.importKey("pkcs8", der, "Ed25519", false, ["sign"]));
  } catch {
    return undefined; // the error must not carry any of the key; that it is damaged is all there is to know
  }
}

async function generate(createdAtMs: number): Promise<string> {
  const pair = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]);
  const spki = new Uint8Array(await crypto.subtle.exportKey("spki", pair.publicKey));
  const pkcs8 = new Uint8Array(await crypto.subtle.exportKey("pkcs8", pair.privateKey));
  const document = {
    version: 1,
    deviceId: await sha256Hex(spki.slice(SPKI_PREFIX_LENGTH)),
    publicKeyPem: toPem(spki, "PUBLIC KEY"),
    privateKeyPem: toPem(pkcs8, "PRIVATE KEY"),
    createdAtMs,
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function rawKey(bytes: Uint8Array | undefined): string | undefined {
  return bytes?.length === 32 ? toBase64Url(bytes) : undefined;
}

function toPem(der: Uint8Array, label: string): string {
  const lines = btoa(String.fromCharCode(...der)).match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

function fromPem(pem: string, label: string): Uint8Array<ArrayBuffer> | undefined {
  const body = new RegExp(`^-----BEGIN ${label}-----([A-Za-z0-9+/=\\s]+)-----END ${label}-----$`).exec(pem.trim())?.[1];
  return body === undefined ? undefined : fromBase64(body.replace(/\s/g, ""));
}
