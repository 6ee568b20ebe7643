import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import { parseJson } from "../kit/json.ts";
import type { Logger } from "../kit/log.ts";
import type { Attachment, Inbound } from "./channel.ts";
import { fitting } from "./channel-webhook.ts";
import type { GoogleChatApi } from "./googlechat-api.ts";

export interface Reading {
  readonly api: GoogleChatApi;
  /** Our own user where it is known; any app's name counts for ours before that, as Google tells us of our own alone. */
  readonly botUser: string | undefined;
  readonly log: Logger;
}

/** The message that an event brings; undefined for every other event. */
export function messageOf(body: string, { api, botUser, log }: Reading): Inbound | undefined {
  const event = v.safeParse(eventSchema, parseJson(body));
  if (!event.success) throw new Failure("invalid-request", "the body is no event of Google Chat");
  if (event.output.type !== "MESSAGE") return undefined;
  const [given] = fitting(messageEventSchema, [event.output], log);
  if (!given) return undefined;
  const { message } = given;
  const space = given.space ?? message.space;
  if (!space) return undefined;
  const { sender, thread } = message;
  const isDirect = space.spaceType === "DIRECT_MESSAGE" || (space.spaceType === undefined && space.type === "DM");
  const mentioned = (message.annotations ?? []).some(({ userMention }) => {
    const user = userMention?.user;
    return user !== undefined && user.type === "BOT" && (botUser === undefined || user.name === botUser);
  });
  const quoted = message.quotedMessageMetadata?.name;
  return {
    id: message.name,
    peer: {
      kind: isDirect ? "direct" : "group",
      id: space.name,
      name: isDirect ? sender.displayName : space.displayName,
    },
    sender: {
      id: sender.name,
      name: sender.displayName,
      aliases: [sender.name.replace("users/", "")],
      isBot: sender.type === "BOT",
      isSelf: sender.name === botUser,
    },
    text: (mentioned ? message.argumentText : message.text)?.trim() ?? "",
    attachments: attachmentsOf(message.attachment ?? [], api),
    mentioned,
    command: message.slashCommand !== undefined,
    ...(quoted === undefined ? {} : { quoted: { id: quoted } }),
    to: { to: space.name, thread: isDirect ? undefined : thread?.name },
    at: Date.parse(message.createTime),
  };
}

function attachmentsOf(given: readonly GivenAttachment[], api: GoogleChatApi): readonly Attachment[] {
  return given.flatMap(({ contentName: fileName, contentType: mimeType, attachmentDataRef }) => {
    const resource = attachmentDataRef?.resourceName;
    // A file of Google Drive has none: it is its owner's to share.
    if (resource === undefined) return [];
    const kind = /^(image|audio|video)\//.exec(mimeType ?? "")?.[1] ?? "file";
    const load: Attachment["load"] = (options) => api.load(resource, options);
    return [
      { kind: kind === "image" || kind === "audio" || kind === "video" ? kind : "file", mimeType, fileName, load },
    ];
  });
}

const eventSchema = v.looseObject({ type: v.string() });

const spaceSchema = v.looseObject({
  name: v.pipe(v.string(), v.regex(/^spaces\/[\w-]{1,128}$/)),
  type: v.optional(v.string()),
  spaceType: v.optional(v.string()),
  displayName: v.optional(v.string()),
});

const attachmentSchema = v.looseObject({
  contentName: v.optional(v.string()),
  contentType: v.optional(v.string()),
  attachmentDataRef: v.optional(v.looseObject({ resourceName: v.optional(v.string()) })),
});

type GivenAttachment = v.InferOutput<typeof attachmentSchema>;

const messageEventSchema = v.looseObject({
  space: v.optional(spaceSchema),
  message: v.looseObject({
    name: v.pipe(v.string(), v.regex(/^spaces\/[\w-]+\/messages\/[\w.=-]{1,256}$/)),
    sender: v.looseObject({
      name: v.pipe(v.string(), v.regex(/^users\/[\w-]{1,128}$/)),
      displayName: v.optional(v.string()),
      type: v.optional(v.string()),
    }),
    createTime: v.pipe(v.string(), v.isoTimestamp()),
    text: v.optional(v.string()),
    argumentText: v.optional(v.string()),
    thread: v.optional(v.looseObject({ name: v.pipe(v.string(), v.regex(/^spaces\/[\w-]+\/threads\/[\w-]{1,256}$/)) })),
    space: v.optional(spaceSchema),
    slashCommand: v.optional(v.unknown()),
    quotedMessageMetadata: v.optional(v.looseObject({ name: v.optional(v.string()) })),
    annotations: v.optional(
      v.array(
        v.looseObject({
          userMention: v.optional(
            v.looseObject({ user: v.optional(v.looseObject({ name: v.string(), type: v.optional(v.string()) })) }),
          ),
        }),
      ),
    ),
    attachment: v.optional(v.array(attachmentSchema)),
  }),
});
