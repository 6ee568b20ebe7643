import type { ProxyKind } from "./proxy.ts";

/** nginx: adds the peer to what the client says in X-Forwarded-For. */
export const nginx = {
  name: "nginx",
  program: "/usr/sbin/nginx",
  command: (folder, file) => ["/usr/sbin/nginx", "-p", folder, "-e", "stderr", "-c", file],
  configuration: ({ port, upstream, userHeader, user }, folder) => `
daemon off;
user root;
worker_processes 1;
pid ${folder}/pid;
events { worker_connections 256; }
http {
  access_log off;
  ${["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${folder}/${name};`).join(" ")}
  map $http_upgrade $connection_upgrade { default upgrade; '' close; }
  server {
    listen 0.0.0.0:${port};
    listen [::]:${port} ipv6only=on;
    location / {
      proxy_pass http://${upstream};
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header ${userHeader} ${user};
    }
  }
}
`,
} satisfies ProxyKind;
