// A gateway behind Express on Node. In a project of yours the imports are from "clawlet" and "clawlet/node".
import { createServer, type Server } from "node:http";
import express from "express";
import { attach, createListener } from "../adapters/node/embed.ts";
import { createGateway } from "../src/embed.ts";
import { exampleConfig } from "./config.ts";

/** An Express app with a gateway below `/gateway`, on a server that is yours to start. */
export async function createExpressServer(token: string): Promise<{ server: Server; close(): Promise<void> }> {
  const gateway = await createGateway({ config: exampleConfig(token) });
  const app = express();
  app.get("/", (_, response) => void response.send("my own page"));
  app.use("/gateway", createListener(gateway));

  // Express has no part in WebSockets: the gateway takes the upgrades below its path, and no others.
  const server = createServer(app);
  const detach = attach(server, gateway, { path: "/gateway" });
  return {
    server,
    async close() {
      await gateway.close();
      detach();
      server.close();
    },
  };
}
