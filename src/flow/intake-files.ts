import type { Attachment } from "../channels/channel.ts";
import type { Clock } from "../host/host.ts";
import { bytesText } from "../kit/amounts.ts";
import { toBase64 } from "../kit/base64.ts";
import { Failure } from "../kit/error.ts";
import type { Logger } from "../kit/log.ts";
import type { Media } from "../session/media.ts";
import type { ImagePart } from "../session/message.ts";
import { imageType, shortName } from "./content.ts";
import { fileLine } from "./intake-words.ts";

/** The files of a message as the model is given them. */
export interface TakenFiles {
  /** Kept, and named by where. */
  readonly images: readonly ImagePart[];
  /** For all others a line: none is lost without a word. */
  readonly lines: readonly string[];
}

export interface FilesOptions {
  readonly media: Pick<Media, "save">;
  readonly clock: Pick<Clock, "after">;
  readonly log: Logger;
  /** Most bytes of a picture. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/**
 * Loads the pictures of a message, one after the other and all within a minute. Never rejects: the message counts
 * without them too.
 */
export async function takeFiles(files: readonly Attachment[], options: FilesOptions): Promise<TakenFiles> {
  const { clock, log, signal } = options;
  const images: ImagePart[] = [];
  const lines: string[] = [];
  const late = new AbortController();
  const disarm = clock.after(LOADING_MS, () => late.abort(new Failure("timeout", "it took too long to load")));
  const ending = AbortSignal.any([signal, late.signal]);
  try {
    for (const file of files.slice(0, MOST_FILES)) {
      if (file.kind !== "image") lines.push(fileLine(file));
      else {
        try {
          images.push(await picture(file, { ...options, signal: ending }));
        } catch (error) {
          const failure = Failure.from(error);
          log.warn("a picture could not be taken in", { error: failure.message });
          lines.push(fileLine(file, failure.code === "invalid-request" ? failure.message : "it could not be loaded"));
        }
      }
    }
  } finally {
    disarm();
  }
  if (files.length > MOST_FILES) lines.push(`[${files.length - MOST_FILES} more files left out]`);
  return { images, lines };
}

const MOST_FILES = 20;
const LOADING_MS = 60_000;

async function picture(file: Attachment, { media, maxBytes, signal }: FilesOptions): Promise<ImagePart> {
  const tooLarge = new Failure("invalid-request", `larger than ${bytesText(maxBytes)}`);
  if (file.size !== undefined && file.size > maxBytes) throw tooLarge;
  // Whoever loads may not heed the signal.
  const bytes = await Promise.race([file.load({ maxBytes, signal }), aborted(signal)]).catch((error: unknown) => {
    throw error instanceof Failure && error.code === "invalid-request" ? tooLarge : error;
  });
  if (bytes.length > maxBytes) throw tooLarge;
  const mimeType = imageType(bytes);
  if (mimeType === undefined) throw new Failure("invalid-request", "not a png, jpeg, gif or webp picture");
  const fileName = file.fileName === undefined ? {} : { fileName: shortName(file.fileName) };
  return { type: "image", mimeType, media: await media.save(toBase64(bytes)), ...fileName };
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
