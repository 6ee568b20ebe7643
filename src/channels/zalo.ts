import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import { randomToken } from "../kit/ids.ts";
import { sameSecret } from "../kit/secret.ts";
import { ended, keepConnected, pause } from "./channel-connection.ts";
import { plain, withMarks } from "./channel-marks.ts";
import { needed } from "./channel-needs.ts";
import { withBareIds } from "./channel-people.ts";
import { commonSettings, policyOf } from "./channel-policy.ts";
import { channel, type Channel, type ChannelContext, type Inbound } from "./channel.ts";
import { webhook, webhookPathSetting } from "./channel-webhook.ts";
import { zaloApi } from "./zalo-api.ts";
import { readUpdate } from "./zalo-update.ts";

const zaloSettings = v.looseObject({
  ...commonSettings,
  botToken: v.pipe(v.optional(v.string("a text in quotes")), v.description("The token of the bot.")),
  webhookUrl: v.pipe(
    v.optional(v.pipe(v.string(), v.regex(/^https:\/\/\S+$/, "an address such as https://example.org/zalo-webhook"))),
    v.description("The public address of webhookPath: with it Zalo brings the updates, else it is asked for them."),
  ),
  webhookSecret: v.pipe(
    v.optional(v.pipe(v.string(), v.regex(/^[\x21-\x7e]{8,256}$/, "8 to 256 characters without spaces"))),
    v.description("What Zalo proves itself by; made up unless given."),
  ),
  webhookPath: webhookPathSetting,
  apiRoot: v.pipe(
    v.optional(v.pipe(v.string(), v.url("a URL")), "https://bot-api.zaloplatforms.com"),
    v.description("Where the Bot API is, such as behind a proxy."),
  ),
  mediaMaxMb: v.pipe(
    v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(100)), 5),
    v.description("Largest file that is taken, in megabytes."),
  ),
});

/** Zalo, by its Bot API: asked for updates, or brought them where `webhookUrl` is set. Direct conversations alone. */
export const zalo = channel({
  id: "zalo",
  label: "Zalo",
  settings: zaloSettings,
  credentials: [
    {
      key: "botToken",
      file: "tokenFile",
      variable: "ZALO_BOT_TOKEN",
      help: "The token of the bot, such as 12345689:abc…: from Zalo Bot Manager at bot.zaloplatforms.com.",
    },
  ],
  // Pictures go out by public addresses alone, which we have none of.
  abilities: { chats: ["direct"], media: false, reactions: false, edit: false, typing: true },
  policy(settings) {
    const shared = policyOf(settings);
    return withBareIds({ ...shared, groups: { ...shared.groups, policy: "disabled" } }, /^(?:zalo|zl):/i);
  },
  target(written) {
    const to = /^(?:zalo:|zl:)?([A-Za-z0-9_-]{1,64})$/.exec(written.trim())?.[1];
    if (to !== undefined) return { to };
    throw new Failure(
      "invalid-request",
      `${JSON.stringify(written.slice(0, 100))} is no recipient in Zalo: write the id of a conversation, such as 6ede9afa66b88fe6d6a9`,
    );
  },
  open: async (settings, context) => openZalo(settings, context),
});

const MAX_TEXT = 2000;
const AGAIN_MS = 5000;
const IDLE_MS = 1000;

function openZalo(settings: v.InferOutput<typeof zaloSettings>, given: ChannelContext): Channel {
  const { botToken: token } = needed(settings, ["botToken"], { id: "zalo", label: "Zalo" });
  const ending = new AbortController();
  const context = { ...given, signal: AbortSignal.any([given.signal, ending.signal]) };
  const { clock, log } = context;
  const api = zaloApi(context, { apiRoot: settings.apiRoot, token });
  const { webhookUrl } = settings;
  const secret = settings.webhookSecret ?? randomToken();

  /**
   * An update is given out once: one that cannot be taken in now is kept here until it can. What is lost is one that was
   * on its way when the process was killed.
   */
  async function poll(): Promise<never> {
    for (;;) {
      const began = clock.monotonic();
      const update = await api.next();
      // It is to say late that there is nothing.
      if (update === undefined && clock.monotonic() - began < IDLE_MS) await pause(context, IDLE_MS);
      const message = update === undefined ? undefined : readUpdate(update, { context, api });
      if (message !== undefined) while (!(await isTaken(message))) await pause(context, AGAIN_MS);
    }
  }

  async function isTaken(message: Inbound): Promise<boolean> {
    try {
      await context.receive(message);
      return true;
    } catch (error) {
      log.warn("a message could not be taken in: it is tried again", { reason: Failure.from(error).message });
      return false;
    }
  }

  const running = keepConnected(context, async (attempt) => {
    const self = await api.me();
    if (webhookUrl === undefined) await api.removeWebhook();
    else await api.setWebhook({ url: webhookUrl, secret });
    attempt.ready(self);
    await (webhookUrl === undefined ? poll() : ended(attempt.signal));
  });

  return {
    maxText: MAX_TEXT,
    webhook:
      webhookUrl === undefined
        ? undefined
        : webhook(context, {
            path: settings.webhookPath ?? new URL(webhookUrl).pathname,
            prove: async ({ headers }) =>
              (await sameSecret(headers.get("x-bot-api-secret-token") ?? undefined, secret)) ? true : undefined,
            read(body) {
              const message = readUpdate(api.updateIn(body), { context, api });
              return message === undefined ? [] : [message];
            },
          }),
    async send({ to }, { text }, { signal }) {
      return { id: await api.sendMessage({ chat_id: to, text: withMarks(text, plain) }, signal) };
    },
    typing: async ({ to }) => api.typing(to),
    probe: async (signal) => api.me(signal),
    async close() {
      ending.abort();
      await running;
    },
  };
}
