import type { Inbound, Target } from "../channels/channel.ts";
import type { Policy } from "../channels/channel-policy.ts";

/** The way of a message of a chat network to its session: whether it counts, whose it is, and into the journal. */
export interface Intake {
  /** Resolves when the message is on the disk, or when nothing is to be done with it; `ChannelContext.receive` is this. */
  receive(from: Source, message: Inbound): Promise<void>;
}

/** The account that a message came by. */
export interface Source {
  readonly channel: string;
  readonly label: string;
  readonly accountId: string;
  readonly ignoreCase: boolean;
  readonly policy: Policy;
  readonly mediaMaxBytes: number;
  /** Sends a few words of the gateway's own, such as a pairing code. Rejects as `Channel.send` does. */
  say(to: Target, text: string, key: string): Promise<void>;
  /** Shows that the message was seen; absent where the network cannot. */
  react?(to: Target, id: string, emoji: string): Promise<void>;
  readonly signal: AbortSignal;
}
