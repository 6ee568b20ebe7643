import type { ChannelKind } from "./channel.ts";

/** A chat network before its code is loaded: a gateway loads those that its configuration names. */
export interface ChannelEntry {
  readonly id: string;
  readonly label: string;
  load(): Promise<ChannelKind>;
}

/** Every chat network, in the order in which people are offered them. */
export const channels: readonly ChannelEntry[] = [];
