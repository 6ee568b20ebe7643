import { limited, orAborted } from "../agent/interrupt.ts";
import type { Clock } from "../host/host.ts";
import { Failure } from "../kit/error.ts";
import type { Logger } from "../kit/log.ts";
import type { Door } from "../routes/route.ts";
import { refuse } from "./http-refusal.ts";
import type { Limiter } from "./limiter.ts";
import { limiterKey, type Locality } from "./locality.ts";

/** The way in for networks that tell of messages by HTTP: anybody can find it, and only the network may use it. */
export type WebhookDoor = (webhook: Door, request: Request, from: Locality) => Promise<Response>;

export interface WebhookDoorOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly limiter: Limiter;
}

const MAX_BODY = 1024 * 1024;
/** A network that takes longer to say what it has to say is not believed to be one. */
const BODY_MS = 10_000;
/** Less than the ten seconds after which Bun gives up on a request that nothing was sent for. */
const ANSWER_MS = 9000;
/** Requests at once, in all and from one address; each may hold a body. */
const MOST = 64;
const MOST_OF_ONE = 32;

/**
 * Takes webhooks in: so many at once, so large, so slow, and none for a while from an address that too often came
 * without the network's secret (threats B, H, I). Whether it is the network the account itself decides.
 */
export function createWebhookDoor({ clock, log, limiter }: WebhookDoorOptions): WebhookDoor {
  /** Requests that are being answered, by address. */
  const open = new Map<string, number>();
  let openInAll = 0;

  /** Those that are being judged do not count as failures: a network may send many at once. */
  function lockedFor(key: string): number {
    const waitMs = limiter.take(key);
    if (waitMs === 0) limiter.restore(key);
    return waitMs;
  }

  async function handled(webhook: Door, request: Request): Promise<Response> {
    const refusal = await webhook.admit?.(request);
    if (refusal) return refusal;
    const maxBody = Math.min(webhook.maxBody ?? MAX_BODY, MAX_BODY * 16);
    const body = await bodyOf(request, maxBody, clock);
    if (body === "too large") return refuse(413, "too_large", `the body has more than ${maxBody} bytes`);
    if (body === "too slow") return refuse(408, "too_slow", "the body did not come in time", { connection: "close" });
    const { url, method, headers } = request;
    const whole = new Request(url, { method, headers, ...(method === "POST" ? { body } : {}) });
    const expired = (): Failure => new Failure("timeout", "the account took too long over it");
    const limit = limited(clock, new AbortController().signal, { ms: ANSWER_MS, expired });
    try {
      return await orAborted(webhook.handle(whole), limit.signal);
    } catch (error) {
      // Not taken in: the network is to bring it again.
      log.error("a webhook could not be taken in", { path: webhook.path, error: Failure.from(error).message });
      return refuse(503, "unavailable", "not taken in: send it again", { "retry-after": "5" });
    } finally {
      limit.dispose();
    }
  }

  return async (webhook, request, from) => {
    if (request.method !== "POST" && request.method !== "GET")
      return refuse(405, "method_not_allowed", "Method Not Allowed", { allow: "GET, POST" });
    const address = limiterKey(from.address);
    const ofOne = open.get(address) ?? 0;
    if (openInAll >= MOST || ofOne >= MOST_OF_ONE)
      return refuse(503, "too_many_webhooks", "too many webhooks at once", { "retry-after": "1" });
    const key = `webhook ${webhook.path} ${address}`;
    const waitMs = lockedFor(key);
    if (waitMs > 0)
      return refuse(429, "rate_limited", "too many refused webhooks from this address", {
        "retry-after": String(Math.ceil(waitMs / 1000)),
      });
    open.set(address, ofOne + 1);
    openInAll++;
    try {
      const response = await handled(webhook, request);
      if (response.status === 401 || response.status === 403) limiter.take(key);
      return response;
    } finally {
      openInAll--;
      const left = (open.get(address) ?? 1) - 1;
      if (left === 0) open.delete(address);
      else open.set(address, left);
    }
  };
}

/** The whole body, which may be as large and take as long. */
async function bodyOf(
  request: Request,
  maxBody: number,
  clock: Pick<Clock, "after">,
): Promise<Uint8Array<ArrayBuffer> | "too large" | "too slow"> {
  if (Number(request.headers.get("content-length") ?? 0) > maxBody) return "too large";
  const reader = request.body?.getReader();
  if (!reader) return new Uint8Array();
  const late = new AbortController();
  // A body that is let go of rejects; why it was let go of is known here.
  const stop = (): void => void reader.cancel().catch(() => undefined);
  late.signal.addEventListener("abort", stop, { once: true });
  const disarm = clock.after(BODY_MS, () => late.abort());
  const pieces: Uint8Array[] = [];
  let size = 0;
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      pieces.push(next.value);
      size += next.value.byteLength;
      if (size > maxBody) {
        stop();
        return "too large";
      }
    }
  } catch {
    return "too slow"; // the connection broke: nobody is there to be told more
  } finally {
    disarm();
  }
  if (late.signal.aborted) return "too slow";
  const whole = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.byteLength;
  }
  return whole;
}
