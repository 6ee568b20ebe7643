import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { SentRequest } from "../channel-context.ts";
import { telegramDouble, type TelegramDouble } from "./telegram.ts";

/** The double of Telegram on a port of its own, for gateways in processes of theirs. */
export interface TelegramServer {
  readonly double: TelegramDouble;
  readonly url: string;
  /** While it holds, messages arrive and are not taken: their connections are cut. */
  hold(isHeld: boolean): void;
  /** Texts that arrived while it held. */
  readonly held: readonly string[];
  /** Updates of these ids were given out to somebody. */
  readonly givenOut: ReadonlySet<number>;
  close(): Promise<void>;
}

export async function serveTelegram(): Promise<TelegramServer> {
  const double = telegramDouble({
    now: () => Date.now(),
    after(ms, work) {
      const timer = setTimeout(work, ms);
      return () => clearTimeout(timer);
    },
  });
  const held: string[] = [];
  const givenOut = new Set<number>();
  let isHeld = false;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.on("close", () => gone.abort());
    const asked = await read(request);
    if (isHeld && asked.url.pathname.endsWith("/sendMessage")) {
      held.push(asked.json.text);
      response.destroy();
      return;
    }
    const answer = await double.answer(asked, gone.signal);
    const body = Buffer.from(await answer.arrayBuffer());
    if (response.destroyed) return;
    if (asked.url.pathname.endsWith("/getUpdates"))
      for (const { update_id } of JSON.parse(body.toString()).result ?? []) givenOut.add(update_id);
    response.writeHead(answer.status, { "content-type": "application/json" }).end(body);
  }

  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    double,
    url: `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`,
    hold: (given) => void (isHeld = given),
    held,
    givenOut,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function read(request: IncomingMessage): Promise<SentRequest> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(Buffer.from(piece));
  const body = new Uint8Array(Buffer.concat(pieces));
  const text = new TextDecoder().decode(body);
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) if (typeof value === "string") headers.set(name, value);
  const url = new URL(request.url ?? "/", "http://127.0.0.1");
  return { method: request.method ?? "GET", url, headers, body, text, json: parsed(text) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // not every body is JSON: `text` has it
  }
}
