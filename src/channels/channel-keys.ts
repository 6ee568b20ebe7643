import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import type { ChannelContext } from "./channel.ts";
import { ask } from "./channel-request.ts";

/** The public keys of an issuer of tokens, by their ids. */
export interface KeySet {
  /** Undefined when there is none of this id. Rejects with `unavailable` when the keys cannot be had. */
  find(id: string): Promise<Jwk | undefined>;
}

const jwkSchema = v.looseObject({
  kid: v.string(),
  kty: v.string(),
  use: v.optional(v.literal("sig")),
  n: v.optional(v.pipe(v.string(), v.minLength(342, "an RSA key of 2048 bits or more"), v.maxLength(2048))),
  e: v.optional(v.string()),
  crv: v.optional(v.string()),
  x: v.optional(v.string()),
  y: v.optional(v.string()),
  /** What the key may vouch for, where the issuer says so (Bot Framework). */
  endorsements: v.optional(v.array(v.string())),
});

export type Jwk = v.InferOutput<typeof jwkSchema>;

const GOOD_FOR_MS = 6 * 3_600_000;
/** Ids that nobody knows make us ask again, but not for everybody who makes one up. */
const ASK_EVERY_MS = 5 * 60_000;
const AFTER_FAILURE_MS = 10_000;
const MOST_KEYS = 100;

/** Keys of a JSON Web Key Set (RFC 7517) at `url`, asked for when the first is needed and then every six hours. */
export function createKeySet(
  context: Pick<ChannelContext, "fetch" | "clock" | "signal">,
  { label, url }: { readonly label: string; readonly url: string },
): KeySet {
  const { clock, signal } = context;
  let keys: ReadonlyMap<string, Jwk> | undefined;
  let asking: Promise<void> | undefined;
  let [freshUntil, askableFrom] = [0, 0];

  const withheld = (error: unknown): never => {
    throw new Failure("unavailable", `the keys of ${label} cannot be had now`, { cause: error });
  };

  async function refresh(): Promise<void> {
    const now = clock.monotonic();
    askableFrom = now + AFTER_FAILURE_MS;
    const given = v.safeParse(setSchema, await ask(context, { label, url, signal }).catch(withheld));
    if (!given.success) throw new Failure("unavailable", `${label} gave no keys that its tokens can be checked by`);
    const usable = given.output.keys.flatMap((key) => {
      const parsed = v.safeParse(jwkSchema, key);
      return parsed.success ? [parsed.output] : [];
    });
    keys = new Map(usable.map((key) => [key.kid, key]));
    freshUntil = now + GOOD_FOR_MS;
    askableFrom = now + ASK_EVERY_MS;
  }

  return {
    async find(id) {
      const isFresh = clock.monotonic() < freshUntil;
      if (isFresh && keys?.has(id)) return keys.get(id);
      if (asking || clock.monotonic() >= askableFrom) await (asking ??= refresh().finally(() => (asking = undefined)));
      else if (!isFresh) withheld(undefined);
      return keys?.get(id);
    },
  };
}

const setSchema = v.looseObject({ keys: v.pipe(v.array(v.unknown()), v.maxLength(MOST_KEYS)) });
