import * as v from "valibot";
import { DEFAULT_ACCOUNT, type Place } from "./sender-place.ts";

/** Somebody who wrote to an account of a channel and waits to be let in. */
export interface SenderRequest extends Place {
  /** The id by which the network knows him for good. */
  readonly sender: string;
  /** What he was told, and tells the owner. */
  readonly code: string;
  /** What he calls himself and the like: words of a stranger. */
  readonly about: Readonly<Record<string, string>>;
  readonly createdAtMs: number;
  readonly lastSeenAtMs: number;
  readonly expiresAtMs: number;
}

/** How long a code counts. */
export const LIFETIME_MS = 3_600_000;

/** Other gateways write ids of digits as numbers too; one that a number cannot hold exactly would be somebody else's. */
export const idSchema = v.union([v.string(), v.pipe(v.number(), v.safeInteger(), v.transform(String))]);

/** A request as it is kept; what else other gateways write into it stays. */
export const requestSchema = v.looseObject({
  id: idSchema,
  code: v.pipe(v.string(), v.toUpperCase(), v.regex(/^[A-Z0-9]{4,32}$/)),
  createdAt: v.pipe(
    v.string(),
    v.check((text) => Number.isFinite(Date.parse(text))),
  ),
  lastSeenAt: v.optional(v.string()),
  meta: v.optional(v.record(v.string(), v.unknown())),
});
export type StoredRequest = v.InferOutput<typeof requestSchema>;

/** Whether a request still counts. One from the future was made before the clock was set back: it counts no longer. */
export function isWaiting({ createdAt }: StoredRequest, now: number): boolean {
  return Math.abs(now - Date.parse(createdAt)) < LIFETIME_MS;
}

/** The account of the channel that was written to; what came before there were accounts is the default one's. */
export function accountOf({ meta }: StoredRequest): string {
  const accountId = meta?.["accountId"];
  return (typeof accountId === "string" && accountId.trim().toLowerCase()) || DEFAULT_ACCOUNT;
}

/** When the stranger wrote last, as far as is known. */
export function seenAt({ lastSeenAt, createdAt }: StoredRequest): number {
  const seen = Date.parse(lastSeenAt ?? "");
  return Number.isFinite(seen) ? seen : Date.parse(createdAt);
}

/** A request as the rest of the gateway sees it. */
export function shown(channel: string, request: StoredRequest): SenderRequest {
  const { accountId: _, ...about } = clipped(request.meta ?? {});
  const createdAtMs = Date.parse(request.createdAt);
  return {
    channel,
    accountId: accountOf(request),
    sender: request.id,
    code: request.code,
    about,
    createdAtMs,
    lastSeenAtMs: seenAt(request),
    expiresAtMs: createdAtMs + LIFETIME_MS,
  };
}

/** The first few texts, each cut to what fits in a table. */
export function clipped(about: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  const texts = Object.entries(about).flatMap(([key, value]) =>
    typeof value === "string" && value.trim() !== "" ? [[key.slice(0, 40), value.trim().slice(0, 200)] as const] : [],
  );
  return Object.fromEntries(texts.slice(0, 12));
}

/** Without those that look like others: 0 and O, 1 and I. There are 32, so that a byte's low bits pick one evenly. */
const ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/** A code that is none of these: 40 random bits, easy to read out. */
export function newCode(taken: ReadonlySet<string>): string {
  for (;;) {
    const code = [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => ALPHABET[byte & 31]).join("");
    if (!taken.has(code)) return code;
  }
}
