import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import { channel, type Channel, type ChannelContext, type Target } from "./channel.ts";
import { needed } from "./channel-needs.ts";
import { commonSettings, policyOf } from "./channel-policy.ts";
import { presence } from "./channel-presence.ts";
import { createRecent } from "./channel-recent.ts";
import { isSigned } from "./channel-signature.ts";
import { webhook, webhookPath, webhookPathSetting } from "./channel-webhook.ts";
import { createLineApi } from "./line-api.ts";
import { eventsOf, inboundOf } from "./line-inbound.ts";

const id = "line";
const label = "LINE";

const settings = v.looseObject({
  ...commonSettings,
  channelAccessToken: v.optional(v.string("a text in quotes")),
  channelSecret: v.optional(v.string("a text in quotes")),
  webhookPath: webhookPathSetting,
});

type Settings = v.InferOutput<typeof settings>;

/** LINE by its Messaging API. Files are taken in; to send some, LINE would want to fetch them from a public address. */
export const line = channel({
  id,
  label,
  settings,
  credentials: [
    {
      key: "channelAccessToken",
      file: "tokenFile",
      variable: "LINE_CHANNEL_ACCESS_TOKEN",
      help: "The long-lived token of a Messaging API channel (developers.line.biz > Messaging API).",
    },
    {
      key: "channelSecret",
      file: "secretFile",
      variable: "LINE_CHANNEL_SECRET",
      help: "The channel's secret, by which LINE signs what it sends (developers.line.biz > Basic settings).",
    },
  ],
  abilities: { chats: ["direct", "group"], media: false, reactions: false, edit: false, typing: true },
  policy: policyOf,
  target,
  open,
});

/** It takes 5,000: some room is for what reads longer without Markdown. */
const MAX_TEXT = 4900;
/** Before a signature is checked no more than this is read (cli.md 9.13). */
const MAX_BODY = 64 * 1024;
const REMEMBERED = 1000;

function target(written: string): Target {
  const to = written.trim().replace(/^(line:)?(user:|group:|room:)?/i, "");
  if (/^[UCR][0-9a-f]{32}$/.test(to)) return { to };
  throw new Failure(
    "invalid-request",
    `${JSON.stringify(written)} is no id of LINE: it begins with U (a person), C (a group) or R (a room), such as ` +
      "U4af4980629e5f3c6a1b2c3d4e5f60718",
  );
}

async function open(given: Settings, context: ChannelContext): Promise<Channel> {
  const signIn = needed(given, ["channelAccessToken", "channelSecret"], { id, label });
  const api = createLineApi(context, signIn.channelAccessToken);
  const live = presence(context, (signal) => api.whoami(signal));
  /** What LINE wants to be given to show a message as answered. */
  const quoteTokens = createRecent<string>(REMEMBERED);
  const sent = createRecent<true>(REMEMBERED);

  return {
    maxText: MAX_TEXT,
    webhook: webhook(
      { ...context, signal: live.signal },
      {
        path: webhookPath(given.webhookPath, { usual: "/line/webhook", accountId: context.accountId }),
        maxBody: MAX_BODY,
        async prove(request, body) {
          const mark = request.headers.get("x-line-signature");
          if (mark === null) return undefined;
          return (
            (await isSigned(signIn.channelSecret, { data: await body(), form: "base64", given: mark })) || undefined
          );
        },
        async read(body) {
          const events = eventsOf(body, context.log);
          for (const { message } of events) quoteTokens.set(message.id, message.quoteToken);
          const isOurs = (message: string): boolean => sent.get(message) === true;
          return Promise.all(events.map((event) => inboundOf(event, { api, isOurs, signal: live.signal })));
        },
      },
    ),
    async send({ to }, { text, replyTo }, options) {
      const quoteToken = replyTo === undefined ? undefined : quoteTokens.get(replyTo);
      const done = await live.watch(api.push(to, { text, quoteToken }, options));
      sent.set(done.id, true);
      return done;
    },
    async typing({ to }) {
      // LINE shows it to one person alone.
      if (to.startsWith("U")) await live.watch(api.loading(to, live.signal));
    },
    probe: (signal) => api.whoami(signal),
    close: () => live.close(),
  };
}
