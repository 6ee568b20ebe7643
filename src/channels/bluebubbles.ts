import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import { sameSecret } from "../kit/secret.ts";
import { channel, type Channel, type ChannelContext, type Target } from "./channel.ts";
import { plain, withMarks } from "./channel-marks.ts";
import { needed } from "./channel-needs.ts";
import { createParts } from "./channel-parts.ts";
import { commonSettings, policyOf } from "./channel-policy.ts";
import { presence } from "./channel-presence.ts";
import { createRecent } from "./channel-recent.ts";
import { webhook, webhookPath, webhookPathSetting } from "./channel-webhook.ts";
import { createBlueBubblesApi } from "./bluebubbles-api.ts";
import { messageOf } from "./bluebubbles-inbound.ts";

const id = "bluebubbles";
const label = "BlueBubbles";

const settings = v.looseObject({
  ...commonSettings,
  serverUrl: v.pipe(
    v.optional(v.pipe(v.string(), v.url("an address such as http://192.168.1.10:1234"))),
    v.description("The address of the BlueBubbles server on the Mac."),
  ),
  password: v.optional(v.string("a text in quotes")),
  webhookPath: webhookPathSetting,
  sendReadReceipts: v.pipe(
    v.optional(v.boolean("true or false"), true),
    v.description("Whether messages are shown as read when they are answered."),
  ),
});

type Settings = v.InferOutput<typeof settings>;

/** iMessage by a BlueBubbles server on a Mac. */
export const bluebubbles = channel({
  id,
  label,
  settings,
  credentials: [
    {
      key: "serverUrl",
      help: "The address of the BlueBubbles server, such as http://192.168.1.10:1234.",
      public: true,
    },
    {
      key: "password",
      file: "passwordFile",
      help: "The server's password. Its webhook must be set to this gateway's path with ?password= and the same password.",
    },
  ],
  abilities: { chats: ["direct", "group"], media: true, reactions: true, edit: true, typing: true },
  // Mail addresses, which are ids here.
  ignoreCase: true,
  policy: policyOf,
  target,
  open,
});

const MAX_TEXT = 4000;
const REMEMBERED = 1000;

function target(written: string): Target {
  const to = written.trim().replace(/^(bluebubbles:|imessage:)?(chat_guid:)?/i, "");
  if (/^(iMessage|SMS|RCS|any);[-+];[^\s;/?#]{1,200}$/.test(to)) return { to };
  const handle = to.toLowerCase().replaceAll(/[\s().-](?=[\d\s().-]*$)/g, "");
  if (/^\+\d{6,15}$|^[^\s@;/?#]+@[^\s@;/?#]+$/.test(handle)) return { to: `iMessage;-;${handle}` };
  const wanted = "write +15551234567, a mail address or chat_guid:iMessage;+;chat123456";
  throw new Failure("invalid-request", `${JSON.stringify(written)} is no place of iMessage: ${wanted}`);
}

async function open(given: Settings, context: ChannelContext): Promise<Channel> {
  const { serverUrl, password } = needed(given, ["serverUrl", "password"], { id, label });
  const api = createBlueBubblesApi(context, { serverUrl, password });
  const live = presence(context, (signal) => api.whoami(signal));
  const parts = createParts();
  const sent = createRecent<true>(REMEMBERED);
  /** Our tapback to each message, which is taken back by its own name. */
  const tapbacks = createRecent<string>(REMEMBERED);

  return {
    maxText: MAX_TEXT,
    webhook: webhook(
      { ...context, signal: live.signal },
      {
        path: webhookPath(given.webhookPath, { usual: "/bluebubbles-webhook", accountId: context.accountId }),
        async prove(request) {
          const query = new URL(request.url).searchParams;
          return (await sameSecret(query.get("password") ?? query.get("guid") ?? "", password)) || undefined;
        },
        read(body) {
          const message = messageOf(body, { api, isOurs: (guid) => sent.get(guid) === true, log: context.log });
          return message ? [message] : [];
        },
      },
    ),
    async send({ to }, { text, replyTo, media = [] }, { key, signal }) {
      const words = withMarks(text, plain);
      const texts = words.trim() === "" ? [] : [words];
      const pieces = [
        ...texts.map((message) => () => api.text(to, { message, replyTo }, { key: `${key} text`, signal })),
        ...media.map((file, at) => () => api.file(to, file, { key: `${key} ${at}`, signal })),
      ];
      const done = await live.watch(parts.send(key, pieces));
      sent.set(done.id, true);
      return done;
    },
    edit: (_, message, text) => live.watch(api.edit(message, withMarks(text, plain), live.signal)),
    remove: (_, message) => live.watch(api.unsend(message, live.signal)),
    async react({ to }, message, emoji) {
      const tapback = emoji === "" ? tapbacks.get(message) : tapbackOf(emoji);
      if (tapback === undefined) return;
      await live.watch(
        api.react(to, message, { reaction: emoji === "" ? `-${tapback}` : tapback, signal: live.signal }),
      );
      tapbacks.set(message, emoji === "" ? undefined : tapback);
    },
    async typing({ to }) {
      if (given.sendReadReceipts) await live.watch(api.read(to, live.signal));
      await live.watch(api.typing(to, live.signal));
    },
    probe: (signal) => api.whoami(signal),
    close: () => live.close(),
  };
}

/** The one of the six that iMessage has which says most nearly what the emoji says. */
function tapbackOf(emoji: string): string {
  const found = Object.entries(meanings).find(([, all]) => all.includes(emoji.replace("\ufe0f", "")));
  return found?.[0] ?? "like";
}

const meanings: Readonly<Record<string, readonly string[]>> = {
  love: ["❤", "🧡", "💛", "💚", "💙", "💜", "😍", "🥰"],
  dislike: ["👎", "❌", "🚫"],
  laugh: ["😂", "🤣", "😄", "😆", "😀"],
  emphasize: ["‼", "❗", "❕", "⚠"],
  question: ["❓", "❔", "🤔"],
};
