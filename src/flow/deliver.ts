import type { Outbound } from "../channels/channel.ts";
import { createChunker } from "./chunk.ts";
import type { OpenAccount } from "./networks.ts";
import type { Delivery, StoredMedia } from "./outbox.ts";

/** One message of a delivery, as the network is to show it. */
export interface Part {
  readonly text: string;
  readonly replyTo?: string | undefined;
  readonly media?: readonly StoredMedia[] | undefined;
}

/** The account's part in how a delivery is cut. */
export type Cutting = Pick<OpenAccount, "maxText" | "replyToMode"> & {
  readonly kind: Pick<OpenAccount["kind"], "label" | "abilities">;
};

/** Messages that one delivery may become: more would be a flood, whatever a model wrote. */
export const MOST_PARTS = 50;

/**
 * The messages that a delivery is sent as: none longer than the account takes, code blocks whole or closed and opened
 * again, files with the first. Empty when there is nothing to send.
 */
export function partsOf(delivery: Delivery, account: Cutting): readonly Part[] {
  const { maxText } = account;
  const { abilities, label } = account.kind;
  const files = delivery.media ?? [];
  const media = abilities.media ? files : [];
  const unsent = abilities.media ? [] : files.map(({ fileName }) => `(${fileName}: ${label} takes no files)`);
  const texts = textsOf([delivery.text, ...unsent].join("\n").trim(), maxText);
  const [first = "", ...rest] = texts.length > 0 || media.length === 0 ? texts : [""];
  const parts: readonly Part[] = [
    { text: first, ...(media.length > 0 ? { media } : {}) },
    ...rest.map((text) => ({ text })),
  ];
  return parts
    .filter(({ text, media: sent }) => text !== "" || sent !== undefined)
    .map((part, at) => ({ ...part, ...quoted(delivery, account.replyToMode, at) }));
}

/** The key of a part: the same however often it is tried, and in whichever process. */
export function partKey(deliveryId: string, at: number): string {
  return `${deliveryId}:${at}`;
}

/** A part as the network is given it. */
export function outboundOf({ text, replyTo }: Part, media: Outbound["media"]): Outbound {
  return { text, ...(replyTo === undefined ? {} : { replyTo }), ...(media ? { media } : {}) };
}

function textsOf(text: string, maxText: number): readonly string[] {
  // A piece that is half full may end where a paragraph does, rather than in the middle of the next one.
  const chunker = createChunker({ min: Math.ceil(maxText / 2), max: maxText, breakAt: "paragraph" });
  const texts = [...chunker.push(text), ...chunker.end()];
  if (texts.length <= MOST_PARTS) return texts;
  return [...texts.slice(0, MOST_PARTS - 1), "⚠️ The rest is too long to be sent here."];
}

function quoted({ to, quotes }: Delivery, mode: OpenAccount["replyToMode"], at: number): Pick<Part, "replyTo"> {
  const replyTo = quotes ?? to.replyTo;
  const shown = mode === "all" || (at === 0 && (mode === "first" || quotes !== undefined));
  return shown && replyTo !== undefined ? { replyTo } : {};
}
