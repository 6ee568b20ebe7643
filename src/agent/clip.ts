/** At most `size` letters of a text: its beginning and its end around `gap`, no character cut in two. */
export function clip(text: string, size: number, gap = "\n[…]\n"): string {
  if (text.length <= size) return text;
  const half = Math.max(0, Math.floor((size - gap.length) / 2));
  return whole(text.slice(0, half)) + gap + whole(text.slice(text.length - half));
}

/** The first line of a text, at most `size` letters of it. */
export function firstLine(text: string, size: number): string {
  const line = text.trim().split("\n", 1)[0] ?? "";
  return line.length > size ? `${whole(line.slice(0, size))}…` : line;
}

/** Providers refuse half a surrogate pair. */
function whole(text: string): string {
  return text.replace(/\p{Cs}/gu, "");
}
