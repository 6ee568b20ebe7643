// A gateway in Bun.serve. In a project of yours the imports are from "clawlet" and "clawlet/bun".
import { handlers } from "../adapters/bun/embed.ts";
import { createGateway } from "../src/embed.ts";
import { exampleConfig } from "./config.ts";

/** Serves a page of your own, and everything else with a gateway. */
export async function serveOnBun(token: string, port: number): Promise<{ port: number; close(): Promise<void> }> {
  const gateway = await createGateway({ config: exampleConfig(token) });
  const served = handlers(gateway);
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port,
    websocket: served.websocket,
    maxRequestBodySize: gateway.limits.maxBody,
    fetch: (request, bun) =>
      new URL(request.url).pathname === "/" && !request.headers.has("upgrade") ? page() : served.fetch(request, bun),
  });
  return {
    port: server.port ?? port,
    async close() {
      await gateway.close();
      await server.stop();
    },
  };
}

function page(): Response {
  return new Response("my own page");
}
