import type * as v from "valibot";
import type { UserContent } from "../agent/runner.ts";
import type { App } from "../app.ts";
import { Failure } from "../kit/error.ts";
import { fromBase64 } from "../kit/ids.ts";
import type { ImagePart, TextPart } from "../session/message.ts";
import type { attachmentsParam } from "./params.ts";

/** A file that a client sends with a message; its `content` is base64. */
export type Attachment = v.InferOutput<typeof attachmentsParam>[number];

/** Characters of one message, and of the text of one attached file. */
const maxText = 1_000_000;
const maxFileText = 200_000;
const maxAttachments = 20;

/**
 * A message and its attachments as the parts that a transcript holds. Pictures are kept by `media` first and then named,
 * text files become part of the message, anything else is refused. What comes out may be empty.
 */
export async function contentOf(
  { config, media }: Pick<App, "config" | "media">,
  message: string,
  attachments: readonly Attachment[] = [],
): Promise<UserContent> {
  const text = plainText(message);
  if (attachments.length > maxAttachments) {
    throw new Failure("invalid-request", `${attachments.length} attachments: ${maxAttachments} are allowed`);
  }
  const maxBytes = config.current().value.agents.defaults.mediaMaxMb * 1024 * 1024;
  // All are looked at before the first is kept.
  const files = attachments.map((attachment, index) => readFile(attachment, index + 1, maxBytes));
  const texts = [text.trim() === "" ? "" : text, ...files.flatMap((file) => (file.kind === "text" ? [file.text] : []))];
  const joined = texts.filter((part) => part !== "").join("\n\n");
  const images: ImagePart[] = [];
  for (const file of files) {
    if (file.kind !== "image") continue;
    const { mimeType, base64, name } = file;
    const kept = await media.save(base64);
    images.push({ type: "image", mimeType, media: kept, ...(name === undefined ? {} : { fileName: name }) });
  }
  const words: readonly TextPart[] = joined === "" ? [] : [{ type: "text", text: joined }];
  return [...words, ...images];
}

/** Text as a person may send it: composed (NFC), of bounded length, no control characters but tabs and line ends. */
function plainText(message: string): string {
  if (message.length > maxText) {
    throw new Failure("invalid-request", `message has ${message.length} characters: ${maxText} are allowed`);
  }
  if (message.includes("\0")) throw new Failure("invalid-request", "message must not contain null bytes");
  return message.normalize("NFC").replace(/[^\P{Cc}\t\n\r]/gu, "");
}

type File =
  | { readonly kind: "text"; readonly text: string }
  | {
      readonly kind: "image";
      readonly base64: string;
      readonly mimeType: string;
      readonly name: string | undefined;
    };

function readFile({ content, fileName, mimeType }: Attachment, position: number, maxBytes: number): File {
  const name = fileName === undefined ? undefined : shortName(fileName);
  const what = `attachment ${position}${name === undefined ? "" : ` (${name})`}`;
  if (typeof content !== "string" || content === "") {
    throw new Failure("invalid-request", `${what} has no content: send its bytes as base64`);
  }
  const [, declared, base64 = ""] = /^(?:data:([^;,]{0,100});base64,)?(.*)$/s.exec(content) ?? [];
  // Measured before it is decoded (threat H).
  const size = Math.floor((base64.length * 3) / 4);
  if (size > maxBytes) {
    const megabytes = (size / 1024 / 1024).toFixed(1);
    throw new Failure(
      "invalid-request",
      `${what} has ${megabytes} MB: ${maxBytes / 1024 / 1024} MB are allowed (agents.defaults.mediaMaxMb)`,
    );
  }
  const bytes = fromBase64(base64);
  if (!bytes) throw new Failure("invalid-request", `${what}: its content is not base64`);
  const type = (mimeType ?? declared ?? "").toLowerCase().split(";")[0]?.trim() ?? "";
  const image = imageType(bytes);
  // The bytes decide, not what is said of them: a provider would refuse the whole conversation for a wrong type.
  if (image !== undefined) return { kind: "image", base64, mimeType: image, name };
  const text = isTextType(type, name) ? decode(bytes) : undefined;
  if (text !== undefined) return { kind: "text", text: framed(text, name ?? `attachment-${position}`, type) };
  throw new Failure(
    "invalid-request",
    `${what}${type === "" ? "" : ` of type ${shortName(type)}`} cannot be read: send png, jpeg, gif or webp pictures, or text`,
  );
}

/** A name for messages and frames: the last part of a path, without what could end a frame or a line. */
export function shortName(name: string): string {
  const last = name.split(/[/\\]/).at(-1) ?? "";
  return last.replace(/[^\p{L}\p{N}._ ()+-]/gu, "_").slice(0, 120) || "file";
}

const signatures: readonly (readonly [type: string, at: number, bytes: readonly number[]])[] = [
  ["image/png", 0, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
  ["image/jpeg", 0, [0xff, 0xd8, 0xff]],
  ["image/gif", 0, [0x47, 0x49, 0x46, 0x38]],
  ["image/webp", 8, [0x57, 0x45, 0x42, 0x50]],
];

/** The type of a picture that models can be shown, as its first bytes say; undefined for anything else. */
export function imageType(bytes: Uint8Array): string | undefined {
  return signatures.find(([, at, expected]) => expected.every((byte, index) => bytes[at + index] === byte))?.[0];
}

const textTypes =
  /^(text\/.+|application\/(json|xml|yaml|x-yaml|toml|javascript|typescript|sql|x-sh|csv)|.+\+(json|xml))$/;
const textNames =
  /\.(txt|md|markdown|csv|tsv|json|jsonl|json5|ya?ml|toml|ini|conf|log|xml|html?|css|[cm]?[jt]sx?|py|rb|go|rs|java|kt|swift|c|h|cc|cpp|hpp|cs|sh|bash|zsh|ps1|sql|diff|patch|tex)$/i;

function isTextType(type: string, name: string | undefined): boolean {
  return textTypes.test(type) || (name !== undefined && textNames.test(name));
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined; // not UTF-8: the caller says which types can be sent
  }
}

function framed(text: string, name: string, type: string): string {
  const body = plainText(text.slice(0, maxFileText).replaceAll("\0", "")).replaceAll(/<(\/?file)/gi, "&lt;$1");
  const rest = text.length > maxFileText ? `\n[${text.length - maxFileText} more characters left out]` : "";
  const mime = /^[\w.+/-]+$/.test(type) ? type : "text/plain";
  return `<file name="${name}" mime="${mime}">\n${body}${rest}\n</file>`;
}
