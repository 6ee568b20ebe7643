/** A TCP connection to somebody, plain or encrypted. */
export interface ByteStream {
  /** Queues bytes, text as UTF-8; nothing happens once it is closed. */
  write(data: string | Uint8Array): void;
  /** Inbound back-pressure: nothing is read until `resume`. Absent where whoever sends is known not to hurry. */
  pause?(): void;
  resume?(): void;
  /** Says that nothing more comes, and cuts what is left after two seconds. */
  close(): void;
}

/** What a connection does, one call at a time; `close` comes exactly once, and last. */
export interface ByteStreamEvents {
  /** It stands, and with TLS the other side has proved its name. */
  open(stream: ByteStream): void;
  data(stream: ByteStream, bytes: Uint8Array): void;
  /** Why it ended, in a few words without addresses' secrets; undefined when the other side ended it in order. */
  close(stream: ByteStream, reason: string | undefined): void;
}

export interface ConnectOptions {
  readonly hostname: string;
  readonly port: number;
  /** Encrypted, with the certificate checked against the system's authorities and this name. */
  readonly tls: boolean;
  /** SHA-256 of the server's certificate in hex: it alone will do, whoever signed it. */
  readonly fingerprint?: string | undefined;
  readonly timeoutMs: number;
}
