import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import { parseJson } from "../kit/json.ts";
import type { Logger } from "../kit/log.ts";
import type { Attachment, Inbound } from "./channel.ts";
import { fitting } from "./channel-webhook.ts";
import type { LineApi } from "./line-api.ts";

/** The messages of a body that are for us; what else happened is nothing to answer. */
export function eventsOf(body: string, log: Logger): readonly LineEvent[] {
  const parsed = v.safeParse(bodySchema, parseJson(body));
  if (!parsed.success) throw new Failure("invalid-request", "the body is no notice of LINE");
  // In standby another program answers (LINE's modules).
  const ours = parsed.output.events.filter(({ type, mode }) => type === "message" && mode !== "standby");
  return fitting(eventSchema, ours, log);
}

export interface Looking {
  readonly api: LineApi;
  /** Whether a message is one that we sent. */
  readonly isOurs: (message: string) => boolean;
  readonly signal: AbortSignal;
}

export async function inboundOf(event: LineEvent, { api, isOurs, signal }: Looking): Promise<Inbound> {
  const { message, source, timestamp } = event;
  const { userId, groupId, roomId } = source;
  const chat = groupId ?? roomId ?? userId;
  const place =
    groupId !== undefined ? `group/${groupId}/member` : roomId !== undefined ? `room/${roomId}/member` : "profile";
  const [name, chatName] = await Promise.all([
    api.name(`${place}/${userId}`, "displayName", signal),
    groupId === undefined ? undefined : api.name(`group/${groupId}/summary`, "groupName", signal),
  ]);
  const quoted = message.quotedMessageId;
  const isNamed = (message.mention?.mentionees ?? []).some(({ isSelf }) => isSelf === true);
  return {
    id: message.id,
    peer: { kind: chat === userId ? "direct" : "group", id: chat, name: chat === userId ? name : chatName },
    sender: { id: userId, name },
    text: textOf(message),
    attachments: attachmentsOf(message, api),
    mentioned: isNamed || (quoted !== undefined && isOurs(quoted)),
    ...(quoted === undefined ? {} : { quoted: { id: quoted } }),
    to: { to: chat },
    at: timestamp,
  };
}

function textOf({ type, text, title, address, latitude, longitude, keywords }: Message): string {
  if (type === "location")
    return `[location] ${[title, address, `${latitude}, ${longitude}`].filter((part) => part !== undefined).join(", ")}`;
  if (type === "sticker") return `[sticker] ${text ?? keywords?.join(", ") ?? ""}`.trim();
  return text ?? "";
}

function attachmentsOf(
  { id, type, fileName, fileSize, contentProvider }: Message,
  api: LineApi,
): readonly Attachment[] {
  // What lies elsewhere is at an address that a person chose: we do not go there (threat N).
  if (contentProvider !== undefined && contentProvider.type !== "line") return [];
  if (type !== "image" && type !== "video" && type !== "audio" && type !== "file") return [];
  return [{ kind: type, fileName, size: fileSize, load: (options) => api.content(id, options) }];
}

const id = v.pipe(v.string(), v.minLength(1), v.maxLength(128), v.regex(/^[\w-]+$/));

const messageSchema = v.looseObject({
  id,
  type: v.string(),
  text: v.optional(v.string()),
  quoteToken: v.optional(v.string()),
  quotedMessageId: v.optional(id),
  mention: v.optional(v.looseObject({ mentionees: v.array(v.looseObject({ isSelf: v.optional(v.boolean()) })) })),
  fileName: v.optional(v.string()),
  fileSize: v.optional(v.number()),
  contentProvider: v.optional(v.looseObject({ type: v.string() })),
  title: v.optional(v.string()),
  address: v.optional(v.string()),
  latitude: v.optional(v.number()),
  longitude: v.optional(v.number()),
  keywords: v.optional(v.array(v.string())),
});

type Message = v.InferOutput<typeof messageSchema>;

const eventSchema = v.looseObject({
  timestamp: v.number(),
  // Without the person who wrote it nobody knows whether they may.
  source: v.looseObject({ userId: id, groupId: v.optional(id), roomId: v.optional(id) }),
  message: messageSchema,
});

export type LineEvent = v.InferOutput<typeof eventSchema>;

const bodySchema = v.looseObject({
  events: v.array(v.looseObject({ type: v.string(), mode: v.optional(v.string()) })),
});
