/** An Ed25519 key pair: the gateway's own or a client's (protocol.md 3.1). */
export interface Identity {
  /** Lower-case hex SHA-256 of the raw public key. */
  readonly deviceId: string;
  /** Unpadded base64url of the raw 32 bytes. */
  readonly publicKey: string;
  /** Signs UTF-8 text; unpadded base64url. */
  sign(text: string): Promise<string>;
}
