/** The first words of a text on one line: at most `length` characters, whole words where there are any, and never half of a character. */
export function firstWords(text: string, length: number): string {
  const line = text.slice(0, 2000).replace(/\s+/g, " ").trim();
  if (line.length <= length) return line;
  const cut = line.slice(0, length - 1);
  const space = cut.lastIndexOf(" ");
  return `${(space > length / 2 ? cut.slice(0, space) : cut).replace(/[\uD800-\uDBFF]$/, "")}…`;
}
