import type { ProxyKind } from "./proxy.ts";

/** Caddy: throws away what the client says in X-Forwarded-*, and passes on every other header. */
export const caddy = {
  name: "caddy",
  program: "/usr/bin/caddy",
  command: (_, file) => ["/usr/bin/caddy", "run", "--adapter", "caddyfile", "--config", file],
  configuration: ({ port, upstream, userHeader, user }) => `
{
  admin off
  auto_https off
}
http://:${port} {
  reverse_proxy ${upstream} {
    header_up ${userHeader} ${user}
  }
}
`,
} satisfies ProxyKind;
