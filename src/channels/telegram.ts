import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import { channel, type Target } from "./channel.ts";
import { needed } from "./channel-needs.ts";
import { withIds } from "./channel-people.ts";
import { commonSettings, policyOf } from "./channel-policy.ts";
import { webhookPath, webhookPathSetting } from "./channel-webhook.ts";
import { telegramApi } from "./telegram-api.ts";
import { poll } from "./telegram-poll.ts";
import { telegramSender } from "./telegram-send.ts";
import { telegramUpdates } from "./telegram-update.ts";
import { listen } from "./telegram-webhook.ts";

const tokenForm = /^\d+:[\w-]+$/;

/** Telegram, by its Bot API: asked for updates, or brought them where `webhookUrl` is set. */
export const telegram = channel({
  id: "telegram",
  label: "Telegram",
  settings: v.looseObject({
    ...commonSettings,
    botToken: v.pipe(
      v.optional(v.pipe(v.string("a text in quotes"), v.trim(), v.regex(tokenForm, "a token such as 123456:ABC-DEF…"))),
      v.description("The token that @BotFather gave."),
    ),
    apiRoot: v.pipe(
      v.optional(v.pipe(v.string(), v.url("an address such as https://api.telegram.org")), "https://api.telegram.org"),
      v.description("Where the Bot API is, for who runs a server of his own."),
    ),
    webhookUrl: v.pipe(
      v.optional(v.pipe(v.string(), v.url("an address such as https://example.org/telegram-webhook"))),
      v.description(
        "The public address of webhookPath: with it Telegram brings the updates, else it is asked for them.",
      ),
    ),
    webhookPath: webhookPathSetting,
    webhookSecret: v.pipe(
      v.optional(v.pipe(v.string(), v.regex(/^[\w-]{16,256}$/, "16 to 256 letters, digits, - and _"))),
      v.description("What Telegram proves itself by; made up unless given."),
    ),
    linkPreview: v.pipe(
      v.optional(v.boolean("true or false"), true),
      v.description("Whether links in answers are shown with a picture of what they lead to."),
    ),
    mediaMaxMb: v.pipe(
      v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(100)), 5),
      v.description("Largest file that is taken, in megabytes; Telegram gives none of more than 20."),
    ),
  }),
  credentials: [
    {
      key: "botToken",
      file: "tokenFile",
      variable: "TELEGRAM_BOT_TOKEN",
      help: "The token of your bot, such as 123456:ABC…: write /newbot to @BotFather in Telegram.",
    },
  ],
  abilities: {
    chats: ["direct", "group", "channel", "thread"],
    media: true,
    reactions: true,
    edit: true,
    typing: true,
  },

  policy: (settings) => withIds(policyOf(settings), { person: bareId }),

  target,

  async open(settings, given) {
    const ending = new AbortController();
    const context = { ...given, signal: AbortSignal.any([given.signal, ending.signal]) };
    const { botToken: token } = needed(settings, ["botToken"], { id: "telegram", label: "Telegram" });
    for (const name of [...(settings.allowFrom ?? []), ...(settings.groupAllowFrom ?? [])].filter(isName))
      context.log.warn("a name lets nobody in, for anybody may take it: write the numeric id that /whoami shows", {
        name,
      });

    const api = telegramApi({ token, apiRoot: settings.apiRoot }, context);
    const isListed = (id: string): boolean => Object.hasOwn(settings.groups, id);
    const updates = telegramUpdates({ context, api, isListed });
    const { webhookUrl: url, webhookSecret: secret } = settings;
    const path = webhookPath(settings.webhookPath, { usual: "/telegram-webhook", accountId: context.accountId });
    const { webhook, ended } =
      url === undefined
        ? { webhook: undefined, ended: poll({ context, api, updates }) }
        : await listen({ context, api, updates, url, path, secret });
    const sender = telegramSender({ api, context, linkPreview: settings.linkPreview });

    return {
      maxText: 4096,
      webhook,
      send: (to, message, options) => sender.send(to, message, options),
      edit: (to, id, text) => sender.edit(to, id, text),
      async remove(to, id) {
        await api.call("deleteMessage", { chat_id: to.to, message_id: messageId(id) }).catch((error: unknown) => {
          const failure = Failure.from(error);
          if (!failure.message.includes("message to delete not found")) throw failure;
        });
      },
      async react(to, id, emoji) {
        const reaction = emoji === "" ? [] : [{ type: "emoji", emoji }];
        await api.call("setMessageReaction", { chat_id: to.to, message_id: messageId(id), reaction });
      },
      async typing({ to, thread }) {
        // Unlike messages, what is shown in the topic 1 must name it.
        const topic = thread === undefined ? {} : { message_thread_id: Number(thread) };
        await api.call("sendChatAction", { chat_id: to, action: "typing", ...topic });
      },
      probe: (signal) => api.me(signal),
      async close() {
        ending.abort();
        await ended;
      },
    };
  },
});

/** Ids may be written as in other places of the configuration: `telegram:123` and `tg:123`. */
function bareId(id: string): string {
  return id.trim().replace(/^(?:telegram|tg):/i, "");
}

function isName(id: string): boolean {
  return bareId(id) !== "*" && !/^-?\d+$/.test(bareId(id));
}

/** A button that was pressed has an id here, and is no message there. */
function messageId(id: string): number {
  if (!/^\d{1,15}$/.test(id))
    throw new Failure(
      "invalid-request",
      `${JSON.stringify(id.slice(0, 80))} is no message of Telegram: ids are digits`,
    );
  return Number(id);
}

function target(written: string): Target {
  const [, to, thread] = /^(-?\d{1,20}|@[A-Za-z]\w{3,31})(?::(?:topic:)?(\d{1,12}))?$/.exec(bareId(written)) ?? [];
  if (to === undefined)
    throw new Failure(
      "invalid-request",
      `${JSON.stringify(written.slice(0, 80))} is no chat of Telegram: write its id, such as 123456789 or -100123:topic:42`,
    );
  return thread === undefined ? { to } : { to, thread };
}
