import * as v from "valibot";
import { filesOf, type Files } from "../host/host.ts";
import { stillInside, type Inside } from "../host/inside.ts";
import { toBase64 } from "../kit/base64.ts";
import { Failure } from "../kit/error.ts";
import { truncateUtf8, utf8Length } from "../kit/text.ts";
import { parameters, placeOf, tool, type ToolContext, type ToolResult } from "./tool.ts";

const MOST_LINES = 2000;
const MOST_BYTES = 50 * 1024;
const MOST_IMAGE_BYTES = 5 * 1024 * 1024;
/** Bytes read at a time, and the least that is known of a line before the rest of it is passed over. */
const WINDOW = 256 * 1024;

const line = v.pipe(v.number(), v.integer(), v.minValue(1));

/** Shows a text, by lines, or a picture from the workspace. */
export const read = tool({
  name: "read",
  summary: "Read a text file or look at a picture",
  description: `Reads a file of the workspace. Text comes in at most ${MOST_LINES} lines or ${MOST_BYTES / 1024} KB; go on with offset. Pictures (png, jpg, gif, webp) are shown.`,
  effect: "read",
  needs: "files",
  params: parameters(
    {
      path: v.pipe(v.string(), v.description("Path of the file, relative to the workspace.")),
      offset: v.pipe(v.optional(line), v.description("Line to begin with, from 1.")),
      limit: v.pipe(v.optional(line), v.description("Most lines to show.")),
    },
    { file_path: "path" },
  ),
  async run({ path, offset = 1, limit = MOST_LINES }, context) {
    const files = filesOf(context);
    const place = await placeOf(context, path);
    const size = await sizeOf(files, place);
    const head = await files.readRange(place.path, 0, 8192);
    const mimeType = imageType(head);
    if (mimeType === undefined && head.includes(0))
      throw new Failure("invalid-request", `${place.name} is a binary file of ${size} bytes: only text can be read`);
    const result =
      mimeType === undefined
        ? await readText(place, { context, offset, limit: Math.min(limit, MOST_LINES), size })
        : await readImage(files, place, { mimeType, size });
    await stillInside(files, place);
    return result;
  },
});

async function sizeOf(files: Files, place: Inside): Promise<number> {
  const stat = await files.stat(place.path);
  if (!stat) throw new Failure("not-found", `there is no file ${place.name} in the workspace: check the path`);
  if (stat.kind === "file") return stat.size;
  const names = stat.kind === "folder" ? (await files.list(place.path)).slice(0, 100).join(", ") : "";
  throw new Failure("invalid-request", `${place.name} is no file${names && `, but a folder with ${names}`}`);
}

/** The type that the first bytes tell; the name may say anything. */
function imageType(head: Uint8Array): string | undefined {
  const start = String.fromCharCode(...head.subarray(0, 12));
  if (start.startsWith("\u0089PNG\r\n\u001a\n")) return "image/png";
  if (start.startsWith("\u00ff\u00d8\u00ff")) return "image/jpeg";
  if (/^GIF8[79]a/.test(start)) return "image/gif";
  return /^RIFF[^]{4}WEBP/.test(start) ? "image/webp" : undefined;
}

async function readImage(
  files: Files,
  place: Inside,
  { mimeType, size }: { mimeType: string; size: number },
): Promise<ToolResult> {
  if (size > MOST_IMAGE_BYTES)
    throw new Failure("invalid-request", `${place.name} has ${size} bytes, more than the 5 MB that a picture may have`);
  const data = toBase64(await files.readRange(place.path, 0, MOST_IMAGE_BYTES));
  return {
    content: [
      { type: "text", text: `The picture ${place.name} (${mimeType}):` },
      { type: "image", mimeType, data, fileName: place.name },
    ],
    details: { path: place.name, mimeType, bytes: size },
  };
}

interface TextOptions {
  readonly context: ToolContext;
  readonly offset: number;
  readonly limit: number;
  readonly size: number;
}

async function readText(place: Inside, { context, offset, limit, size }: TextOptions): Promise<ToolResult> {
  const shown: string[] = [];
  let [number, bytes, more, cut] = [0, 0, false, false];
  for await (const text of linesOf(place.path, { context, size })) {
    number++;
    if (number < offset) continue;
    const length = utf8Length(text) + 1;
    more = shown.length === limit || (shown.length > 0 && bytes + length > MOST_BYTES);
    if (more) break;
    cut = length > MOST_BYTES;
    shown.push(truncateUtf8(text, MOST_BYTES));
    bytes += length;
  }
  if (shown.length === 0 && offset > 1)
    throw new Failure("invalid-request", `offset ${offset} is past the end: ${place.name} has ${number} lines`);
  const last = offset + shown.length - 1;
  const notes = [
    shown.length === 0 ? "[The file is empty.]" : "",
    cut ? `[Line ${last} is longer than ${MOST_BYTES / 1024} KB: this is its beginning.]` : "",
    more ? `[Lines ${offset} to ${last}. There is more: go on with offset=${last + 1}.]` : "",
  ].filter(Boolean);
  return {
    content: [{ type: "text", text: [shown.join("\n"), ...notes].filter(Boolean).join("\n\n") }],
    details: { path: place.name, firstLine: offset, lastLine: last, truncated: more || cut },
  };
}

/** The file's lines without their ends, a window at a time; of an endless line at least its first `WINDOW` bytes. */
async function* linesOf(
  path: string,
  { context, size }: Pick<TextOptions, "context" | "size">,
): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for (let at = 0; at < size; at += WINDOW) {
    context.signal.throwIfAborted();
    const window = await filesOf(context).readRange(path, at, at + WINDOW);
    const lines = (rest + decoder.decode(window, { stream: true })).split("\n");
    rest = (lines.pop() ?? "").slice(0, WINDOW);
    for (const text of lines) yield text.replace(/\r$/, "");
  }
  rest += decoder.decode();
  if (rest !== "") yield rest;
}
