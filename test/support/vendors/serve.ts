import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Double } from "./double.ts";

export interface Served {
  /** Such as `http://127.0.0.1:41234`. */
  readonly url: string;
  /** Connections that ended before their answer did. */
  readonly cutOff: () => number;
  close(): Promise<void>;
}

/** Serves a double over real HTTP, for gateways in processes of their own. */
export async function serveDouble({ answer }: Pick<Double, "answer">): Promise<Served> {
  let cutOff = 0;
  const server = createServer((incoming, outgoing) => {
    outgoing.on("close", () => {
      if (!outgoing.writableFinished) cutOff++;
    });
    // A gateway that ends takes its request with it.
    reply(incoming, outgoing, answer).catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${portOf(server)}`,
    cutOff: () => cutOff,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function reply(incoming: IncomingMessage, outgoing: ServerResponse, answer: Double["answer"]): Promise<void> {
  const { method = "GET", headers, url = "/" } = incoming;
  const body: Buffer[] = [];
  for await (const piece of incoming) body.push(piece as Buffer);
  const request = new Request(`http://${headers.host ?? "127.0.0.1"}${url}`, {
    method,
    headers: Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]),
    ...(method === "GET" ? {} : { body: Buffer.concat(body) }),
  });
  const response = await answer(request);
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  try {
    for await (const piece of response.body ?? []) {
      if (outgoing.destroyed) return;
      outgoing.write(piece);
    }
    outgoing.end();
  } catch {
    outgoing.destroy(); // the script breaks the connection here
  }
}

function portOf(server: Server): number {
  const address = server.address();
  if (typeof address !== "object" || !address) throw new Error("the server has no address");
  return address.port;
}
