/** The protocol this gateway speaks, and the oldest dialect it still understands (protocol.md 2.5). */
export const PROTOCOL = 4;
export const OLDEST_PROTOCOL = 3;

/** The newest dialect in the client's range; undefined when there is none. */
export function negotiate(min: number, max: number): 3 | 4 | undefined {
  if (min <= PROTOCOL && PROTOCOL <= max) return PROTOCOL;
  return min <= OLDEST_PROTOCOL && OLDEST_PROTOCOL <= max ? OLDEST_PROTOCOL : undefined;
}

/** The limits of a dialect, as `hello-ok.policy` tells them (protocol.md 1.3, 2.6). Bytes and milliseconds. */
export const limits = {
  maxUntrusted: 65_536,
  maxPayload: 26_214_400,
  maxBuffered: 52_428_800,
  maxBody: 20_971_520,
  maxAttachment: 19_464_192,
  maxImage: 6_291_456,
  tickMs: 30_000,
  healthMs: 60_000,
  pingMs: 25_000,
  handshakeMs: 15_000,
  /** Frames a client may send while its `connect` is being decided. */
  pendingFrames: 64,
  /** How far a device's clock may be off, per dialect. */
  skewMs: { 3: 600_000, 4: 120_000 },
} as const;
