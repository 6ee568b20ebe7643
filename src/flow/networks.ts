import type { Channel, ChannelKind, ConnectionState, Webhook } from "../channels/channel.ts";

/** The chat networks that run: each account is opened, watched, opened again, and closed by itself. */
export interface Networks {
  /** Every account that is configured, in the order of the configuration. */
  accounts(): readonly AccountStatus[];
  /** Throws `invalid-request` for a network that there is not, `unavailable` for an account that is not open. */
  open(channel: string, accountId?: string): Promise<OpenAccount>;
  /** Opens what is configured and not stopped; resolves at once: how it goes is in `accounts`. */
  start(): void;
  /** Opens or closes one account until the gateway ends, whatever the configuration says of `enabled`. */
  startAccount(channel: string, accountId?: string): Promise<AccountStatus>;
  stopAccount(channel: string, accountId?: string): Promise<AccountStatus>;
  /** Takes up the configuration as it is now: accounts whose settings changed are opened anew, the others go on. */
  refresh(): Promise<void>;
  /** The account that has this path on the gateway's port. */
  webhook(path: string): Webhook | undefined;
  close(): Promise<void>;
}

export interface OpenAccount {
  readonly kind: ChannelKind;
  readonly accountId: string;
  readonly channel: Channel;
  /** As the network allows and `textChunkLimit` says. */
  readonly maxText: number;
  readonly replyToMode: "off" | "first" | "all";
}

export interface AccountStatus {
  readonly channel: string;
  readonly label: string;
  readonly accountId: string;
  readonly name?: string | undefined;
  readonly enabled: boolean;
  /** It has what it signs in with. */
  readonly configured: boolean;
  readonly running: boolean;
  readonly connection: ConnectionState | undefined;
  readonly lastError?: string | undefined;
  readonly lastStartAt?: number | undefined;
  readonly lastInboundAt?: number | undefined;
  readonly lastOutboundAt?: number | undefined;
}
