import { Failure } from "../kit/error.ts";

/**
 * The name of an emoji where a network knows them by name: of a few that are common in answers, or as it is written,
 * `:tada:`. Throws `invalid-request` for any other.
 */
export function emojiName(emoji: string, label: string): string {
  const known = names[emoji.replaceAll("\uFE0F", "")];
  const name = known ?? emoji.replace(/^:(.+):$/, "$1");
  if (/^[a-z0-9_'+-]{1,100}(::skin-tone-[2-6])?$/.test(name)) return name;
  throw new Failure(
    "invalid-request",
    `${label} knows emoji by name, and that of ${JSON.stringify(emoji.slice(0, 40))} is not known here: write it, such as :tada:`,
  );
}

const names: Readonly<Record<string, string>> = {
  "👍": "+1",
  "👎": "-1",
  "👀": "eyes",
  "✅": "white_check_mark",
  "✔": "heavy_check_mark",
  "❌": "x",
  "❤": "heart",
  "🎉": "tada",
  "😂": "joy",
  "😀": "grinning",
  "😄": "smile",
  "🙂": "slightly_smiling_face",
  "😢": "cry",
  "😮": "open_mouth",
  "😡": "rage",
  "🤔": "thinking_face",
  "🙏": "pray",
  "🔥": "fire",
  "👏": "clap",
  "🙌": "raised_hands",
  "💯": "100",
  "🚀": "rocket",
  "👋": "wave",
  "👌": "ok_hand",
  "💪": "muscle",
  "🤖": "robot_face",
  "🦞": "lobster",
  "⏳": "hourglass_flowing_sand",
  "⌛": "hourglass",
  "⚠": "warning",
  "❓": "question",
  "❗": "exclamation",
  "💡": "bulb",
  "⭐": "star",
  "🐛": "bug",
  "📎": "paperclip",
  "🔇": "mute",
  "🛑": "octagonal_sign",
};
