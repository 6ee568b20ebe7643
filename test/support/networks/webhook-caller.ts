import type { Channel } from "../../../src/channels/channel.ts";
import { settle } from "../fake-clock.ts";

const MOST_ATTEMPTS = 2000;

/** Posts to an account's webhook as a network does: again and again until it is answered 2xx. */
export async function deliver(channel: Channel, request: () => Request | Promise<Request>): Promise<Response> {
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    const response = await call(channel, await request());
    if (response.ok) return response;
    await settle();
  }
  throw new Error("the message was never taken");
}

/** One request to an account's webhook. */
export async function call(channel: Channel, request: Request): Promise<Response> {
  if (!channel.webhook) throw new Error("the account has no webhook");
  return channel.webhook.handle(request);
}

/** The hexadecimal or base64 HMAC-SHA256 of a text, made in another way than the source makes it. */
export async function hmac(secret: string, text: string): Promise<Uint8Array> {
  const bytes = (value: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(value);
  const key = bytes(secret).length > 64 ? await sha256(bytes(secret)) : bytes(secret);
  const block = (mask: number): Uint8Array => Uint8Array.from({ length: 64 }, (_, at) => (key[at] ?? 0) ^ mask);
  return sha256(joined(block(0x5c), await sha256(joined(block(0x36), bytes(text)))));
}

export function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array([...a, ...b]);
}
