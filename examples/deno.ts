// A gateway in Deno.serve. In a project of yours the imports are from "clawlet" and "clawlet/deno".
import { handler, type ServeInfo } from "../adapters/deno/embed.ts";
import { createGateway } from "../src/embed.ts";
import { exampleConfig } from "./config.ts";

/** The part of Deno that is used, for a project that is checked without Deno's own types. */
interface DenoServe {
  serve(
    options: { hostname: string; port: number; onListen: () => void },
    handler: (request: Request, info: ServeInfo) => Response | Promise<Response>,
  ): { readonly addr: { readonly port: number }; shutdown(): Promise<void> };
}
declare const Deno: DenoServe;

/** Serves a page of your own, and everything else with a gateway. */
export async function serveOnDeno(token: string, port: number): Promise<{ port: number; close(): Promise<void> }> {
  const gateway = await createGateway({ config: exampleConfig(token) });
  const answer = handler(gateway);
  const server = Deno.serve({ hostname: "127.0.0.1", port, onListen: () => undefined }, (request, info) =>
    new URL(request.url).pathname === "/" && !request.headers.has("upgrade") ? page() : answer(request, info),
  );
  return {
    port: server.addr.port,
    async close() {
      await gateway.close();
      await server.shutdown();
    },
  };
}

function page(): Response {
  return new Response("my own page");
}
