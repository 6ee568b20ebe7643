/** What a device signs at connect (protocol.md 3.2). */
export interface SignedParts {
  readonly deviceId: string;
  readonly clientId: string;
  readonly clientMode: string;
  readonly role: string;
  /** Exactly as sent, in order. */
  readonly scopes: readonly string[];
  readonly signedAt: number;
  readonly token: string;
  readonly nonce: string;
  readonly platform: string;
  readonly deviceFamily: string;
}

/** The text to sign: version 3 binds platform and device family too, version 1 has no nonce (loopback, v3 dialect only). */
export function signedText(version: 1 | 2 | 3, parts: SignedParts): string {
  const common = [
    `v${version}`,
    parts.deviceId,
    parts.clientId,
    parts.clientMode,
    parts.role,
    parts.scopes.join(","),
    String(parts.signedAt),
    parts.token,
  ];
  if (version >= 2) common.push(parts.nonce);
  if (version === 3) common.push(normal(parts.platform), normal(parts.deviceFamily));
  return common.join("|");
}

/** The token a signature covers: the first of these that was given. A password is never signed. */
export function signedToken(auth: {
  token?: string | undefined;
  deviceToken?: string | undefined;
  bootstrapToken?: string | undefined;
}): string {
  return auth.token || auth.deviceToken || auth.bootstrapToken || "";
}

function normal(text: string): string {
  return text.trim().replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
