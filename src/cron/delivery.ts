import type { Reply } from "../flow/reply.ts";
import { DEFAULT_ACCOUNT } from "../pairing/sender-place.ts";
import type { SessionRow } from "../session/sessions.ts";
import type { Delivery } from "./job.ts";

/** The chat that a delivery means: the one that is named, or the last that a session spoke with; undefined for none. */
export function replyOf(
  { channel = "last", to, accountId, threadId }: Pick<Delivery, "channel" | "to" | "accountId" | "threadId">,
  row: Pick<SessionRow, "delivery"> | undefined,
): Reply | undefined {
  const last = row?.delivery;
  if (channel !== "last" && to !== undefined) return chat({ channel, to, accountId, threadId });
  if (!last || (channel !== "last" && channel !== last.channel) || last.channel === "webchat") return undefined;
  return chat(last);
}

interface Chat {
  readonly channel: string;
  readonly to: string;
  readonly accountId?: string | undefined;
  readonly threadId?: string | number | undefined;
}

function chat({ channel, to, accountId = DEFAULT_ACCOUNT, threadId }: Chat): Reply {
  return { channel, accountId, target: { to, ...(threadId === undefined ? {} : { thread: String(threadId) }) } };
}
