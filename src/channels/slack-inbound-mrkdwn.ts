/** What people wrote, in plain text: Slack's entities as they read, with the names of people where they are known. */
export function fromMrkdwn(text: string, nameOf: (userId: string) => string | undefined): string {
  return text
    .replaceAll(/<([^<>]*)>/g, (_, entity: string) => entityText(entity, nameOf))
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
}

/** The ids of people who are named in a text, each once. */
export function mentionedIn(text: string): readonly string[] {
  return [...new Set([...text.matchAll(/<@([UW][A-Z0-9]+)(?:\|[^<>]*)?>/g)].map(([, id = ""]) => id))];
}

function entityText(entity: string, nameOf: (userId: string) => string | undefined): string {
  const [what, label] = splitOnce(entity, "|");
  if (what.startsWith("@")) return `@${nameOf(what.slice(1)) ?? (label.replace(/^@/, "") || what.slice(1))}`;
  if (what.startsWith("#")) return `#${label || what.slice(1)}`;
  if (what.startsWith("!")) return label === "" ? `@${splitOnce(what.slice(1), "^")[0]}` : label;
  return label === "" || label === what.replace(/^mailto:/, "") ? what.replace(/^mailto:/, "") : `${label} (${what})`;
}

function splitOnce(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + mark.length)];
}
