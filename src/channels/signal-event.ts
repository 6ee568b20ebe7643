import * as v from "valibot";
import { parseJson } from "../kit/json.ts";
import type { Inbound } from "./channel.ts";

/** What signal-cli told of: a message, our own uuid, what is nothing to us, or what cannot be read. */
export type SignalNews = { readonly message: SignalMessage } | { readonly ownUuid: string } | "nothing" | "garbled";

export interface SignalMessage {
  readonly inbound: Omit<Inbound, "attachments">;
  readonly files: readonly SignalFile[];
  /** Who wrote it and when, as a receipt is to say. */
  readonly author: string;
  readonly timestamp: number;
}

export type SignalFile = v.InferOutput<typeof fileShape>;

const maybeText = v.nullish(v.string());
const moment = v.pipe(v.number(), v.integer(), v.minValue(1));
const fileShape = v.looseObject({
  id: v.string(),
  contentType: maybeText,
  filename: maybeText,
  size: v.nullish(v.number()),
});
const messageShape = v.looseObject({
  timestamp: moment,
  message: maybeText,
  groupInfo: v.nullish(v.looseObject({ groupId: v.string(), groupName: maybeText })),
  attachments: v.nullish(v.array(fileShape)),
  mentions: v.nullish(
    v.array(
      v.looseObject({ name: maybeText, number: maybeText, uuid: maybeText, start: v.number(), length: v.number() }),
    ),
  ),
  quote: v.nullish(
    v.looseObject({
      id: v.number(),
      author: maybeText,
      authorNumber: maybeText,
      authorUuid: maybeText,
      text: maybeText,
    }),
  ),
  reaction: v.nullish(v.unknown()),
  remoteDelete: v.nullish(v.unknown()),
});
const eventShape = v.looseObject({
  account: maybeText,
  envelope: v.looseObject({
    sourceNumber: maybeText,
    sourceUuid: maybeText,
    sourceName: maybeText,
    dataMessage: v.nullish(messageShape),
  }),
});

/** Reads the data of an event. `self` is our number, and our uuid where it is known. */
export function readSignalEvent(
  data: string,
  self: { readonly account: string; readonly uuid?: string | undefined },
): SignalNews {
  const read = v.safeParse(eventShape, parseJson(data));
  if (!read.success) return "garbled";
  const { account, envelope } = read.output;
  const { dataMessage: said, sourceNumber: number, sourceUuid: uuid } = envelope;
  if (account && account !== self.account) return "nothing";
  // What we write on another device is not for us, but tells by which uuid groups mention us.
  if (number === self.account && uuid && uuid !== self.uuid) return { ownUuid: uuid };
  // Receipts, typing, calls, edits: nothing that is to be answered.
  if (!said || said.reaction || said.remoteDelete) return "nothing";
  const author = uuid ?? number;
  if (!author) return "garbled";
  const isOurs = (one: {
    readonly number?: string | null | undefined;
    readonly uuid?: string | null | undefined;
  }): boolean => one.number === self.account || (self.uuid !== undefined && one.uuid === self.uuid);
  if (isOurs({ number, uuid })) return "nothing";

  const files = said.attachments ?? [];
  const text = withNames(said.message ?? "", said.mentions ?? []);
  if (text.trim() === "" && files.length === 0) return "nothing";
  const { groupInfo: group, quote } = said;
  const id = uuid ? `uuid:${uuid.toLowerCase()}` : author;
  const quotedBy = quote?.authorUuid ?? quote?.authorNumber ?? quote?.author ?? "";
  const quotesUs = quote ? isOurs({ number: quote.authorNumber ?? quote.author, uuid: quote.authorUuid }) : false;
  return {
    message: {
      author,
      timestamp: said.timestamp,
      files,
      inbound: {
        id: `${said.timestamp}:${author}`,
        peer: group
          ? { kind: "group", id: group.groupId, name: group.groupName ?? undefined }
          : { kind: "direct", id, name: envelope.sourceName ?? undefined },
        sender: { id, name: envelope.sourceName ?? undefined, aliases: number ? [number] : [] },
        text,
        mentioned: !group || quotesUs || (said.mentions ?? []).some(isOurs),
        ...(quote
          ? { quoted: { id: `${quote.id}:${quotedBy}`, text: quote.text ?? undefined, sender: quotedBy } }
          : {}),
        to: { to: group ? `group:${group.groupId}` : (number ?? id) },
        at: said.timestamp,
      },
    },
  };
}

/** Signal leaves one character of the text for each name (U+FFFC), and says beside it whose. */
function withNames(text: string, mentions: NonNullable<v.InferOutput<typeof messageShape>["mentions"]>): string {
  return [...mentions]
    .sort((a, b) => b.start - a.start)
    .reduce((whole, { name, number, uuid, start, length }) => {
      const shown = `@${name ?? number ?? uuid ?? "somebody"}`;
      return whole.slice(0, start) + shown + whole.slice(start + length);
    }, text);
}
