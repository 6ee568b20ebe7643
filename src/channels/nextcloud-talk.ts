import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import { channel, type Channel, type ChannelContext, type Target } from "./channel.ts";
import { needed } from "./channel-needs.ts";
import { commonSettings, policyOf, roomSchema, type Policy } from "./channel-policy.ts";
import { presence } from "./channel-presence.ts";
import { createRecent } from "./channel-recent.ts";
import { isSigned } from "./channel-signature.ts";
import { webhook, webhookPath, webhookPathSetting } from "./channel-webhook.ts";
import { createTalk } from "./nextcloud-talk-api.ts";
import { noteOf } from "./nextcloud-talk-inbound.ts";

const id = "nextcloud-talk";
const label = "Nextcloud Talk";

const settings = v.looseObject({
  ...commonSettings,
  baseUrl: v.pipe(
    v.optional(v.pipe(v.string(), v.url("an address such as https://cloud.example.com"))),
    v.description("The address of the Nextcloud."),
  ),
  botSecret: v.optional(v.string("a text in quotes")),
  apiUser: v.pipe(
    v.optional(v.string("a text in quotes")),
    v.description("A user by whom rooms are looked up: without one a chat with one person counts as a group."),
  ),
  apiPassword: v.optional(v.string("a text in quotes")),
  webhookPath: webhookPathSetting,
  rooms: v.pipe(v.optional(v.record(v.string(), roomSchema), {}), v.description("Rooms by token; * for all others.")),
});

type Settings = v.InferOutput<typeof settings>;

/** Nextcloud Talk as a bot that `occ talk:bot:install` made. */
export const nextcloudTalk = channel({
  id,
  label,
  settings,
  credentials: [
    { key: "baseUrl", variable: "NEXTCLOUD_TALK_BASE_URL", help: "The address of the Nextcloud.", public: true },
    {
      key: "botSecret",
      file: "botSecretFile",
      variable: "NEXTCLOUD_TALK_BOT_SECRET",
      help: "The secret that the bot was installed with: occ talk:bot:install NAME SECRET ADDRESS --feature webhook,response,reaction.",
    },
    { key: "apiUser", help: "A user by whom rooms are looked up.", optional: true, public: true },
    { key: "apiPassword", file: "apiPasswordFile", help: "An app password of that user.", optional: true },
  ],
  abilities: { chats: ["direct", "group"], media: false, reactions: true, edit: false, typing: false },
  policy,
  target,
  person() {
    throw new Failure("invalid-request", "Nextcloud Talk lets a bot answer in its rooms alone");
  },
  open,
});

const MAX_TEXT = 32_000;
const REMEMBERED = 1000;

function policy(given: Settings): Policy {
  const common = policyOf(given);
  return { ...common, groups: { ...common.groups, rooms: { ...common.groups.rooms, ...given.rooms } } };
}

function target(written: string): Target {
  const to = written.trim().replace(/^(nextcloud-talk:|nc-talk:|nc:)?(room:)?/i, "");
  if (/^[a-z0-9]{4,64}$/i.test(to)) return { to };
  throw new Failure(
    "invalid-request",
    `${JSON.stringify(written)} is no room of Nextcloud Talk: write the token at the end of its address, such as room:a1b2c3d4`,
  );
}

async function open(given: Settings, context: ChannelContext): Promise<Channel> {
  const { baseUrl, botSecret } = needed(given, ["baseUrl", "botSecret"], { id, label });
  const home = sameForm(baseUrl);
  const { apiUser, apiPassword } = given;
  const reader = apiUser && apiPassword ? { user: apiUser, password: apiPassword } : undefined;
  const talk = createTalk(context, { home, botSecret, reader });
  const live = presence(context, (signal) => talk.whoami(signal));
  /** Our reaction to each message: another one takes its place. */
  const reactions = createRecent<string>(REMEMBERED);

  return {
    maxText: MAX_TEXT,
    webhook: webhook(
      { ...context, signal: live.signal },
      {
        path: webhookPath(given.webhookPath, { usual: "/nextcloud-talk-webhook", accountId: context.accountId }),
        async prove({ headers }, body) {
          const random = headers.get("x-nextcloud-talk-random") ?? "";
          if (random.length < 32 || random.length > 256) return undefined;
          if (sameForm(headers.get("x-nextcloud-talk-backend") ?? "") !== home) return undefined;
          const data = joined(new TextEncoder().encode(random), await body());
          const mark = headers.get("x-nextcloud-talk-signature");
          return (await isSigned(botSecret, { data, form: "hex", given: mark })) || undefined;
        },
        async read(body) {
          const message = await noteOf(body, { talk, signal: live.signal, now: context.clock.now() });
          return message ? [message] : [];
        },
      },
    ),
    send: ({ to }, { text, replyTo }, options) => talk.say(to, { text, replyTo }, options),
    async react({ to }, message, emoji) {
      const key = `${to} ${message}`;
      const before = reactions.get(key);
      if (before !== undefined && before !== emoji)
        await talk.react(to, message, { emoji: before, method: "DELETE", signal: live.signal });
      reactions.set(key, emoji === "" ? undefined : emoji);
      if (emoji !== "") await talk.react(to, message, { emoji, method: "POST", signal: live.signal });
    },
    probe: (signal) => talk.whoami(signal),
    close: () => live.close(),
  };
}

/** An address as it is compared: without what servers write or leave out at its end. */
function sameForm(url: string): string {
  return URL.canParse(url) ? new URL(url).href.replace(/(\/index\.php)?\/*$/, "") : "";
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}
