const allowed = /^(?:b|i|s|u|code|pre|blockquote|a|tg-spoiler)$/;

/** The text of HTML that Telegram takes; undefined for any other. */
export function seenOf(html: string): string | undefined {
  const open: string[] = [];
  let text = "";
  for (const [part] of html.matchAll(/<[^>]*>?|[^<]+/g)) {
    if (!part.startsWith("<")) {
      if (/&(?!(?:amp|lt|gt|quot|#\d+);)/.test(part) || part.includes(">")) return undefined;
      text += part;
      continue;
    }
    const [, slash, name = "", attributes = ""] = /^<(\/?)([a-z-]+)((?:\s[^>]*)?)>$/.exec(part) ?? [];
    if (!allowed.test(name)) return undefined;
    if (slash === "/") {
      if (open.pop() !== name) return undefined;
    } else if (name === "a" ? !/^ href="[^"]+"$/.test(attributes) : !/^(?: class="language-[^"]+")?$/.test(attributes))
      return undefined;
    else open.push(name);
  }
  if (open.length > 0) return undefined;
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&amp;", "&");
}
