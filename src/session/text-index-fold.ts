/**
 * `text` in the form that texts are compared in: without case, width or accents (`Café`, `CAFE` and `ｃａｆｅ` are one).
 * Line breaks stay as many as they were.
 */
export function fold(text: string): string {
  if (!/[\u0080-\uffff]/.test(text)) return text.toLowerCase();
  return text
    .normalize("NFKD")
    .replace(/[\u0300-\u036f]/g, "")
    .normalize("NFC")
    .toUpperCase() // first, for letters such as the German sharp s that have no single capital
    .toLowerCase()
    .replaceAll("ς", "σ");
}

/** The different words of a query, folded. They hold none of the characters that JSON escapes. */
export function wordsOf(query: string): readonly string[] {
  const words = fold(query.slice(0, MAX_QUERY)).split(/[\s\p{Cc}"\\]+/u);
  return [...new Set(words)].filter((word) => word !== "").slice(0, MAX_WORDS);
}

const MAX_QUERY = 1000;
const MAX_WORDS = 16;
