import * as v from "valibot";

/** A message of a room, in Matrix's own words. */
export interface MatrixNews {
  readonly id: string;
  readonly sender: string;
  readonly text: string;
  readonly mentioned: boolean;
  readonly thread?: string | undefined;
  /** The message that it answers. */
  readonly answers?: string | undefined;
  readonly file?: MatrixFile | undefined;
  readonly at: number;
}

export interface MatrixFile {
  readonly kind: "image" | "audio" | "video" | "file";
  readonly mxc: string;
  readonly name?: string | undefined;
  readonly mimeType?: string | undefined;
  readonly size?: number | undefined;
}

/**
 * Reads an event of a room's timeline: undefined when it is no message of somebody else, `garbled` when it should be one,
 * `encrypted` when only those with the keys can tell.
 */
export function readEvent(event: unknown, self: string): MatrixNews | "encrypted" | "garbled" | undefined {
  const kind = v.safeParse(v.looseObject({ type: v.string() }), event);
  if (kind.success && kind.output.type === "m.room.encrypted") return "encrypted";
  if (!kind.success || kind.output.type !== "m.room.message") return undefined;
  const parsed = v.safeParse(messageShape, event);
  if (!parsed.success) return isRedacted(event) ? undefined : "garbled";
  const { event_id: id, sender, content, origin_server_ts: at } = parsed.output;
  const { msgtype, body, "m.relates_to": relation = {} } = content;
  // Changes of messages are not new ones; notices are what programs say.
  if (sender === self || relation.rel_type === "m.replace" || msgtype === "m.notice") return undefined;
  const thread = relation.rel_type === "m.thread" ? relation.event_id : undefined;
  const isFallback = thread !== undefined && relation.is_falling_back === true;
  const answers = isFallback ? undefined : relation["m.in_reply_to"]?.event_id;
  const plain = answers === undefined ? body : withoutQuote(body);
  const mentioned = namesUs(content, self);
  const news = { id, sender, mentioned, thread, answers, at };
  switch (msgtype) {
    case "m.text":
      return { ...news, text: plain };
    case "m.emote":
      return { ...news, text: `* ${plain}` };
    case "m.location":
      return { ...news, text: [plain, content.geo_uri].filter(Boolean).join("\n") };
    case "m.image":
    case "m.audio":
    case "m.video":
    case "m.file":
      return { ...news, ...fileIn(msgtype, content) };
    default:
      return undefined;
  }
}

/** A message that was taken back has nothing left in it. */
function isRedacted(event: unknown): boolean {
  return v.is(v.looseObject({ content: v.strictObject({}) }), event);
}

/** The words are a caption where the file has a name of its own. */
function fileIn(msgtype: keyof typeof kinds, content: Content): Pick<MatrixNews, "text" | "file"> {
  const { body, filename, url, info = {} } = content;
  const text = filename === undefined || filename === body ? "" : body;
  // Encrypted files, which have no address here, do not occur in rooms that can be read.
  if (url === undefined) return { text: text || `(${filename ?? body})` };
  return {
    text,
    file: { kind: kinds[msgtype], mxc: url, name: filename ?? body, mimeType: info.mimetype, size: info.size },
  };
}

const kinds = { "m.image": "image", "m.audio": "audio", "m.video": "video", "m.file": "file" } as const;

/** By what the sender's program says it meant, or a link to us that it made (a "pill"). */
function namesUs({ "m.mentions": mentions, formatted_body: html = "", body }: Content, self: string): boolean {
  if (mentions?.user_ids?.includes(self) === true || hasWord(body, self)) return true;
  const links = html.match(/https:\/\/matrix\.to\/#\/[^"'<>\s]{1,300}/g) ?? [];
  return links.some((link) => decoded(link.slice("https://matrix.to/#/".length).split("?")[0] ?? "") === self);
}

/** `@bot:example.org` is not in `@bot:example.org.evil.test`. */
function hasWord(text: string, id: string): boolean {
  for (let at = text.indexOf(id); at >= 0; at = text.indexOf(id, at + 1)) {
    const after = text.slice(at + id.length, at + id.length + 2);
    if (!/^(?:[\w-]|[.:]\w)/.test(after)) return true;
  }
  return false;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a stray percent sign: it is no id of ours
  }
}

/** The lines that older programs put before an answer, of the message that it answers. */
function withoutQuote(body: string): string {
  const lines = body.split("\n");
  const first = lines.findIndex((line) => !line.startsWith(">"));
  if (first <= 0) return first < 0 ? "" : body;
  return lines.slice(lines[first] === "" ? first + 1 : first).join("\n");
}

const id = v.pipe(v.string(), v.minLength(1), v.maxLength(255));

const contentShape = v.looseObject({
  msgtype: v.string(),
  body: v.string(),
  formatted_body: v.optional(v.string()),
  filename: v.optional(v.string()),
  url: v.optional(v.string()),
  geo_uri: v.optional(v.string()),
  info: v.optional(v.looseObject({ mimetype: v.optional(v.string()), size: v.optional(v.number()) })),
  "m.mentions": v.optional(v.looseObject({ user_ids: v.optional(v.array(v.string())) })),
  "m.relates_to": v.optional(
    v.looseObject({
      rel_type: v.optional(v.string()),
      event_id: v.optional(id),
      is_falling_back: v.optional(v.boolean()),
      "m.in_reply_to": v.optional(v.looseObject({ event_id: id })),
    }),
  ),
});
type Content = v.InferOutput<typeof contentShape>;

const messageShape = v.looseObject({
  event_id: id,
  sender: v.pipe(id, v.startsWith("@")),
  origin_server_ts: v.pipe(v.number(), v.integer(), v.minValue(0)),
  content: contentShape,
});
