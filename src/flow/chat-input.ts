import type { App } from "../app.ts";
import { Failure } from "../kit/error.ts";
import type { Caller } from "../protocol/caller.ts";
import type { QueueMode } from "../session/sessions.ts";
import { addressOfAgent, type Address } from "./address.ts";
import { contentOf, type Attachment } from "./content.ts";
import { thinkingOf } from "./session-patch.ts";
import type { Accepted, TurnOrigin } from "./turns.ts";

/** A message from somebody who is connected, before it is checked. */
export interface ChatInput {
  readonly sessionKey: string;
  readonly agentId?: string | undefined;
  readonly message: string;
  readonly attachments?: readonly Attachment[] | undefined;
  readonly runId: string;
  /** Slash commands in it are obeyed. */
  readonly commands: boolean;
  readonly thinking?: string | undefined;
  readonly queueMode?: QueueMode | undefined;
  readonly timeoutMs?: number | undefined;
}

/** Takes a message of a connected client: resolves when it is on the disk, and what it carries with it. */
export async function acceptChat(app: App, caller: Caller, input: ChatInput): Promise<Accepted & Address> {
  const { runId, commands, queueMode, timeoutMs } = input;
  const address = addressOfAgent(app, input.sessionKey, input.agentId);
  const thinking = thinkingOf(input.thinking);
  const content = await contentOf(app, input.message, input.attachments);
  if (content.length === 0) throw new Failure("invalid-request", "message or attachment required");
  const accepted = await app.turns.accept({
    runId,
    sessionKey: address.key,
    agentId: address.agentId,
    content,
    commands,
    origin: originOf(caller),
    queueMode,
    thinking,
    timeoutMs: timeoutMs === 0 ? undefined : timeoutMs,
  });
  return { ...accepted, ...address };
}

/** Who a connected client is for commands and for the conversation: what it proved, not what it says of itself. */
export function originOf({ client, deviceId, scopes }: Caller): TurnOrigin {
  return { channel: "webchat", sender: deviceId ?? client.id, scopes: [...scopes] };
}
