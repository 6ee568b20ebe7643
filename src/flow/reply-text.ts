import { isSilent } from "../agent/draft.ts";

/** What a model wrote, taken apart: the words for people, and what it said about how they are to be sent. */
export interface ReplyText {
  /** Empty when there is nothing to say. */
  readonly text: string;
  /** The message that it asked to quote: the one that it answers, or another by its id. */
  readonly quotes?: "current" | { readonly id: string } | undefined;
  /** Paths of files that are to go with it, as the model wrote them. */
  readonly files: readonly string[];
}

/**
 * Takes the tags and `MEDIA:` lines out of an answer (cli.md 8.3). What stands in a code block is an example, and left
 * alone. A link after `MEDIA:` stays as a link: nothing is fetched for it.
 */
export function readReply(raw: string): ReplyText {
  const files: string[] = [];
  let quotes: ReplyText["quotes"];
  let fence: string | undefined;
  const lines = raw.split("\n").flatMap((line) => {
    const [, marker] = /^ {0,3}(`{3,}|~{3,})/.exec(line) ?? [];
    if (fence !== undefined) {
      if (marker?.startsWith(fence)) fence = undefined;
      return [line];
    }
    fence = marker;
    if (marker !== undefined) return [line];
    const plain = line.replaceAll(tag, (_, name: string, id: string | undefined) => {
      if (id !== undefined) quotes ??= { id: id.trim() };
      else if (name === "reply_to_current") quotes ??= "current";
      return "";
    });
    if (plain !== line && plain.trim() === "") return [];
    const [, named = ""] = /^\s*MEDIA:(.*)$/.exec(plain) ?? [];
    if (named.trim() === "") return [plain === line ? line : plain.trim()];
    const path = named.trim().replace(/^(["'`])(.+)\1$/, "$2");
    if (/^https?:\/\//i.test(path)) return [path];
    if (files.length < MOST_FILES) files.push(path);
    return [];
  });
  const text = lines.join("\n").trim();
  return { text: isSilent(text) ? "" : text, quotes, files };
}

/** A network has no voice messages of ours: the tag that asks for one is taken out, and the file goes as a file. */
const tag = /\[\[\s*(reply_to_current|audio_as_voice|reply_to:\s*([^\]\s][^\]]{0,200}?))\s*\]\]/g;
const MOST_FILES = 10;
