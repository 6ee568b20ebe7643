import * as v from "valibot";
import type { App } from "../app.ts";
import { act, findChat, type ChatAct } from "../flow/chats.ts";
import { keyParam, runIdParam, textParam } from "../flow/params.ts";
import { keepSentFile } from "../flow/sent-file.ts";
import { Failure } from "../kit/error.ts";
import { method } from "./method.ts";

const optionalText = v.optional(v.string());
const messageParam = v.pipe(v.optional(v.string(), ""), v.description("Markdown of any length."));

/** What an action takes, in the words of clients and of models. */
const actionParams = v.pipe(
  v.looseObject({
    to: optionalText,
    target: optionalText,
    threadId: optionalText,
    message: optionalText,
    text: optionalText,
    media: optionalText,
    mediaUrl: optionalText,
    buffer: optionalText,
    filename: optionalText,
    contentType: optionalText,
    replyTo: optionalText,
    messageId: optionalText,
    emoji: optionalText,
    remove: v.optional(v.boolean()),
  }),
  v.description("The chat as `to`, and what the action takes: `message`, `messageId`, `emoji`."),
);
type ActionParams = v.InferOutput<typeof actionParams>;

export const sendMethods = [
  method({
    name: "send",
    scope: "operator.write",
    idempotency: "required",
    summary: "Sends a message to a chat; answers when the network has taken it.",
    params: () =>
      v.object({
        to: v.pipe(textParam, v.description("The recipient as the network writes it, such as -100123:topic:42.")),
        message: messageParam,
        mediaUrl: v.pipe(optionalText, v.description("A file, as a data: URL.")),
        buffer: v.pipe(optionalText, v.description("A file, as base64.")),
        filename: optionalText,
        contentType: optionalText,
        channel: v.pipe(optionalText, v.description("The network; may be left out where one is set up.")),
        accountId: optionalText,
        replyToId: v.pipe(optionalText, v.description("The message that it answers.")),
        threadId: optionalText,
        sessionKey: v.optional(keyParam),
        idempotencyKey: runIdParam,
      }),
    result: () => v.object({ runId: v.string(), messageId: v.string(), channel: v.string() }),
    async run({ app, params, signal }) {
      const { idempotencyKey: runId, message, replyToId, ...rest } = params;
      if (message.trim() === "" && rest.mediaUrl === undefined && rest.buffer === undefined)
        throw new Failure("invalid-request", "invalid send params: text or media is required");
      const chat = await findChat(app, rest);
      const media = await keepSentFile(app, rest);
      const said = { kind: "send", text: message, media, quotes: replyToId } as const;
      const [messageId = ""] = await act(app, chat, { act: said, id: `send:${runId}`, signal });
      return { runId, messageId, channel: chat.to.channel };
    },
  }),
  method({
    name: "message.action",
    scope: "operator.write",
    idempotency: "required",
    summary: "Sends, edits or deletes a message of a chat, or reacts to one; answers when the network has done it.",
    params: () =>
      v.object({
        channel: textParam,
        action: v.pipe(textParam, v.description("send, edit, delete or react; not every network can do each.")),
        params: actionParams,
        accountId: optionalText,
        idempotencyKey: runIdParam,
      }),
    result: () =>
      v.object({
        ok: v.literal(true),
        channel: v.string(),
        action: v.string(),
        to: v.string(),
        messageId: v.string(),
        messageIds: v.pipe(v.array(v.string()), v.description("Of all parts that a long message was sent in.")),
      }),
    async run({ app, params, signal }) {
      const { channel, action, accountId, idempotencyKey } = params;
      const { to, target = to, threadId } = params.params;
      const chat = await findChat(app, { channel, accountId, threadId, to: needed(target, "to") });
      const asked = await actOf(app, action, params.params);
      const messageIds = await act(app, chat, { act: asked, id: `send:${idempotencyKey}`, signal });
      const [messageId = ""] = messageIds;
      return {
        ok: true as const,
        channel: chat.to.channel,
        action,
        to: chat.to.target.to,
        messageId,
        messageIds: [...messageIds],
      };
    },
  }),
] as const;

async function actOf(app: App, action: string, params: ActionParams): Promise<ChatAct> {
  const { text, message = text, messageId, emoji, remove, replyTo, media, mediaUrl = media } = params;
  switch (action.trim().toLowerCase()) {
    case "send": {
      const files = await keepSentFile(app, { ...params, mediaUrl });
      return { kind: "send", text: message ?? "", media: files, quotes: replyTo };
    }
    case "edit":
      return { kind: "edit", messageId: needed(messageId, "messageId"), text: needed(message, "message") };
    case "delete":
      return { kind: "delete", messageId: needed(messageId, "messageId") };
    case "react":
      return {
        kind: "react",
        messageId: needed(messageId, "messageId"),
        emoji: remove === true ? "" : needed(emoji, "emoji"),
      };
    default:
      throw new Failure(
        "invalid-request",
        `unsupported action: ${JSON.stringify(action.slice(0, 80))}; there are send, edit, delete and react`,
      );
  }
}

function needed(value: string | undefined, name: string): string {
  if (value !== undefined && value.trim() !== "") return value;
  throw new Failure("invalid-request", `invalid message.action params: params.${name} is required`);
}
