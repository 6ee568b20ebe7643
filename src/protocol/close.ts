/** Why the gateway closes a socket: code and reason of each case (protocol.md 1.4). */
export const closes = {
  idle: { code: 1000, reason: "" },
  notJson: { code: 1000, reason: "" },
  mismatch: { code: 1002, reason: "protocol mismatch" },
  invalidFrame: { code: 1008, reason: "invalid request frame" },
  tooManyPending: { code: 1008, reason: "too many pending handshake frames" },
  repeatedUnauthorized: { code: 1008, reason: "repeated unauthorized calls" },
  slowConsumer: { code: 1008, reason: "slow consumer" },
  tooBig: { code: 1009, reason: "" },
  internal: { code: 1011, reason: "internal error" },
  restart: { code: 1012, reason: "service restart" },
  starting: { code: 1013, reason: "gateway starting" },
  deviceRemoved: { code: 4001, reason: "device removed" },
  authChanged: { code: 4001, reason: "gateway auth changed" },
} as const satisfies Record<string, Close>;

export interface Close {
  readonly code: number;
  readonly reason: string;
}
