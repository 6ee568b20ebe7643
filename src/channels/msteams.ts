import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import { channel, type Channel, type ChannelContext, type Target } from "./channel.ts";
import { bearerOf, verifyJwt } from "./channel-jwt.ts";
import { createKeySet } from "./channel-keys.ts";
import { needed } from "./channel-needs.ts";
import { commonSettings, policyOf, roomSchema, type Policy } from "./channel-policy.ts";
import { presence } from "./channel-presence.ts";
import { webhook, webhookPath, webhookPathSetting } from "./channel-webhook.ts";
import { createConnector, isService } from "./msteams-connector.ts";
import { openReferences } from "./msteams-references.ts";
import { activityOf, messageOf } from "./msteams-inbound.ts";

const id = "msteams";
const label = "Microsoft Teams";

const settings = v.looseObject({
  ...commonSettings,
  appId: v.optional(v.string("a text in quotes")),
  appPassword: v.optional(v.string("a text in quotes")),
  tenantId: v.pipe(
    v.optional(v.string("a text in quotes")),
    v.description("The tenant of the bot. With it, messages of other tenants are refused."),
  ),
  webhookPath: webhookPathSetting,
  webhook: v.pipe(
    v.optional(v.looseObject({ path: webhookPathSetting })),
    v.description(
      "Its `path` is taken on the gateway's own port; a `port` of its own, as OpenClaw has it, is not opened.",
    ),
  ),
  teams: v.pipe(
    v.optional(v.record(v.string(), v.looseObject({ channels: v.optional(v.record(v.string(), roomSchema), {}) })), {}),
    v.description("Teams by id, with their channels by id."),
  ),
});

type Settings = v.InferOutput<typeof settings>;

/** Microsoft Teams as a bot of the Azure Bot Service. */
export const msteams = channel({
  id,
  label,
  settings,
  credentials: [
    { key: "appId", variable: "MSTEAMS_APP_ID", help: "The app id of the Azure Bot (portal.azure.com).", public: true },
    {
      key: "appPassword",
      file: "appPasswordFile",
      variable: "MSTEAMS_APP_PASSWORD",
      help: "A client secret of the app (portal.azure.com > App registrations > Certificates & secrets).",
    },
    {
      key: "tenantId",
      variable: "MSTEAMS_TENANT_ID",
      help: "The tenant that the app belongs to.",
      public: true,
      optional: true,
    },
  ],
  abilities: {
    chats: ["direct", "group", "channel", "thread"],
    media: true,
    reactions: false,
    edit: true,
    typing: true,
  },
  policy,
  target,
  open,
});

const MAX_TEXT = 20_000;
const ISSUER = "https://api.botframework.com";
const KEYS = "https://login.botframework.com/v1/.well-known/keys";

/** Channels of the teams count beside the groups: their ids are of one kind. */
function policy(given: Settings): Policy {
  const common = policyOf(given);
  const channels = Object.values(given.teams).flatMap((team) => Object.entries(team.channels));
  return {
    ...common,
    groups: { ...common.groups, rooms: { ...common.groups.rooms, ...Object.fromEntries(channels) } },
  };
}

function target(written: string): Target {
  const to = written.trim().replace(/^(msteams|teams):/i, "");
  const [, person] = /^user:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i.exec(to) ?? [];
  if (person !== undefined) return { to: `user:${person.toLowerCase()}` };
  const [, conversation, thread] = /^(?:conversation:)?((?:19|a):[^\s;/?#]+)(?:;messageid=(\d+))?$/.exec(to) ?? [];
  if (conversation !== undefined) return { to: conversation, thread };
  const wanted = "write conversation:19:…@thread.tacv2, or user: and the object id of a person in Entra ID";
  throw new Failure("invalid-request", `${JSON.stringify(written)} is no place of Microsoft Teams: ${wanted}`);
}

async function open(given: Settings, context: ChannelContext): Promise<Channel> {
  const { appId, appPassword } = needed(given, ["appId", "appPassword"], { id, label });
  const { tenantId } = given;
  const keys = createKeySet(context, { label: "the Bot Framework", url: KEYS });
  const references = await openReferences(context.kept);
  const connector = createConnector(context, { appId, appPassword, tenantId });
  const live = presence(context, (signal) => connector.whoami(signal));
  const place = async (to: Target): Promise<{ readonly serviceUrl: string; readonly conversation: string }> => {
    const { conversation, serviceUrl } = references.find(to.to);
    return {
      serviceUrl,
      conversation: to.thread === undefined ? conversation : `${conversation};messageid=${to.thread}`,
    };
  };

  return {
    maxText: MAX_TEXT,
    webhook: webhook(
      { ...context, signal: live.signal },
      {
        path: webhookPath(given.webhookPath ?? given.webhook?.path, {
          usual: "/api/messages",
          accountId: context.accountId,
        }),
        async prove(request) {
          const token = bearerOf(request);
          if (token === undefined) return undefined;
          const now = context.clock.now();
          const proven = await verifyJwt(token, { keys, issuers: [ISSUER], audience: appId, now });
          // A key vouches for the networks that endorse it, and for no other.
          return proven?.key.endorsements?.includes("msteams") ? proven.claims : undefined;
        },
        async read(body, claims) {
          const activity = activityOf(body, { claims, tenantId, isService });
          const message = messageOf(activity, { appId, connector, log: context.log });
          if (!message) return [];
          // Before it is taken in: what is answered later must know where.
          await references.note(message.to.to, {
            serviceUrl: activity.serviceUrl,
            person: message.peer.kind === "direct" ? message.sender.id : undefined,
          });
          return [message];
        },
      },
    ),
    send: async (to, message, { signal }) => live.watch(connector.post(await place(to), message, signal)),
    edit: async (to, id, text) => live.watch(connector.put(await place(to), { id, text }, live.signal)),
    remove: async (to, id) => live.watch(connector.remove(await place(to), id, live.signal)),
    typing: async (to) => live.watch(connector.typing(await place(to), live.signal)),
    probe: (signal) => connector.whoami(signal),
    close: () => live.close(),
  };
}
