import { createServer, type IncomingMessage } from "node:http";
import { WebSocketServer, type WebSocket } from "ws";
import type { Socket } from "../../../src/host/socket.ts";
import { discordDouble, type DiscordDouble } from "./discord.ts";

/** The double of Discord on a port of its own, for gateways in processes of theirs. */
export interface DiscordServer {
  readonly double: DiscordDouble;
  readonly apiRoot: string;
  close(): Promise<void>;
}

export async function serveDiscord(): Promise<DiscordServer> {
  let double: DiscordDouble | undefined;
  const server = createServer((request, response) => {
    const answered = read(request).then(async (asked) => {
      const answer = await double?.answer(asked);
      const body = Buffer.from((await answer?.arrayBuffer()) ?? new ArrayBuffer());
      response.writeHead(answer?.status ?? 503, { "content-type": "application/json" }).end(body);
    });
    answered.catch(() => response.destroy());
  });
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (webSocket, request) => {
    const url = new URL(request.url ?? "/", "http://127.0.0.1");
    const events = double?.dialled(url, {});
    const socket = socketOf(webSocket);
    webSocket.on("message", (data: Buffer) => events?.message(socket, data.toString()));
    webSocket.on("close", (code, reason) => events?.close(socket, code, reason.toString()));
    webSocket.on("error", () => webSocket.terminate());
    events?.open(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  double = discordDouble({ gateway: `ws://127.0.0.1:${port}`, resumed: `ws://127.0.0.1:${port}/resumed` });
  return {
    double,
    apiRoot: `http://127.0.0.1:${port}/api/v10`,
    close: () =>
      new Promise((resolve) => {
        for (const client of sockets.clients) client.terminate();
        sockets.close();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function socketOf(webSocket: WebSocket): Socket {
  return {
    buffered: 0,
    send(text) {
      webSocket.send(text);
      return 0;
    },
    ping: () => webSocket.ping(),
    trust: () => undefined,
    pause: () => webSocket.pause(),
    resume: () => webSocket.resume(),
    close: (code, reason) => webSocket.close(code, reason),
    terminate: () => webSocket.terminate(),
  };
}

async function read(request: IncomingMessage): Promise<Parameters<DiscordDouble["answer"]>[0]> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(Buffer.from(piece));
  const body = new Uint8Array(Buffer.concat(pieces));
  const text = new TextDecoder().decode(body);
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) if (typeof value === "string") headers.set(name, value);
  const url = new URL(request.url ?? "/", "http://127.0.0.1");
  const json: unknown =
    text === "" || !headers.get("content-type")?.startsWith("application/json") ? undefined : JSON.parse(text);
  return { method: request.method ?? "GET", url, headers, body, text, json };
}
