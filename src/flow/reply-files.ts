import type { Files } from "../host/host.ts";
import { stillInside } from "../host/inside.ts";
import { toBase64 } from "../kit/base64.ts";
import { Failure } from "../kit/error.ts";
import type { Media } from "../session/media.ts";
import { placeOf } from "../tools/tool.ts";
import { imageType, shortName } from "./content.ts";
import type { StoredMedia } from "./outbox.ts";

export interface ReplyFilesOptions {
  /** Undefined where there are none. */
  readonly files: Files | undefined;
  /** The agent's folder: nothing outside it is ever sent (threats M, P). */
  readonly workspace: string;
  /** Files and folders of the gateway itself. */
  readonly closed: readonly string[];
  readonly media: Pick<Media, "save">;
  readonly maxBytes: number;
}

/** Keeps the files that an answer names, so that they are sent as they are now. For each that cannot be there is a sentence. */
export async function keepFiles(
  paths: readonly string[],
  options: ReplyFilesOptions,
): Promise<{ readonly media: readonly StoredMedia[]; readonly problems: readonly string[] }> {
  const media: StoredMedia[] = [];
  const problems: string[] = [];
  for (const path of paths) {
    try {
      media.push(await keep(path, options));
    } catch (error) {
      problems.push(`⚠️ ${shortName(path)} could not be sent: ${Failure.from(error).shown().message}`);
    }
  }
  return { media, problems };
}

async function keep(path: string, options: ReplyFilesOptions): Promise<StoredMedia> {
  const { files, media, maxBytes } = options;
  const place = await placeOf(options, path);
  const opened = await files?.openRead(place.path);
  if (!opened) throw new Failure("not-found", "there is no such file in the workspace");
  try {
    const { size } = opened.stat;
    if (size > maxBytes) throw new Failure("invalid-request", `it has ${size} bytes, and ${maxBytes} may be sent`);
    const bytes = await opened.read(0, size);
    // The name may have become a link to somewhere else between the look and the opening.
    if (files) await stillInside(files, place);
    return { key: await media.save(toBase64(bytes)), mimeType: typeOf(place.name, bytes), fileName: shortName(path) };
  } finally {
    await opened.close();
  }
}

/** Pictures by their first bytes, anything else by its ending: the network decides what it makes of it. */
function typeOf(name: string, bytes: Uint8Array): string {
  const [, ending = ""] = /\.([a-z0-9]+)$/i.exec(name) ?? [];
  return imageType(bytes) ?? types[ending.toLowerCase()] ?? "application/octet-stream";
}

const types: Readonly<Record<string, string>> = {
  txt: "text/plain",
  md: "text/markdown",
  csv: "text/csv",
  html: "text/html",
  json: "application/json",
  pdf: "application/pdf",
  zip: "application/zip",
  svg: "image/svg+xml",
  mp3: "audio/mpeg",
  m4a: "audio/mp4",
  ogg: "audio/ogg",
  opus: "audio/ogg",
  wav: "audio/wav",
  mp4: "video/mp4",
  webm: "video/webm",
};
