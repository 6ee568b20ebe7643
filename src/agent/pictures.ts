import type { Media } from "../session/media.ts";
import type { ImagePart, Message, TextPart } from "../session/message.ts";

/** What a request may hold of pictures. */
export interface PictureLimits {
  /** The model can see. */
  readonly sees: boolean;
  readonly count: number;
  /** Characters of base64. */
  readonly size: number;
}

/** What every provider takes in one request. */
export const pictureLimits = { count: 20, size: 16 * 2 ** 20 } as const;

/** Messages with their pictures loaded, the newest first until the limits are reached; a line stands for any other. */
export async function withPictures(
  messages: readonly Message[],
  media: Pick<Media, "load">,
  limits: PictureLimits,
): Promise<readonly Message[]> {
  let { count, size } = limits;
  const shown = async (part: ImagePart): Promise<ImagePart | TextPart> => {
    if (!limits.sees) return placeholder(part, "this model cannot see pictures");
    if (count <= 0) return placeholder(part, "left out, as there are many newer ones");
    const data = part.data ?? (part.media === undefined ? undefined : await media.load(part.media));
    if (data === undefined) return placeholder(part, "it is not stored any more");
    if (data.length > size) return placeholder(part, "left out, as it is too large");
    count--;
    size -= data.length;
    return { type: "image", mimeType: part.mimeType, data };
  };
  const out: Message[] = [];
  // One after the other, from the newest: what is loaded depends on what was.
  for (const message of messages.toReversed()) {
    if (message.role === "assistant" || !hasPicture(message)) out.push(message);
    else out.push({ ...message, content: await mapFromEnd(message.content, shown) });
  }
  return out.toReversed();
}

export function hasPicture(message: Message): boolean {
  return message.content.some((part) => part.type === "image");
}

async function mapFromEnd(
  parts: readonly (TextPart | ImagePart)[],
  shown: (part: ImagePart) => Promise<ImagePart | TextPart>,
): Promise<readonly (TextPart | ImagePart)[]> {
  const out: (TextPart | ImagePart)[] = [];
  for (const part of parts.toReversed()) out.push(part.type === "image" ? await shown(part) : part);
  return out.toReversed();
}

function placeholder({ fileName, mimeType }: ImagePart, reason: string): TextPart {
  return { type: "text", text: `[Picture${fileName ? ` ${fileName}` : ""} (${mimeType}): ${reason}]` };
}
