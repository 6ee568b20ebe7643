import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import { sameSecret } from "../kit/secret.ts";
import { channel, type Channel, type ChannelContext, type Outbound, type Sent, type Target } from "./channel.ts";
import { asterisks, withMarks } from "./channel-marks.ts";
import { needed } from "./channel-needs.ts";
import { createParts } from "./channel-parts.ts";
import { commonSettings, policyOf } from "./channel-policy.ts";
import { presence } from "./channel-presence.ts";
import { createRecent } from "./channel-recent.ts";
import { isSigned } from "./channel-signature.ts";
import { webhook, webhookPath, webhookPathSetting } from "./channel-webhook.ts";
import { createCloud, meaningOf, type Cloud } from "./whatsapp-cloud.ts";
import { messagesOf } from "./whatsapp-inbound.ts";

const id = "whatsapp";
const label = "WhatsApp (Business Cloud API)";
const noQrCode =
  "linking a phone by QR code (WhatsApp Web) is not supported. Make a business app at developers.facebook.com and give " +
  "its accessToken, phoneNumberId, appSecret and a verifyToken of your own";

const settings = v.looseObject({
  ...commonSettings,
  accessToken: v.optional(v.string("a text in quotes")),
  phoneNumberId: v.optional(v.string("a text in quotes")),
  appSecret: v.optional(v.string("a text in quotes")),
  verifyToken: v.optional(v.string("a text in quotes")),
  webhookPath: webhookPathSetting,
  sendReadReceipts: v.pipe(
    v.optional(v.boolean("true or false"), true),
    v.description("Whether messages are shown as read when they are answered; without it nobody sees us typing."),
  ),
});

type Settings = v.InferOutput<typeof settings>;

/** WhatsApp by the Business Cloud API of Meta: a number of one's own, without a phone. */
export const whatsapp = channel({
  id,
  label,
  settings,
  credentials: [
    {
      key: "accessToken",
      file: "accessTokenFile",
      variable: "WHATSAPP_ACCESS_TOKEN",
      help:
        "A token of a system user of your Meta business with whatsapp_business_messaging (developers.facebook.com); " +
        "linking a phone by QR code (WhatsApp Web) is not supported.",
    },
    {
      key: "phoneNumberId",
      variable: "WHATSAPP_PHONE_NUMBER_ID",
      help: "The id of the number, not the number itself: WhatsApp > API Setup in the app's dashboard.",
      public: true,
    },
    {
      key: "appSecret",
      file: "appSecretFile",
      variable: "WHATSAPP_APP_SECRET",
      help: "The app's secret, by which Meta signs what it sends: App settings > Basic.",
    },
    {
      key: "verifyToken",
      variable: "WHATSAPP_VERIFY_TOKEN",
      help: "Any secret text: give the same to Meta with the address of the webhook.",
    },
  ],
  abilities: { chats: ["direct"], media: true, reactions: true, edit: false, typing: true },
  policy: policyOf,
  target,
  open,
});

/** It takes 4,096: some room is for what reads longer without Markdown. */
const MAX_TEXT = 4000;
const MAX_CAPTION = 1024;
const REMEMBERED = 1000;

function target(written: string): Target {
  const digits = written
    .trim()
    .replace(/^whatsapp:/i, "")
    .replace(/@s\.whatsapp\.net$/, "")
    .replaceAll(/[\s().-]/g, "")
    .replace(/^\+/, "");
  if (/^[1-9]\d{6,14}$/.test(digits)) return { to: digits };
  throw new Failure("invalid-request", `${JSON.stringify(written)} is no number of WhatsApp: write it as +15551234567`);
}

async function open(given: Settings, context: ChannelContext): Promise<Channel> {
  const keys = ["accessToken", "phoneNumberId", "appSecret", "verifyToken"] as const;
  const signIn = needed(given, keys, { id, label, hint: noQrCode });
  const cloud = createCloud(context, signIn);
  const live = presence(context, (signal) => cloud.whoami(signal));
  const parts = createParts();
  /** The message that each person wrote last: typing is shown as an answer to it. */
  const latest = createRecent<string>(REMEMBERED);
  const complain = (code: number | undefined): void => {
    const reason = code === undefined ? undefined : meaningOf(code)?.[1];
    context.log.warn("WhatsApp did not deliver a message", { code, reason });
  };

  return {
    maxText: MAX_TEXT,
    webhook: webhook(
      { ...context, signal: live.signal },
      {
        path: webhookPath(given.webhookPath, { usual: "/whatsapp/webhook", accountId: context.accountId }),
        bringsAgain: true,
        greet: (request) => greeting(new URL(request.url).searchParams, signIn.verifyToken),
        async prove(request, body) {
          const [, mark = null] =
            /^sha256=([0-9a-f]{64})$/i.exec(request.headers.get("x-hub-signature-256") ?? "") ?? [];
          if (mark === null) return undefined;
          return (await isSigned(signIn.appSecret, { data: await body(), form: "hex", given: mark })) || undefined;
        },
        read(body) {
          const { messages, failures } = messagesOf(body, {
            phoneNumberId: signIn.phoneNumberId,
            cloud,
            log: context.log,
          });
          for (const code of failures) complain(code);
          for (const { id, to } of messages) latest.set(to.to, id);
          return messages;
        },
      },
    ),
    send: (to, message, options) => live.watch(parts.send(options.key, piecesOf(cloud, to, message, options.signal))),
    react: (to, id, emoji) =>
      live.watch(
        cloud.post(to.to, { type: "reaction", reaction: { message_id: id, emoji } }, live.signal).then(() => {}),
      ),
    async typing(to) {
      const message = latest.get(to.to);
      if (message !== undefined && given.sendReadReceipts) await live.watch(cloud.seen(message, live.signal));
    },
    probe: (signal) => cloud.whoami(signal),
    close: () => live.close(),
  };
}

/** Meta asks once whether the address is ours; the answer is its own text. */
async function greeting(query: URLSearchParams, verifyToken: string): Promise<Response> {
  const challenge = query.get("hub.challenge") ?? "";
  const isKnown = await sameSecret(query.get("hub.verify_token") ?? "", verifyToken);
  if (!isKnown || query.get("hub.mode") !== "subscribe" || !/^[\w-]{1,200}$/.test(challenge))
    return new Response(null, { status: 403 });
  return new Response(challenge, {
    headers: { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" },
  });
}

/** A message as WhatsApp has it: the text, or a file with a text under it, each for itself. */
function piecesOf(
  cloud: Cloud,
  { to }: Target,
  { text, replyTo, media = [] }: Outbound,
  signal: AbortSignal,
): readonly (() => Promise<Sent>)[] {
  const words = withMarks(text, asterisks);
  const context = replyTo === undefined ? {} : { context: { message_id: replyTo } };
  const [first] = media;
  const hasCaption = first !== undefined && words.length <= MAX_CAPTION && cloud.takesCaption(first.mimeType);
  const alone = words.trim() === "" || hasCaption ? [] : [{ type: "text", text: { body: words, preview_url: true } }];
  return [
    ...alone.map((content) => () => cloud.post(to, { ...context, ...content }, signal)),
    ...media.map((file, index) => async () => {
      const caption = hasCaption && index === 0 && words.trim() !== "" ? words : undefined;
      return cloud.post(to, { ...context, ...(await cloud.upload(file, { caption, signal })) }, signal);
    }),
  ];
}
