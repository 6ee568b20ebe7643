import { Failure } from "../kit/error.ts";
import { sha256Hex, toBase64Url } from "../kit/ids.ts";
import type { Identity } from "../pairing/identity.ts";
import type { Vault } from "./link.ts";
import type { TabStorage } from "./tab-storage.ts";

/** What this browser keeps of a gateway: the device's key, which no script can read out, and proofs of who it is. */
export interface Keeper extends Vault {
  readonly identity: () => Promise<Identity>;
}

/** Opens the keeper of the gateway under this path of the origin. Rejects with a Failure that says what is missing. */
export function openKeeper(path: string, tab: TabStorage): Keeper {
  const secretKey = `clawlet.secret:${path}`;
  let identity: Promise<Identity> | undefined;
  const load = async (): Promise<Identity> => {
    try {
      return await loadIdentity();
    } catch (error) {
      identity = undefined;
      throw error;
    }
  };
  return {
    // For this tab alone, and as long as it is open.
    secret: () => tab.get(secretKey),
    keepSecret: (secret) => tab.set(secretKey, secret),
    identity: () => (identity ??= load()),
    async deviceToken() {
      const kept = await read(`token:${path}`);
      return typeof kept === "string" ? kept : undefined;
    },
    keepDeviceToken: (token) => change(`token:${path}`, () => token),
  };
}

/** The device's key: made once, never to be exported. Two tabs that begin at once end with the same one. */
async function loadIdentity(): Promise<Identity> {
  const { subtle } = globalThis.crypto;
  if (!subtle)
    throw new Failure("unavailable", "no keys on a page that is not encrypted", {
      details: { code: "PAGE_NOT_ENCRYPTED" },
    });
  const known = await read("keys");
  const made = isPair(known) ? known : await generate(subtle);
  const pair = isPair(known) ? known : await keepFirst(made);
  const raw = new Uint8Array(await subtle.exportKey("raw", pair.publicKey));
  return {
    deviceId: await sha256Hex(raw),
    publicKey: toBase64Url(raw),
    sign: async (text) =>
      toBase64Url(new Uint8Array(await subtle.sign("Ed25519", pair.privateKey, new TextEncoder().encode(text)))),
  };
}

async function generate(subtle: SubtleCrypto): Promise<CryptoKeyPair> {
  try {
    const made = await subtle.generateKey("Ed25519", false, ["sign", "verify"]);
    if (isPair(made)) return made;
  } catch {
    // Told below: browsers without these keys throw one of several errors.
  }
  throw new Failure("unavailable", "this browser has no Ed25519 keys", { details: { code: "PAGE_BROWSER_TOO_OLD" } });
}

async function keepFirst(made: CryptoKeyPair): Promise<CryptoKeyPair> {
  let kept = made;
  await change("keys", (old) => (isPair(old) ? (kept = old) : made));
  return kept;
}

function isPair(value: unknown): value is CryptoKeyPair {
  return typeof value === "object" && value !== null && "privateKey" in value && "publicKey" in value;
}

const storeName = "kept";

async function read(key: string): Promise<unknown> {
  const database = await open();
  try {
    return await settled(database.transaction(storeName).objectStore(storeName).get(key));
  } finally {
    database.close();
  }
}

/** Replaces a value in one transaction; undefined removes it. */
async function change(key: string, edit: (old: unknown) => unknown): Promise<void> {
  const database = await open();
  try {
    const transaction = database.transaction(storeName, "readwrite");
    const store = transaction.objectStore(storeName);
    const asked = store.get(key);
    asked.addEventListener("success", () => {
      const next = edit(asked.result);
      if (next === undefined) store.delete(key);
      else store.put(next, key);
    });
    await new Promise<void>((resolve, reject) => {
      transaction.addEventListener("complete", () => resolve());
      transaction.addEventListener("abort", () => reject(transaction.error ?? new Error("aborted")));
    });
  } finally {
    database.close();
  }
}

async function open(): Promise<IDBDatabase> {
  const asked = indexedDB.open("clawlet", 1);
  asked.addEventListener("upgradeneeded", () => void asked.result.createObjectStore(storeName));
  try {
    return await settled(asked);
  } catch (error) {
    throw new Failure("unavailable", "this browser lets the page keep nothing", {
      cause: error,
      details: { code: "PAGE_NO_STORAGE" },
    });
  }
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error ?? new Error("failed")));
  });
}
