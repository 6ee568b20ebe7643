import type { Inbound } from "../channels/channel.ts";
import type { ConfigStore } from "../config/config.ts";
import type { Route } from "../session/route.ts";
import type { SessionRow, Sessions } from "../session/sessions.ts";
import { mainKeyOf } from "./address.ts";
import type { Source } from "./intake.ts";
import { nameOf } from "./intake-words.ts";

/** Makes the session of a message where there is none, and notes which chat it is: for lists, and for who has something to say later. */
export async function noteSession(
  { config, sessions }: { readonly config: ConfigStore; readonly sessions: Sessions },
  { source, message, route }: { readonly source: Source; readonly message: Inbound; readonly route: Route },
): Promise<void> {
  const { sessionKey, agentId, kind, chatType } = route;
  const { channel, accountId } = source;
  const { to, thread: threadId } = message.to;
  const name = chatType === "direct" ? message.sender.name : message.peer.name;
  const isShared = kind === "global" || sessionKey === mainKeyOf({ config }, agentId).toLowerCase();
  const facts: Facts = {
    channel,
    accountId,
    delivery: { channel, to, accountId, ...(threadId === undefined ? {} : { threadId }) },
    ...(kind === "global" ? {} : { chatType }),
    ...(isShared || name === undefined ? {} : { displayName: nameOf(name, message.peer.id) }),
  };
  const row = await sessions.ensure(sessionKey, { agentId, createdVia: "channel", ...facts });
  if (JSON.stringify({ ...factsOf(row), ...facts }) !== JSON.stringify(factsOf(row)))
    sessions.note(sessionKey, facts, "channel");
}

type Facts = Pick<SessionRow, "channel" | "accountId" | "delivery" | "chatType" | "displayName">;

function factsOf({ channel, accountId, delivery, chatType, displayName }: SessionRow): Facts {
  return { channel, accountId, delivery, chatType, displayName };
}
