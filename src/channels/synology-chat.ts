import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import { sameSecret } from "../kit/secret.ts";
import { channel, type Channel, type ChannelContext, type Inbound, type Target } from "./channel.ts";
import { understood } from "./channel-answer.ts";
import { angleLink, asterisks, withMarks, type Marks } from "./channel-marks.ts";
import { needed } from "./channel-needs.ts";
import { commonSettings, type Policy } from "./channel-policy.ts";
import { createRecent } from "./channel-recent.ts";
import { ask } from "./channel-request.ts";
import { webhook, webhookPath, webhookPathSetting } from "./channel-webhook.ts";

const id = "synology-chat";
const label = "Synology Chat";

const settings = v.looseObject({
  ...commonSettings,
  token: v.optional(v.string("a text in quotes")),
  incomingUrl: v.optional(v.pipe(v.string(), v.url("the address that Synology Chat shows for the bot"))),
  webhookPath: webhookPathSetting,
  dmPolicy: v.pipe(
    v.optional(v.picklist(["allowlist", "open", "disabled"]), "allowlist"),
    v.description("Who may write: who is in allowedUserIds, everybody, nobody. There is no pairing."),
  ),
  allowedUserIds: v.pipe(
    v.optional(v.array(v.pipe(v.union([v.string(), v.number()]), v.transform(String)), "a list of ids"), []),
    v.description("The numbers of the users who may write."),
  ),
  allowInsecureSsl: v.pipe(
    v.optional(v.boolean("true or false"), false),
    v.description("Not followed: give the NAS a certificate that this machine trusts, or http in incomingUrl."),
  ),
  rateLimitPerMinute: v.pipe(
    v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1000)), 30),
    v.description("Messages of one user that are taken in a minute."),
  ),
});

type Settings = v.InferOutput<typeof settings>;

/** Synology Chat as a bot of the DSM's Chat server, which knows people alone. */
export const synologyChat = channel({
  id,
  label,
  settings,
  credentials: [
    {
      key: "token",
      file: "tokenFile",
      variable: "SYNOLOGY_CHAT_TOKEN",
      help: "The bot's token (Synology Chat > Integration > Bots).",
    },
    {
      key: "incomingUrl",
      variable: "SYNOLOGY_CHAT_INCOMING_URL",
      help: "The bot's incoming address, as shown beside the token. It has the token in it.",
    },
  ],
  abilities: { chats: ["direct"], media: false, reactions: false, edit: false, typing: false },
  policy,
  target,
  open,
});

const MAX_TEXT = 2000;
const MAX_BODY = 64 * 1024;
const MINUTE_MS = 60_000;
const COUNTED = 1000;
/** Chat's own number for too many messages in a short time. */
const TOO_FAST = 411;
const TOO_FAST_MS = 1000;

const marks: Marks = { ...asterisks, link: angleLink };

function policy(given: Settings): Policy {
  return {
    direct: { policy: given.dmPolicy, allowFrom: [...given.allowedUserIds, ...(given.allowFrom ?? [])] },
    groups: { policy: "disabled", allowFrom: [], rooms: {}, requireMention: true, historyLimit: 0 },
    allowBots: given.allowBots,
  };
}

function target(written: string): Target {
  const to = written.trim().replace(/^(synology-chat:|synology:)?(user:)?/i, "");
  if (/^[1-9]\d{0,9}$/.test(to)) return { to };
  throw new Failure(
    "invalid-request",
    `${JSON.stringify(written)} is no user of Synology Chat: write the user's number, such as user:4`,
  );
}

async function open(given: Settings, context: ChannelContext): Promise<Channel> {
  const { token, incomingUrl } = needed(given, ["token", "incomingUrl"], { id, label });
  if (given.allowInsecureSsl)
    context.log.warn("channels.synology-chat.allowInsecureSsl is not followed: certificates are always checked");
  const ending = new AbortController();
  const signal = AbortSignal.any([context.signal, ending.signal]);
  const isTooMuch = perMinute(context, given.rateLimitPerMinute);
  // Nothing can be asked without writing to somebody: what is wrong shows with the first answer.
  context.status({ state: "connecting" });
  context.status({ state: "ready" });

  return {
    maxText: MAX_TEXT,
    webhook: webhook(
      { ...context, signal },
      {
        path: webhookPath(given.webhookPath, { usual: "/webhook/synology", accountId: context.accountId }),
        maxBody: MAX_BODY,
        taken: 204,
        async prove(_, body) {
          const form = new URLSearchParams(new TextDecoder().decode(await body()));
          return (await sameSecret(form.get("token") ?? "", token)) ? form : undefined;
        },
        read(_, form) {
          const message = v.safeParse(messageSchema, Object.fromEntries(form));
          if (!message.success) throw new Failure("invalid-request", "the body is no message of Synology Chat");
          if (isTooMuch(message.output.user_id))
            throw new Failure("rate-limited", "a user writes more than channels.synology-chat.rateLimitPerMinute");
          return [inboundOf(message.output, context.clock.now())];
        },
      },
    ),
    async send({ to }, { text }, { key, signal }) {
      const payload = JSON.stringify({ text: withMarks(text, marks), user_ids: [Number(to)] });
      const body = new URLSearchParams({ payload });
      const answer = await ask(context, { label, url: incomingUrl, body, signal });
      const { success, error } = understood(answerSchema, { label, answer });
      if (success) return { id: key };
      const code = error?.code;
      if (code === TOO_FAST)
        throw new Failure("rate-limited", "Synology Chat wants fewer messages", { retryAfterMs: TOO_FAST_MS });
      throw new Failure(
        "invalid-request",
        `Synology Chat refused the message (error ${String(code ?? "without a number")})`,
      );
    },
    async close() {
      ending.abort();
    },
  };
}

/** Whether somebody has written more in this minute than is taken. */
function perMinute({ clock }: Pick<ChannelContext, "clock">, most: number): (user: string) => boolean {
  const counts = createRecent<{ readonly since: number; readonly count: number }>(COUNTED);
  return (user) => {
    const now = clock.monotonic();
    const before = counts.get(user);
    const { since, count } = before && now - before.since < MINUTE_MS ? before : { since: now, count: 0 };
    counts.set(user, { since, count: count + 1 });
    return count >= most;
  };
}

function inboundOf({ user_id: user, username: name, post_id: post, text, timestamp }: Message, now: number): Inbound {
  return {
    id: post,
    peer: { kind: "direct", id: user, name },
    sender: { id: user, name },
    text,
    mentioned: false,
    to: { to: user },
    at: timestamp ?? now,
  };
}

const digits = v.pipe(v.string(), v.regex(/^\d{1,20}$/));

const messageSchema = v.looseObject({
  user_id: v.pipe(v.string(), v.regex(/^[1-9]\d{0,9}$/)),
  post_id: digits,
  text: v.string(),
  username: v.optional(v.string()),
  timestamp: v.optional(v.pipe(digits, v.transform(Number))),
});

type Message = v.InferOutput<typeof messageSchema>;

const answerSchema = v.looseObject({
  success: v.boolean(),
  error: v.optional(v.looseObject({ code: v.optional(v.number()) })),
});
