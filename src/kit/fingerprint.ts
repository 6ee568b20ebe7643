/**
 * A certificate's SHA-256 fingerprint from any usual spelling (`AB:CD:…`, `sha256:abcd…`) as 64 lower-case hex digits;
 * undefined when it is none.
 */
export function parseFingerprint(text: string): string | undefined {
  const bare = text
    .trim()
    .replace(/^sha-?256(?: fingerprint=|[:/= ]\s*)/i, "")
    .toLowerCase();
  const digits = /^[0-9a-f]{2}(?::[0-9a-f]{2}){31}$/.test(bare) ? bare.replaceAll(":", "") : bare;
  return /^[0-9a-f]{64}$/.test(digits) ? digits : undefined;
}

/** A fingerprint as people compare it: `ab:cd:…`. */
export function spellFingerprint(fingerprint: string): string {
  return fingerprint.match(/../g)?.join(":") ?? "";
}
