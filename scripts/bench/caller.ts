// The client of every measurement: the same for each gateway, and no more than the protocol asks.
import { loadIdentity } from "../../src/pairing/identity.ts";
import { signedText } from "../../src/protocol/signature.ts";
import { createMemoryStore } from "../../src/store/memory.ts";
import { sleep, token } from "./process.ts";

/** An open WebSocket to this port. */
export function dial(port: number): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`);
    socket.addEventListener("open", () => resolve(socket));
    socket.addEventListener("close", (event) => reject(new Error(`closed ${event.code} ${event.reason}`)));
  });
}

/** A WebSocket whose caller may do everything. */
export async function hello(port: number): Promise<WebSocket> {
  const socket = await dial(port);
  return introduce(socket, {
    client: { id: "gateway-client", version: "bench", platform: "linux", mode: "backend" },
    role: "operator",
    scopes: ["operator.admin"],
  });
}

/** A WebSocket of a node, which may tell of itself as often as it likes; every operator hears it. */
export async function helloAsNode(port: number): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`);
  const nonce = await new Promise<string>((resolve, reject) => {
    socket.addEventListener("message", ({ data }) => resolve(JSON.parse(String(data)).payload.nonce), { once: true });
    socket.addEventListener("close", (event) => reject(new Error(`closed ${event.code} ${event.reason}`)));
  });
  const identity = await loadIdentity(createMemoryStore());
  const client = { id: "node-host", version: "bench", platform: "linux", mode: "node" };
  const [role, signedAt] = ["node", Date.now()] as const;
  const said = { clientId: client.id, clientMode: client.mode, role, scopes: [], signedAt, token, nonce };
  const text = signedText(3, { ...said, deviceId: identity.deviceId, platform: client.platform, deviceFamily: "" });
  const signature = await identity.sign(text);
  const device = { id: identity.deviceId, publicKey: identity.publicKey, signature, signedAt, nonce };
  return introduce(socket, { client, role, device });
}

async function introduce(socket: WebSocket, who: object): Promise<WebSocket> {
  const params = { minProtocol: 4, maxProtocol: 4, auth: { token }, ...who };
  const answer = await ask(socket, JSON.stringify({ type: "req", id: "c", method: "connect", params }));
  if (!answer.includes('"hello-ok"')) throw new Error(answer);
  return socket;
}

/** Sends one text and waits for the response to it, past any event. */
export function ask(socket: WebSocket, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const listen = ({ data }: MessageEvent): void => {
      if (!isResponse(data)) return;
      socket.removeEventListener("message", listen);
      resolve(data);
    };
    socket.addEventListener("message", listen);
    socket.addEventListener("close", (event) => reject(new Error(`closed ${event.code} ${event.reason}`)));
    socket.send(text);
  });
}

/** A response, not an event. */
export function isResponse(data: unknown): data is string {
  return typeof data === "string" && data.startsWith('{"type":"res"');
}

/** Answers per second with `depth` requests always under way; `request` gives the text of each. */
export async function rate(
  socket: WebSocket,
  request: () => string,
  { depth, seconds }: { readonly depth: number; readonly seconds: number },
): Promise<number> {
  let [answers, running] = [0, true];
  let refused: string | undefined;
  const listen = ({ data }: MessageEvent): void => {
    if (!isResponse(data)) return;
    answers++;
    if (data.includes('"ok":false')) refused ??= data;
    if (running) socket.send(request());
  };
  socket.addEventListener("message", listen);
  for (let index = 0; index < depth; index++) socket.send(request());
  await sleep(500);
  const [from, since] = [answers, performance.now()];
  await sleep(seconds * 1000);
  const perSecond = ((answers - from) * 1000) / (performance.now() - since);
  running = false;
  await sleep(200);
  socket.removeEventListener("message", listen);
  if (refused !== undefined) throw new Error(refused.slice(0, 300));
  if (perSecond === 0) throw new Error("no answers");
  return perSecond;
}
