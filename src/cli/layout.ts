/** Lines framed by a box as wide as the widest. */
export function box(lines: readonly string[]): string {
  const inner = Math.max(36, ...lines.map(width));
  const edge = "─".repeat(inner + 2);
  return [`┌${edge}┐`, ...lines.map((line) => `│ ${pad(line, inner)} │`), `└${edge}┘`].join("\n");
}

/** Rows as columns two spaces apart, under bold-free headers; the last column is not padded. */
export function columns(rows: readonly (readonly string[])[], gap = 2): string {
  const widths: number[] = [];
  for (const row of rows)
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, width(cell));
  return rows
    .map((row) =>
      row
        .map((cell, index) => (index === row.length - 1 ? cell : pad(cell, (widths[index] ?? 0) + gap)))
        .join("")
        .trimEnd(),
    )
    .join("\n");
}

/** `text` broken at spaces so that no line is wider than `limit`, save for words that are. */
export function wrap(text: string, limit: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && width(line) + 1 + width(word) > limit) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** The columns that `text` takes on a terminal: styling takes none, East Asian wide characters and emoji two. */
export function width(text: string): number {
  let total = 0;
  for (const character of text.replace(styling, "")) {
    if (/\p{Mark}|\u200d|\ufe0f/u.test(character)) continue;
    total +=
      /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]/u.test(
        character,
      )
        ? 2
        : 1;
  }
  return total;
}

/**
 * Text from elsewhere made safe to show: control characters, which can move the cursor or rewrite what is already on
 * the screen, and marks that turn the direction of writing become `?`. New lines and tabs become spaces.
 */
export function clean(text: string): string {
  return text.replace(/[\t\r\n]+/g, " ").replace(hidden, "?");
}

/** The same for text of several lines: its lines and tabs stay. */
export function cleanLines(text: string): string {
  return text.replace(/\r\n?/g, "\n").replace(hidden, (character) => (/[\t\n]/.test(character) ? character : "?"));
}

// eslint-disable-next-line no-control-regex
const styling = /\u001b\[[0-9;]*m/g;
// eslint-disable-next-line no-control-regex
const hidden = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

function pad(text: string, to: number): string {
  return text + " ".repeat(Math.max(0, to - width(text)));
}
