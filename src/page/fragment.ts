/** What the address says behind `#`: a secret that was handed over (`#token=`), and the conversation to open. */
export interface Fragment {
  readonly secret: string | undefined;
  readonly session: string | undefined;
}

export function readFragment(hash: string): Fragment {
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  const one = (name: string) => given.get(name)?.trim() || undefined;
  return { secret: one("token") ?? one("password"), session: one("session") };
}

/** The fragment that leads back to a conversation. A secret never stands in it: addresses are kept, shared and shown. */
export function writeFragment({ session }: Pick<Fragment, "session">): string {
  return session === undefined ? "" : `#${new URLSearchParams({ session })}`;
}

/** The gateway's WebSocket: where the page came from, its folder included (protocol.md 9). */
export function socketUrl({ href }: Pick<Location, "href">): string {
  const url = new URL(".", href);
  return `${url.protocol === "https:" ? "wss:" : "ws:"}//${url.host}${url.pathname}`;
}
