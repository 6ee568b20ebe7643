/** What stands where a secret was in anything a client can read (protocol.md 4.6). */
export const REDACTED = "__OPENCLAW_REDACTED__";

const secretKey = /(^|[._-])(token|password|passwd|secret|api[._-]?key|private[._-]?key|authorization|cookie)s?$/i;
const patterns: readonly RegExp[] = [
  /\b(?:sk|pk|rk)-[A-Za-z0-9_-]{16,}/g,
  /\bgh[pousr]_[A-Za-z0-9]{20,}/g,
  /\bxox[abeprs]-[A-Za-z0-9-]{10,}/g,
  /\bAIza[A-Za-z0-9_-]{30,}/g,
  /\b\d{6,12}:[A-Za-z0-9_-]{30,}/g,
  /\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}/g,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/g,
];
// What comes before a secret stays: `password=`, `"OPENAI_API_KEY": "`, `Bearer `, `https://user:`.
const introduced: readonly RegExp[] = [
  /(\b[\w-]{0,40}(?:token|password|passwd|secret|api[_-]?key|authorization)\\*["']?\s*[=:]\s*\\*["']?(?:(?:bearer|basic)\s+)?)([^\s"',;&\\]+)/gi,
  // Help texts say `--token or --password`: those are words, not secrets.
  /(--[\w-]{0,40}(?:token|password|secret|key)\s+)(?!(?:or|and|with)\b|[-<[(])([^\s"',;&\\]+)/gi,
  /(\bbearer\s+)([\w.~+/=-]{8,})/gi,
  // In the query of an address.
  /([?&](?:key|sig|signature)=)([^\s"'&#\\]+)/gi,
  /(\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s/:@]{0,200}:)([^\s/@]+)(?=@)/gi,
];

/** Text for a log with every known kind of secret masked. `key` is the field's name when there is one. */
export function redact(text: string, key?: string): string {
  if (key !== undefined && isSecretKey(key)) return mask(text);
  if (text.length < 8) return text;
  let out = text;
  for (const pattern of patterns) out = out.replace(pattern, mask);
  for (const pattern of introduced)
    out = out.replace(pattern, (_, before: string, secret: string) => before + mask(secret));
  return out;
}

/** Whether a key of this name holds a secret (`gateway.auth.token`, `apiKey`). */
export function isSecretKey(key: string): boolean {
  return secretKey.test(key.replace(/([a-z])([A-Z])/g, "$1_$2"));
}

/**
 * The first six and last four characters of a long secret, `***` for a short one (cli.md 7.6). A mask stays as it is, so
 * that text may pass here more than once.
 */
export function mask(secret: string): string {
  if (/^.{6}….{4}$/s.test(secret)) return secret;
  return secret.length >= 18 ? `${secret.slice(0, 6)}…${secret.slice(-4)}` : "***";
}
