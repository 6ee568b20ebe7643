import type { StoredRequest } from "./record.ts";

/** How long a request waits for the owner. */
export const LIFETIME_MS = 5 * 60_000;
const MOST = 64;
const MOST_PER_ADDRESS = 8;

/** Whether a request still counts. One from the future was made before the clock was set back: it counts no longer. */
export function isWaiting(request: StoredRequest, now: number): boolean {
  return Math.abs(now - request.ts) < LIFETIME_MS;
}

/**
 * The requests after `request` joined them, and those that had to go for it: another of the same device, and the oldest
 * where one address or all together have too many.
 */
export function join(
  waiting: readonly StoredRequest[],
  request: StoredRequest,
): { readonly kept: readonly StoredRequest[]; readonly dropped: readonly StoredRequest[] } {
  const others = waiting.filter(({ deviceId }) => deviceId !== request.deviceId);
  const near = others.filter(({ remoteIp }) => remoteIp === request.remoteIp);
  const crowd = oldest(near, near.length - MOST_PER_ADDRESS + 1);
  const rest = others.filter((other) => !crowd.includes(other));
  const excess = oldest(rest, rest.length - MOST + 1);
  const kept = [...rest.filter((other) => !excess.includes(other)), request];
  return { kept, dropped: waiting.filter((other) => !kept.includes(other)) };
}

function oldest(requests: readonly StoredRequest[], count: number): readonly StoredRequest[] {
  return requests.toSorted((a, b) => a.ts - b.ts).slice(0, Math.max(count, 0));
}
