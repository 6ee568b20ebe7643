import type { ProxyKind } from "./proxy.ts";

/** HAProxy: sends an X-Forwarded-For of its own after the client's. */
export const haproxy = {
  name: "haproxy",
  program: "/usr/sbin/haproxy",
  command: (_, file) => ["/usr/sbin/haproxy", "-db", "-f", file],
  configuration: ({ port, upstream, userHeader, user }) => `
global
  maxconn 256
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout tunnel 60s
frontend outside
  bind 0.0.0.0:${port}
  bind :::${port} v6only
  option forwardfor
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Host %[req.hdr(Host)]
  http-request set-header ${userHeader} ${user}
  default_backend gateway
backend gateway
  server gateway ${upstream}
`,
} satisfies ProxyKind;
