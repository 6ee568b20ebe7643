import { agentsOf, workspaceOf } from "../agent/roster.ts";
import type { App } from "../app.ts";
import type { Target } from "../channels/channel.ts";
import { Failure } from "../kit/error.ts";
import { uuid } from "../kit/ids.ts";
import { DEFAULT_ACCOUNT } from "../pairing/sender-place.ts";
import { folded } from "../session/route.ts";
import type { ToolChat, ToolChatAct, ToolChats, ToolUser } from "../tools/tool.ts";
import { act, configuredChannels, findChat, openChat, type Chat, type ChatAct } from "./chats.ts";
import { keepFiles } from "./reply-files.ts";
import { lastChat, type Reply } from "./reply.ts";

type Ground = Pick<
  App,
  "clock" | "config" | "host" | "paths" | "media" | "networks" | "outbox" | "senders" | "sessions" | "turns"
>;

/**
 * The chats that an agent may write to of its own accord: the one that it answers, those that have written to it and were
 * let in, and those that the configuration names. Whatever a model was talked into, nobody else hears from it (threat F).
 */
export function ownChats(app: Ground, user: ToolUser): ToolChats | undefined {
  if (configuredChannels(app).length === 0) return undefined;
  return {
    async act(where, asked, signal) {
      const current = currentChat(app, user);
      const chat = await named(app, where, current);
      if (!(await mayWrite(app, chat, current))) throw refusal(chat);
      const done = await actOf(app, user, asked, { chat, current });
      const { sessionKey } = user;
      const messageIds = await act(app, chat, { act: done, id: `tool:${uuid()}`, sessionKey, signal });
      return { channel: chat.to.channel, to: chat.to.target.to, messageIds };
    },
  };
}

/** The chat whose message the session answers now, or else the last that spoke there. */
function currentChat({ turns, sessions }: Ground, { sessionKey }: ToolUser): Reply | undefined {
  return turns.active(sessionKey)?.reply ?? lastChat(sessions.get(sessionKey) ?? {});
}

function named(app: Ground, { to, ...where }: ToolChat, current: Reply | undefined): Promise<Chat> {
  if (to !== undefined) return findChat(app, { ...where, to });
  if (!current) throw new Failure("invalid-request", "this conversation is in no chat network: name a chat with `to`");
  if (where.channel !== undefined && where.channel !== current.channel)
    throw new Failure("invalid-request", `name a chat of ${where.channel} with \`to\``);
  return openChat(app, current);
}

async function mayWrite(
  { sessions, senders }: Ground,
  { account, to }: Chat,
  current: Reply | undefined,
): Promise<boolean> {
  const { kind } = account;
  const same = (id: string): boolean => folded(id, kind) === folded(to.target.to, kind);
  const isHere = (place: { channel: string; accountId?: string | undefined; to: string }): boolean =>
    place.channel === to.channel && (place.accountId ?? DEFAULT_ACCOUNT) === to.accountId && same(place.to);
  if (current && isHere({ ...current, to: current.target.to })) return true;
  const { direct, groups } = account.policy();
  const rooms = Object.entries(groups.rooms).flatMap(([id, { enabled }]) => (enabled === false ? [] : [id]));
  const people = [...direct.allowFrom, ...(await senders.allowed(to.channel, to.accountId))];
  const named = (ids: readonly string[], find: (id: string) => Target): boolean =>
    ids.some((id) => id !== "*" && (same(id) || same(toOf(id, find))));
  if (named(rooms, (id) => kind.target(id))) return true;
  if (named(people, (id) => kind.person?.(id) ?? kind.target(id))) return true;
  const { rows } = sessions.list({ limit: MOST_SESSIONS });
  return rows.some(({ delivery }) => delivery !== undefined && isHere(delivery));
}

/** Conversations that are looked through, the newest first: there may be very many. */
const MOST_SESSIONS = 2000;

/** What an id of a list means as a recipient. */
function toOf(id: string, find: (id: string) => Target): string {
  try {
    return find(id).to;
  } catch {
    return id; // not everybody who may write is somebody who can be written to: then the id says all there is
  }
}

function refusal({ account: { kind }, to }: Chat): Failure {
  const where = `channels.${kind.id}`;
  return new Failure(
    "forbidden",
    `${to.target.to} of ${kind.label} has not written here: only chats that have, or that ${where}.allowFrom or ${where}.groups name, may be written to. Tell the person who asks to have it allowed there.`,
  );
}

async function actOf(
  app: Ground,
  { agentId }: ToolUser,
  { kind, text = "", files = [], replyTo, messageId, emoji }: ToolChatAct,
  { chat, current }: { readonly chat: Chat; readonly current: Reply | undefined },
): Promise<ChatAct> {
  if (kind === "send") {
    const { config, host, paths, media } = app;
    const { value } = config.current();
    const agent = agentsOf(value).find(({ id }) => id === agentId);
    if (!agent) throw new Failure("not-found", `the agent ${agentId} is not configured any more`);
    const kept = await keepFiles(files, {
      files: host.files,
      workspace: workspaceOf(agent, value, { host, paths }),
      closed: [paths.state, paths.config],
      media,
      maxBytes: value.agents.defaults.mediaMaxMb * 1024 * 1024,
    });
    const [problem] = kept.problems;
    if (problem !== undefined) throw new Failure("invalid-request", problem);
    return { kind, text, media: kept.media, quotes: replyTo };
  }
  const isHere = current?.channel === chat.to.channel && current.target.to === chat.to.target.to;
  const id = messageId ?? (kind === "react" && isHere ? current.replyTo : undefined);
  if (id === undefined) throw new Failure("invalid-request", `say which message to ${kind}, as messageId`);
  if (kind === "delete") return { kind, messageId: id };
  if (kind === "edit" && text.trim() === "") throw new Failure("invalid-request", "give the new text as `message`");
  if (kind === "edit") return { kind, messageId: id, text };
  if (emoji === undefined) throw new Failure("invalid-request", "give the reaction as `emoji`, empty to take it away");
  return { kind, messageId: id, emoji };
}
