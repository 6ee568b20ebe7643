import { Failure } from "../kit/error.ts";

const part = /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/;
/** Names that Windows gives to devices, with any extension. */
const reserved = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;

/**
 * The key itself, when each of its parts is a plain file name on every system: no traversal, no device, nothing hidden.
 * Any other rejects: keys made from what a client said must be checked or hashed before they come here.
 */
export function checkedKey(key: string): string {
  if (key.length <= 512 && key.split("/").every(isKeyPart)) return key;
  throw new Failure(
    "invalid-request",
    `${JSON.stringify(key.slice(0, 80))} is not a storage key: use parts of letters, digits, ".", "_" and "-" between "/"`,
  );
}

/** Whether `name` may be one part of a key. */
export function isKeyPart(name: string): boolean {
  return part.test(name) && !name.endsWith(".") && !reserved.test(name);
}

/** Lines as the text that is appended. A line that holds a line break would forge a second one: it is refused. */
export function checkedLines(key: string, lines: readonly string[]): string {
  if (lines.some((line) => /[\r\n]/.test(line)))
    throw new Failure("invalid-request", `a line for ${key} holds a line break: encode it before it is appended`);
  return lines.map((line) => `${line}\n`).join("");
}
