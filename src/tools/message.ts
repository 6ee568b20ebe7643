import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import { parameters, tool } from "./tool.ts";

const word = v.optional(v.pipe(v.string(), v.maxLength(200)));

/** Writes to chats beside the answer of a run. */
export const message = tool({
  name: "message",
  summary: "Send, edit or delete a message in a chat, or react to one",
  description:
    "Writes to a chat network. Without `to` it is the chat that you answer now, which your answer goes to anyway: when you have sent all there is to say, answer NO_REPLY. Other chats must have written to you before, or be allowed by the owner's configuration.",
  effect: "write",
  needs: "chats",
  params: parameters(
    {
      action: v.pipe(v.picklist(["send", "edit", "delete", "react"]), v.description("What to do.")),
      message: v.pipe(
        v.optional(v.pipe(v.string(), v.maxLength(100_000))),
        v.description("Markdown, to send or edit."),
      ),
      channel: v.pipe(word, v.description("The network, such as telegram.")),
      to: v.pipe(word, v.description("The recipient as the network writes it.")),
      threadId: v.pipe(word, v.description("A thread or topic there.")),
      accountId: v.pipe(word, v.description("Which of our accounts, where there are several.")),
      media: v.pipe(
        v.optional(v.pipe(v.array(v.string()), v.maxLength(10))),
        v.description("Paths of files of the workspace to send."),
      ),
      replyTo: v.pipe(word, v.description("Id of the message that it answers.")),
      messageId: v.pipe(word, v.description("The message to edit, delete or react to.")),
      emoji: v.pipe(word, v.description("The reaction; empty takes ours away.")),
    },
    { text: "message", content: "message", target: "to", message_id: "messageId", reply_to: "replyTo" },
  ),
  async run({ action: kind, message: text, media: files, channel, to, threadId, accountId, ...rest }, context) {
    if (!context.chats) throw new Failure("unavailable", "no chat network is set up: answer in this conversation");
    const act = { kind, text, files, ...rest };
    const done = await context.chats.act({ channel, to, threadId, accountId }, act, context.signal);
    const ids = done.messageIds.join(", ");
    const said = { send: "Sent", edit: "Changed", delete: "Deleted", react: "Reacted" }[kind];
    return {
      content: [
        { type: "text", text: `${said} in ${done.channel}, ${done.to}${ids === "" ? "" : ` (message ${ids})`}.` },
      ],
      details: done,
    };
  },
});
