import type { Attachment, Inbound } from "./channel.ts";
import type { SlackDirectory } from "./slack-directory.ts";
import type { SlackFile, SlackNews, SlackSelf } from "./slack-event.ts";
import { fromMrkdwn, mentionedIn } from "./slack-inbound-mrkdwn.ts";
import type { SlackWeb } from "./slack-web.ts";

/** A message as the gateway takes it in: with names for people where they are to be had, and without ours. */
export async function inboundOf(
  news: SlackNews & { readonly chat: Inbound["peer"]["kind"] },
  { self, directory, web }: { self: SlackSelf; directory: SlackDirectory; web: SlackWeb },
): Promise<Inbound> {
  const { id, channel: place, chat, user, isBot, thread, parentUser, team, files, command, at } = news;
  const mentioned = mentionedIn(news.text);
  const names = await directory.names([user, ...mentioned.filter((each) => each !== self.userId && each !== user)]);
  const ours = new RegExp(`<@${self.userId}(?:\\|[^<>]*)?>\\s?`, "g");
  return {
    id,
    peer: chat === "direct" ? { kind: "direct", id: user, name: names.get(user) } : { kind: chat, id: place },
    ...(thread === undefined || chat === "direct" ? {} : { thread: { kind: "thread" as const, id: thread } }),
    teamId: team,
    sender: { id: user, name: names.get(user), isBot },
    text: fromMrkdwn(news.text.replaceAll(ours, ""), (each) => names.get(each)).trim(),
    attachments: files.flatMap((file) => attachmentOf(file, web)),
    mentioned: mentioned.includes(self.userId) || parentUser === self.userId,
    command,
    to: { to: place, ...(thread === undefined ? {} : { thread }) },
    at,
  };
}

function attachmentOf(file: SlackFile, web: SlackWeb): readonly Attachment[] {
  const url = file.url_private_download ?? file.url_private;
  // Of files that were deleted, or are hidden by the plan's limits, only a trace is left.
  if (url === undefined || file.mode === "tombstone" || file.mode === "hidden_by_limit") return [];
  const { mimetype: mimeType, name, size } = file;
  const family = mimeType?.split("/")[0];
  const kind = family === "image" || family === "audio" || family === "video" ? family : "file";
  return [{ kind, mimeType, fileName: name ?? undefined, size, load: (options) => web.fetch(url, options) }];
}
