import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import { channel, type Channel, type ChannelContext, type Target } from "./channel.ts";
import { bearerOf, verifyJwt } from "./channel-jwt.ts";
import { createKeySet } from "./channel-keys.ts";
import { needed } from "./channel-needs.ts";
import { commonSettings, policyOf } from "./channel-policy.ts";
import { presence } from "./channel-presence.ts";
import { webhook, webhookPath, webhookPathSetting } from "./channel-webhook.ts";
import { createGoogleChatApi, serviceAccountOf } from "./googlechat-api.ts";
import { messageOf } from "./googlechat-inbound.ts";

const id = "googlechat";
const label = "Google Chat";

const settings = v.looseObject({
  ...commonSettings,
  serviceAccount: v.optional(v.union([v.string(), v.record(v.string(), v.unknown())], "the JSON of a service account")),
  audienceType: v.pipe(
    v.optional(v.picklist(["app-url", "project-number"]), "app-url"),
    v.description("What Google's tokens are made out to, as the Chat app is configured."),
  ),
  audience: v.pipe(
    v.optional(v.string("a text in quotes")),
    v.description("The public address of the webhook, or the number of the project."),
  ),
  webhookPath: webhookPathSetting,
  botUser: v.pipe(
    v.optional(v.pipe(v.string(), v.regex(/^users\/[\w-]+$/, "users/1234567890"))),
    v.description("The app's own user; it is learned from the first answer when it is not given."),
  ),
});

type Settings = v.InferOutput<typeof settings>;

/** Google Chat as a Chat app of one's own, with a service account. */
export const googlechat = channel({
  id,
  label,
  settings,
  credentials: [
    {
      key: "serviceAccount",
      file: "serviceAccountFile",
      variable: "GOOGLE_CHAT_SERVICE_ACCOUNT",
      help: "The JSON key of a service account of the project of the Chat app (console.cloud.google.com > IAM).",
    },
    {
      key: "audience",
      help: "What Google's tokens are made out to: the public address of the webhook, or the project's number.",
      public: true,
    },
  ],
  // Reactions and uploads are for people: Google refuses them to an app's own account.
  abilities: { chats: ["direct", "group", "thread"], media: false, reactions: false, edit: true, typing: false },
  policy: policyOf,
  target,
  open,
});

/** It takes 4,096: some room is for what reads longer without Markdown. */
const MAX_TEXT = 4000;
const CHAT = "chat@system.gserviceaccount.com";
/** Who signs, and with which keys (developers.google.com/workspace/chat/verify-requests-from-chat). */
const signers = {
  "app-url": {
    url: "https://www.googleapis.com/oauth2/v3/certs",
    issuers: ["https://accounts.google.com", "accounts.google.com"],
  },
  "project-number": { url: `https://www.googleapis.com/service_accounts/v1/jwk/${CHAT}`, issuers: [CHAT] },
} as const;

function target(written: string): Target {
  const to = written.trim().replace(/^(googlechat|google-chat):/i, "");
  const thread = /^(spaces\/[\w-]+)\/threads\/[\w-]+$/.exec(to)?.[1];
  if (thread !== undefined) return { to: thread, thread: to };
  if (/^(spaces|users)\/[\w-]+$/.test(to)) return { to };
  const wanted = "write spaces/AAAAxxxx, spaces/AAAAxxxx/threads/yyyy or users/1234567890";
  throw new Failure("invalid-request", `${JSON.stringify(written)} is no place of Google Chat: ${wanted}`);
}

async function open(given: Settings, context: ChannelContext): Promise<Channel> {
  const account = serviceAccountOf(given.serviceAccount);
  const { audience } = needed(given, ["audience"], { id, label });
  const { url, issuers } = signers[given.audienceType];
  const keys = createKeySet(context, { label: "Google", url });
  const api = createGoogleChatApi(context, { account, botUser: given.botUser });
  const live = presence(context, (signal) => api.whoami(signal));

  return {
    maxText: MAX_TEXT,
    webhook: webhook(
      { ...context, signal: live.signal },
      {
        path: webhookPath(given.webhookPath, { usual: "/googlechat", accountId: context.accountId }),
        async prove(request) {
          const token = bearerOf(request);
          if (token === undefined) return undefined;
          const proven = await verifyJwt(token, { keys, issuers, audience, now: context.clock.now() });
          // Google signs for everybody's services: only Chat's own are meant.
          const { email, email_verified: isVerified } = proven?.claims ?? {};
          const isChat = given.audienceType === "project-number" || (email === CHAT && isVerified === true);
          return (proven !== undefined && isChat) || undefined;
        },
        async read(body) {
          const message = messageOf(body, { api, botUser: await api.botUser(), log: context.log });
          return message ? [message] : [];
        },
      },
    ),
    send: (to, { text }, options) => live.watch(api.create(to, text, options)),
    edit: (_, id, text) => live.watch(api.patch(id, text, live.signal)),
    remove: (_, id) => live.watch(api.remove(id, live.signal)),
    probe: (signal) => api.whoami(signal),
    close: () => live.close(),
  };
}
