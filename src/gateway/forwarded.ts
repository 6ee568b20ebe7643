/**
 * The clients that forwarding headers name, a list per header that is there: the one that was first to ask in front,
 * what the nearest proxy saw last. As written: addresses with or without port and brackets, names, anything.
 */
export function forwardedClients(headers: Headers): readonly (readonly string[])[] {
  return [
    elements(headers.get("forwarded") ?? "").map((element) => element.get("for") ?? ""),
    listed(headers.get("x-forwarded-for")),
    listed(headers.get("x-real-ip")),
  ].filter((clients) => clients.length > 0);
}

/** The host that the client asked for, as the first proxy heard it. */
export function forwardedHost(headers: Headers): string | undefined {
  const [host] = listed(headers.get("x-forwarded-host"));
  return host ?? elements(headers.get("forwarded") ?? "")[0]?.get("host");
}

function listed(header: string | null): readonly string[] {
  return (header ?? "")
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

/** The elements of a `Forwarded` header (RFC 7239 4), one per proxy; none where it is malformed anywhere. */
function elements(header: string): readonly ReadonlyMap<string, string>[] {
  const pair = /\s*([!#$%&'*+.^_`|~\w-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s",;]+))\s*([,;]|$)/y;
  const found: Map<string, string>[] = [];
  let element = new Map<string, string>();
  while (pair.lastIndex < header.length) {
    const [, name = "", quoted, token = "", end] = pair.exec(header) ?? [];
    if (name === "") return [];
    element.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, "$1") ?? token);
    if (end === ";") continue;
    found.push(element);
    element = new Map();
  }
  return found;
}
