import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import { parseJson, type JsonObject } from "../kit/json.ts";
import type { Logger } from "../kit/log.ts";
import type { Attachment, Inbound } from "./channel.ts";
import { fitting } from "./channel-webhook.ts";
import type { Connector } from "./msteams-connector.ts";

/** Whose activities are believed. */
export interface Trust {
  /** What the token of the request says. */
  readonly claims: JsonObject;
  readonly tenantId: string | undefined;
  /** Whether an address is one of Microsoft's services for bots. */
  readonly isService: (url: string) => boolean;
}

/**
 * What the Bot Framework tells, from the service that the token speaks for. Throws `invalid-request` for what is no
 * activity, `forbidden` for one of another service or tenant than it may be.
 */
export function activityOf(body: string, { claims, tenantId, isService }: Trust): Activity {
  const parsed = v.safeParse(activitySchema, parseJson(body));
  if (!parsed.success) throw new Failure("invalid-request", "the body is no activity of Microsoft Teams");
  const { serviceUrl, conversation, channelData } = parsed.output;
  const claimed = claims["serviceurl"] ?? claims["serviceUrl"];
  if (claimed !== serviceUrl || !isService(serviceUrl))
    throw new Failure("forbidden", "the activity names another service than its token");
  const tenant = channelData?.tenant?.id ?? conversation?.tenantId;
  if (tenantId !== undefined && tenant !== tenantId)
    throw new Failure("forbidden", "the activity is of another tenant than channels.msteams.tenantId");
  return parsed.output;
}

export interface Reading {
  readonly appId: string;
  readonly connector: Connector;
  readonly log: Logger;
}

/** The message of an activity; undefined for every other. */
export function messageOf(activity: Activity, { appId, connector, log }: Reading): Inbound | undefined {
  if (activity.type !== "message") return undefined;
  const [given] = fitting(messageSchema, [activity], log);
  if (!given) return undefined;
  const { from, recipient, conversation, channelData } = given;
  const [conversationId = "", thread] = conversation.id.split(";messageid=");
  const kind = kindOf(conversation.conversationType);
  const person = from.aadObjectId?.toLowerCase() ?? from.id;
  const ours = (id: string): boolean => id === recipient.id || id === `28:${appId}`;
  const mentions = (given.entities ?? []).filter(({ type }) => type === "mention");
  const isReplyToThread = kind === "channel" && thread !== undefined && thread !== given.id;
  return {
    id: given.id,
    peer: {
      kind,
      id: kind === "direct" ? person : conversationId,
      name: kind === "direct" ? from.name : (channelData?.channel?.name ?? conversation.name),
    },
    ...(isReplyToThread ? { thread: { kind: "thread" as const, id: thread } } : {}),
    teamId: channelData?.team?.id,
    sender: {
      id: person,
      name: from.name,
      aliases: [from.id],
      isBot: from.id.startsWith("28:"),
      isSelf: ours(from.id),
    },
    text: plainText(
      given.text ?? "",
      mentions.filter(({ mentioned }) => mentioned && ours(mentioned.id)),
    ),
    attachments: attachmentsOf(given.attachments ?? [], connector),
    mentioned: mentions.some(({ mentioned }) => mentioned !== undefined && ours(mentioned.id)),
    ...(given.replyToId === undefined ? {} : { quoted: { id: given.replyToId } }),
    to: { to: conversationId, thread: kind === "channel" ? thread : undefined },
    at: Date.parse(given.timestamp),
  };
}

function kindOf(conversationType: string | undefined): Inbound["peer"]["kind"] {
  if (conversationType === "personal") return "direct";
  return conversationType === "channel" ? "channel" : "group";
}

/** Our own name is how we were called, no part of what was said; other names stay, without their tags. */
function plainText(text: string, ours: readonly { readonly text?: string | undefined }[]): string {
  const said = ours.reduce((rest, { text: called }) => (called ? rest.replaceAll(called, " ") : rest), text);
  return said
    .replaceAll(/<at[^>]*>([^<]*)<\/at>/g, "@$1")
    .replaceAll(/&(nbsp|lt|gt|quot|#39|amp);/g, (_, name: string) => entities[name] ?? "")
    .replaceAll(/[ \t\u00a0]+/g, " ")
    .trim();
}

const entities: Readonly<Record<string, string>> = { nbsp: " ", lt: "<", gt: ">", quot: '"', "#39": "'", amp: "&" };

function attachmentsOf(given: readonly GivenAttachment[], connector: Connector): readonly Attachment[] {
  return given.flatMap(({ contentType, contentUrl, name: fileName, content }) => {
    const isFile = contentType === "application/vnd.microsoft.teams.file.download.info";
    const url = isFile ? content?.downloadUrl : contentUrl;
    if (url === undefined || !(isFile || contentType.startsWith("image/"))) return [];
    const load: Attachment["load"] = (options) => connector.load(url, options);
    // Pictures come as `image/*`: what they are is seen by their bytes.
    const mimeType = isFile || contentType === "image/*" ? undefined : contentType;
    return [{ kind: isFile ? ("file" as const) : ("image" as const), mimeType, fileName, load }];
  });
}

const id = v.pipe(v.string(), v.minLength(1), v.maxLength(512));

const activitySchema = v.looseObject({
  type: v.string(),
  channelId: v.literal("msteams"),
  serviceUrl: v.pipe(v.string(), v.maxLength(512)),
  conversation: v.optional(v.looseObject({ tenantId: v.optional(v.string()) })),
  channelData: v.optional(v.looseObject({ tenant: v.optional(v.looseObject({ id: v.optional(v.string()) })) })),
});

export type Activity = v.InferOutput<typeof activitySchema>;

const attachmentSchema = v.looseObject({
  contentType: v.string(),
  contentUrl: v.optional(v.string()),
  name: v.optional(v.string()),
  content: v.optional(
    v.union([
      v.looseObject({ downloadUrl: v.optional(v.string()) }),
      v.pipe(
        v.string(),
        v.transform(() => undefined),
      ),
    ]),
  ),
});

type GivenAttachment = v.InferOutput<typeof attachmentSchema>;

const messageSchema = v.looseObject({
  id,
  timestamp: v.pipe(v.string(), v.isoTimestamp()),
  from: v.looseObject({ id, name: v.optional(v.string()), aadObjectId: v.optional(v.pipe(v.string(), v.uuid())) }),
  recipient: v.looseObject({ id }),
  conversation: v.looseObject({ id, conversationType: v.optional(v.string()), name: v.optional(v.string()) }),
  text: v.optional(v.string()),
  replyToId: v.optional(id),
  entities: v.optional(
    v.array(
      v.looseObject({
        type: v.optional(v.string()),
        text: v.optional(v.string()),
        mentioned: v.optional(v.looseObject({ id: v.string() })),
      }),
    ),
  ),
  attachments: v.optional(v.array(attachmentSchema)),
  channelData: v.optional(
    v.looseObject({
      team: v.optional(v.looseObject({ id: v.optional(v.string()) })),
      channel: v.optional(v.looseObject({ name: v.optional(v.string()) })),
    }),
  ),
});
