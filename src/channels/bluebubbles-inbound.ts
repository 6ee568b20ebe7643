import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import { parseJson } from "../kit/json.ts";
import type { Logger } from "../kit/log.ts";
import type { Attachment, Inbound } from "./channel.ts";
import { fitting } from "./channel-webhook.ts";
import type { BlueBubblesApi } from "./bluebubbles-api.ts";

export interface Reading {
  readonly api: BlueBubblesApi;
  /** Whether a message is one that we sent. */
  readonly isOurs: (guid: string) => boolean;
  readonly log: Logger;
}

/** The message that an event brings; undefined for tapbacks, what the Mac's owner wrote, and every other event. */
export function messageOf(body: string, { api, isOurs, log }: Reading): Inbound | undefined {
  const event = v.safeParse(eventSchema, parseJson(body));
  if (!event.success) throw new Failure("invalid-request", "the body is no event of BlueBubbles");
  if (event.output.type !== "new-message") return undefined;
  const [message] = fitting(messageSchema, [event.output.data], log);
  if (!message || message.isFromMe || message.associatedMessageGuid != null || message.itemType) return undefined;
  const [chat] = message.chats;
  const address = message.handle?.address;
  if (!chat || address === undefined) return undefined;
  // `;+;` is a group, `;-;` one person, whatever the service.
  const isGroup = chat.guid.includes(";+;");
  const quoted = message.threadOriginatorGuid ?? undefined;
  return {
    id: message.guid,
    peer: {
      kind: isGroup ? "group" : "direct",
      id: isGroup ? chat.guid : address,
      name: chat.displayName || undefined,
    },
    sender: { id: address, aliases: isGroup ? [] : [chat.guid, `chat_guid:${chat.guid}`] },
    // Where a file stood in the text Messages leaves a mark.
    text: (message.text ?? "").replaceAll("\ufffc", "").trim(),
    attachments: (message.attachments ?? []).map((file): Attachment => {
      const kind = /^(image|audio|video)\//.exec(file.mimeType ?? "")?.[1];
      return {
        kind: kind === "image" || kind === "audio" || kind === "video" ? kind : "file",
        mimeType: file.mimeType ?? undefined,
        fileName: file.transferName ?? undefined,
        size: file.totalBytes ?? undefined,
        load: (options) => api.load(file.guid, options),
      };
    }),
    mentioned: quoted !== undefined && isOurs(quoted),
    ...(quoted === undefined ? {} : { quoted: { id: quoted } }),
    to: { to: chat.guid },
    at: message.dateCreated,
  };
}

const eventSchema = v.looseObject({ type: v.string(), data: v.optional(v.unknown()) });

const guid = v.pipe(v.string(), v.minLength(1), v.maxLength(256));

const messageSchema = v.looseObject({
  guid,
  text: v.nullish(v.string()),
  handle: v.nullish(v.looseObject({ address: v.pipe(v.string(), v.minLength(1), v.maxLength(256)) })),
  chats: v.optional(v.array(v.looseObject({ guid, displayName: v.nullish(v.string()) })), []),
  attachments: v.nullish(
    v.array(
      v.looseObject({
        guid,
        mimeType: v.nullish(v.string()),
        transferName: v.nullish(v.string()),
        totalBytes: v.nullish(v.number()),
      }),
    ),
  ),
  isFromMe: v.boolean(),
  dateCreated: v.number(),
  associatedMessageGuid: v.nullish(v.string()),
  threadOriginatorGuid: v.nullish(guid),
  /** Other than 0: somebody joined, left, or named the group. */
  itemType: v.nullish(v.number()),
});
