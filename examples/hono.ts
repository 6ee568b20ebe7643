// A gateway inside a Hono app. In a project of yours the imports are from "clawlet", and the app is served with
// "clawlet/node", "clawlet/bun", "clawlet/deno" or "clawlet/workerd": `{ fetch: app.fetch, limits: gateway.limits }`.
import { Hono } from "hono";
import { createGateway, type EmbeddedGateway, type Env } from "../src/embed.ts";
import { exampleConfig } from "./config.ts";

/** An app of your own with a gateway below `/gateway`. */
export async function createApp(token: string): Promise<{ app: Hono<{ Bindings: Env }>; gateway: EmbeddedGateway }> {
  const gateway = await createGateway({ config: exampleConfig(token) });
  const app = new Hono<{ Bindings: Env }>();
  app.get("/", (c) => c.text("my own page"));
  // The bindings are what the runtime's entry hands over: who calls, and the way to a WebSocket.
  app.mount("/gateway", (request, env: Env) => gateway.fetch(request, env));
  return { app, gateway };
}
