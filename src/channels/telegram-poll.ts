import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import { parseJson } from "../kit/json.ts";
import type { ChannelContext } from "./channel.ts";
import { keepConnected, pause } from "./channel-connection.ts";
import type { TelegramApi, TelegramSelf } from "./telegram-api.ts";
import type { Update, Updates } from "./telegram-update.ts";

export interface Polling {
  readonly context: ChannelContext;
  readonly api: TelegramApi;
  readonly updates: Updates;
}

const POLL_SECONDS = 30;
/** How much longer than it was asked to wait Telegram may take. */
const GRACE_MS = 15_000;
/** Nothing that comes sooner than this was not waited for: whatever stands between answers at once. */
const HASTY_MS = 1000;
/** Most that Telegram gives at a time. */
const BATCH = 100;
/** The pictures of one album are sent one by one, and come within this. */
const ALBUM_MS = 700;
/** After a week without an update Telegram begins to count anew (Bot API, Update). */
const COUNT_LASTS_MS = 6 * 24 * 3_600_000;

/**
 * Asks for updates until the account ends. An update counts as delivered when everything up to it was taken in: the
 * next request says so to Telegram, and `kept` to whoever comes after a crash.
 */
export function poll(polling: Polling): Promise<void> {
  const { context, api, updates } = polling;
  return keepConnected(context, async (attempt) => {
    const { signal } = attempt;
    const self = await api.me(signal);
    await api.call("deleteWebhook", { drop_pending_updates: false }, { signal });
    let place = await readPlace(context, self);
    for (let isFirst = true; ; isFirst = false) {
      // The first answer comes at once: only then is it known that nobody else asks with this token.
      const seconds = isFirst ? 0 : POLL_SECONDS;
      const asked = context.clock.monotonic();
      const parts = await nextParts(polling, { offset: offsetAt(place, context), seconds, signal });
      if (isFirst) attempt.ready(self);
      else if (parts.length === 0 && context.clock.monotonic() - asked < HASTY_MS)
        await pause({ clock: context.clock, signal }, HASTY_MS);
      const before = place;
      try {
        for (const { own, next } of parts) {
          await updates.take(own, self);
          place = { bot: self.id, offset: next, at: context.clock.now() };
        }
      } finally {
        if (place && place !== before) await context.kept.write(PLACE, JSON.stringify(place));
      }
    }
  });
}

/** Updates that are one message, and where the next ones begin. */
interface Part {
  readonly own: readonly Update[];
  readonly next: number;
}

interface Ask {
  readonly offset: number | undefined;
  readonly seconds: number;
  readonly signal: AbortSignal;
}

async function nextParts(polling: Polling, asked: Ask): Promise<readonly Part[]> {
  const { context, updates } = polling;
  const given = await getUpdates(polling, asked);
  const parts = partsOf(given, updates);
  const last = parts.at(-1);
  if (updates.albumOf(last?.own[0]) === undefined || given.length >= BATCH) return parts;
  // More of the album may be on its way: the same is asked for again, and with it what has come meanwhile.
  await pause({ clock: context.clock, signal: asked.signal }, ALBUM_MS);
  return partsOf(await getUpdates(polling, { ...asked, seconds: 0 }), updates);
}

async function getUpdates({ api, updates }: Polling, { offset, seconds, signal }: Ask): Promise<readonly unknown[]> {
  const given = {
    ...(offset === undefined ? {} : { offset }),
    limit: BATCH,
    timeout: seconds,
    allowed_updates: updates.kinds,
  };
  const answer = await api
    .call("getUpdates", given, { signal, timeoutMs: seconds * 1000 + GRACE_MS })
    .catch((error: unknown) => {
      const failure = Failure.from(error);
      if (failure.code !== "conflict") throw failure;
      throw new Failure(
        "conflict",
        "another program polls Telegram with this botToken: stop it there, or give each its own bot",
      );
    });
  if (Array.isArray(answer)) return answer;
  throw new Failure("unavailable", "Telegram's answer to getUpdates cannot be understood");
}

function partsOf(given: readonly unknown[], updates: Updates): readonly Part[] {
  const parts: Part[] = [];
  for (const each of given) {
    const id = updates.idOf(each);
    if (id === undefined) continue;
    const update = updates.read(each);
    const next = id + 1;
    const last = parts.at(-1);
    const album = updates.albumOf(update);
    if (update && last && album !== undefined && album === updates.albumOf(last.own[0]))
      parts.splice(-1, 1, { own: [...last.own, update], next });
    else parts.push({ own: update ? [update] : [], next });
  }
  return parts;
}

const placeSchema = v.object({ bot: v.string(), offset: v.number(), at: v.number() });
type Place = v.InferOutput<typeof placeSchema>;

const PLACE = "offset";

/** Where another bot's updates went on says nothing of this one's. */
async function readPlace({ kept }: ChannelContext, self: TelegramSelf): Promise<Place | undefined> {
  const found = v.safeParse(placeSchema, parseJson((await kept.read(PLACE)) ?? ""));
  return found.success && found.output.bot === self.id ? found.output : undefined;
}

function offsetAt(place: Place | undefined, { clock }: ChannelContext): number | undefined {
  return place && clock.now() - place.at < COUNT_LASTS_MS ? place.offset : undefined;
}
