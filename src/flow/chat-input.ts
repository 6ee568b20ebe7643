import type { App } from "../app.ts";
import { Failure } from "../kit/error.ts";
import type { Devices } from "../pairing/devices.ts";
import type { Caller } from "../protocol/caller.ts";
import { intersect } from "../protocol/scope.ts";
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
export function originOf({ client, deviceId, scopes, local }: Caller): TurnOrigin {
  const origin = { channel: "webchat", sender: deviceId ?? client.id, scopes: [...scopes] };
  // A helper of this machine proves a key without being paired: it has nothing that could be taken from it later.
  const isHelper = local && client.id === "gateway-client" && client.mode === "backend";
  return deviceId === undefined || isHelper ? origin : { ...origin, deviceId };
}

/** What a sender may do now: what it might when it wrote, less what its device has lost since (threat E). */
export function scopesNow(devices: Pick<Devices, "get">, { deviceId, scopes }: TurnOrigin): readonly string[] {
  if (deviceId === undefined) return scopes;
  const tokens = devices.get(deviceId)?.tokens ?? [];
  const token = tokens.find(({ role, revokedAtMs }) => role === "operator" && revokedAtMs === undefined);
  return intersect(scopes, token?.scopes ?? []);
}
