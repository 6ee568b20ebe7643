import { sha256Hex } from "../kit/ids.ts";

/** A UUID that is always the same for the same text (RFC 9562 version 8), for networks that take a message once per key. */
export async function uuidFor(text: string): Promise<string> {
  const hash = await sha256Hex(text);
  const [a, b, c, d, e] = [
    hash.slice(0, 8),
    hash.slice(8, 12),
    hash.slice(13, 16),
    hash.slice(17, 20),
    hash.slice(20, 32),
  ];
  return `${a}-${b}-8${c}-8${d}-${e}`;
}
