import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import { randomToken } from "../kit/ids.ts";
import { parseJson } from "../kit/json.ts";
import { sameSecret } from "../kit/secret.ts";
import type { ChannelContext, Webhook } from "./channel.ts";
import { keepConnected, pause, type Attempt } from "./channel-connection.ts";
import type { TelegramApi, TelegramSelf } from "./telegram-api.ts";
import type { Update, Updates } from "./telegram-update.ts";

export interface Listening {
  readonly context: ChannelContext;
  readonly api: TelegramApi;
  readonly updates: Updates;
  /** The public address of `path`. */
  readonly url: string;
  readonly path: string;
  /** What Telegram proves itself by; one of our own unless given. */
  readonly secret?: string | undefined;
}

const SECRET = "webhook-secret";
const LOOK_AGAIN_MS = 300_000;
/** The pictures of one album come by requests of their own, within this. */
const ALBUM_MS = 1000;
/** Albums that are gathered at a time. */
const MOST_ALBUMS = 100;

/** Lets Telegram bring the updates, and looks from time to time whether it still knows where to. */
export async function listen(
  listening: Listening,
): Promise<{ readonly webhook: Webhook; readonly ended: Promise<void> }> {
  const { context, api, updates, url, path } = listening;
  const secret = listening.secret ?? (await ownSecret(context));
  const gather = gathering(listening);
  let self: TelegramSelf | undefined;

  async function attempt(connecting: Attempt): Promise<void> {
    const { signal } = connecting;
    const me = await api.me(signal);
    const set = { url, secret_token: secret, allowed_updates: updates.kinds };
    await api.call("setWebhook", set, { signal });
    self = me;
    connecting.ready(me);
    for (;;) {
      await pause({ clock: context.clock, signal }, LOOK_AGAIN_MS);
      if ((await currentUrl(api, signal)) !== url) await api.call("setWebhook", set, { signal });
    }
  }

  async function handle(request: Request): Promise<Response> {
    if (request.method !== "POST") return new Response(null, { status: 405, headers: { allow: "POST" } });
    const given = request.headers.get("x-telegram-bot-api-secret-token") ?? undefined;
    if (!(await sameSecret(given, secret))) return new Response(null, { status: 401 });
    if (!self || context.signal.aborted) return notNow();
    const update = updates.read(parseJson(await request.text()));
    // What cannot be understood is never going to be: it must not come again and again.
    if (!update) return new Response(null, { status: 200 });
    try {
      await gather(update, self);
      return new Response(null, { status: 200 });
    } catch (error) {
      context.log.warn("an update of Telegram could not be taken", { error: Failure.from(error).message });
      return notNow();
    }
  }

  return { webhook: { path, handle }, ended: keepConnected(context, attempt) };
}

/** Takes in an update; the parts of an album together, and all of them or none. */
function gathering({ context, updates }: Listening): (update: Update, self: TelegramSelf) => Promise<void> {
  const albums = new Map<string, { readonly parts: Update[]; readonly done: Promise<void> }>();
  return (update, self) => {
    const album = updates.albumOf(update);
    const open = album === undefined ? undefined : albums.get(album);
    if (open) {
      open.parts.push(update);
      return open.done;
    }
    if (album === undefined || albums.size >= MOST_ALBUMS) return updates.take([update], self);
    const parts = [update];
    const done = pause(context, ALBUM_MS)
      .finally(() => albums.delete(album))
      .then(() => updates.take(inOrder(parts), self));
    albums.set(album, { parts, done });
    return done;
  };
}

function inOrder(updates: readonly Update[]): readonly Update[] {
  return updates.toSorted((a, b) => a.update_id - b.update_id);
}

/** A secret of our own, the same as long as the account is there (threat K: without one nothing is listened to). */
async function ownSecret({ kept }: ChannelContext): Promise<string> {
  const known = await kept.read(SECRET);
  if (known !== undefined && known !== "") return known;
  const secret = randomToken();
  await kept.write(SECRET, secret);
  return secret;
}

async function currentUrl(api: TelegramApi, signal: AbortSignal): Promise<string> {
  const info = v.safeParse(v.looseObject({ url: v.string() }), await api.call("getWebhookInfo", {}, { signal }));
  return info.success ? info.output.url : "";
}

function notNow(): Response {
  return new Response(null, { status: 503, headers: { "retry-after": "5" } });
}
