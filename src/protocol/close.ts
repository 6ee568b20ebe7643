/** Why the gateway closes a socket: code and reason of each case (protocol.md 1.4), and when that is. */
export const closes = {
  idle: { code: 1000, reason: "", when: "No `connect` within the time for it." },
  notJson: { code: 1000, reason: "", when: "Before the hello: text that is not JSON." },
  mismatch: { code: 1002, reason: "protocol mismatch", when: "No protocol version that both sides speak." },
  invalidFrame: { code: 1008, reason: "invalid request frame", when: "Before the hello: JSON that is no request." },
  tooManyPending: {
    code: 1008,
    reason: "too many pending handshake frames",
    when: "Too many frames while `connect` is being decided.",
  },
  repeatedUnauthorized: {
    code: 1008,
    reason: "repeated unauthorized calls",
    when: "A client that goes on calling what it may not.",
  },
  slowConsumer: {
    code: 1008,
    reason: "slow consumer",
    when: "A client that reads too slowly to be worth waiting for.",
  },
  tooBig: { code: 1009, reason: "", when: "A message over the limit." },
  restart: {
    code: 1012,
    reason: "service restart",
    when: "The gateway ends or restarts; a `shutdown` event went ahead.",
  },
  starting: {
    code: 1013,
    reason: "gateway starting",
    when: "The gateway is on its way up or down: try again shortly.",
  },
  deviceRemoved: {
    code: 4001,
    reason: "device removed",
    when: "The device was removed, or the token of this role revoked or replaced.",
  },
  authChanged: { code: 4001, reason: "gateway auth changed", when: "The shared secret was changed." },
} as const satisfies Record<string, Close & { when: string }>;

export interface Close {
  readonly code: number;
  readonly reason: string;
}
