import type { Sent } from "../channels/channel.ts";
import type { Reply } from "./reply.ts";

/**
 * Messages on their way out. What is planned is on the disk until the network has taken it or never will: it goes on
 * after a crash where it was.
 */
export interface Outbox {
  /** Resolves when it is on the disk. The same `id` again changes nothing. */
  plan(delivery: Delivery): Promise<void>;
  /** Resolves when all of it was sent; rejects when it was given up, or with `timeout` when the signal is faster. */
  sent(id: string, signal: AbortSignal): Promise<readonly Sent[]>;
  /** An account is open again: what waits for it is tried now. */
  ready(channel: string, accountId: string): void;
  /** Deliveries that have not ended. */
  readonly waiting: number;
  close(): Promise<void>;
}

export interface Delivery {
  readonly id: string;
  readonly to: Reply;
  /** Markdown of any length. */
  readonly text: string;
  /** Keys of stored media (`App.media`) that go with it. */
  readonly media?: readonly string[] | undefined;
  /** The session that it is said in, for what is told of it. */
  readonly sessionKey?: string | undefined;
}
