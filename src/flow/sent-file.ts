import type { App } from "../app.ts";
import { fromBase64 } from "../kit/ids.ts";
import { Failure } from "../kit/error.ts";
import { imageType, shortName } from "./content.ts";
import type { StoredMedia } from "./outbox.ts";

/** A file as a client sends it, in one of two ways. */
export interface SentFile {
  /** A `data:` URL with base64. */
  readonly mediaUrl?: string | undefined;
  /** The base64 alone, with what it is beside it. */
  readonly buffer?: string | undefined;
  readonly contentType?: string | undefined;
  readonly filename?: string | undefined;
}

/** Keeps the file that a client wants sent. Addresses and paths are refused: who may send may not read for that (threats M, N). */
export async function keepSentFile(
  { media, config }: Pick<App, "media" | "config">,
  { mediaUrl, buffer, contentType, filename }: SentFile,
): Promise<readonly StoredMedia[]> {
  const [, type, inUrl] = /^data:([\w.+/-]*)(?:;[\w=.+-]+)*;base64,(.*)$/s.exec(mediaUrl ?? "") ?? [];
  if (mediaUrl !== undefined && inUrl === undefined)
    throw new Failure(
      "invalid-request",
      "mediaUrl must be a data: URL with base64: nothing is fetched or read for it. Put a link into the message instead.",
    );
  const base64 = buffer ?? inUrl;
  if (base64 === undefined) return [];
  const maxMb = config.current().value.agents.defaults.mediaMaxMb;
  // Judged by its length before anything is decoded (threat H).
  if ((base64.length / 4) * 3 > maxMb * 1024 * 1024)
    throw new Failure("invalid-request", `the file has more than ${maxMb} MB (agents.defaults.mediaMaxMb)`);
  const bytes = fromBase64(base64);
  if (!bytes || bytes.length === 0) throw new Failure("invalid-request", "the file's content is not base64, or empty");
  const mimeType = imageType(bytes) ?? contentType ?? (type === "" ? undefined : type) ?? "application/octet-stream";
  return [{ key: await media.save(base64), mimeType, fileName: shortName(filename ?? "file") }];
}
