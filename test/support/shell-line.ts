/**
 * The arguments of a command line as a shell would make them, up to the first `|`, `<`, `>` or comment: quotes are taken
 * off, variables stay as they are written. Enough for the examples in the help and the guides.
 */
export function shellWords(line: string): readonly string[] {
  const words: string[] = [];
  for (const [token] of line.matchAll(/(?:"[^"]*"|'[^']*'|<[\w-]+>|[^\s"'|<>])+|[|<>]/g)) {
    if (/^[|<>]$/.test(token) || token.startsWith("#")) break;
    words.push(token.replaceAll(/"([^"]*)"|'([^']*)'/g, "$1$2"));
  }
  return words;
}
