import type { DialOptions } from "../../../src/host/host.ts";
import type { Socket, SocketEvents } from "../../../src/host/socket.ts";
import type { SentRequest } from "../channel-context.ts";

/** Discord as one bot sees it, strict: REST and Gateway (v10). What the real one refuses is refused, and noted. */
export interface DiscordDouble {
  readonly token: string;
  readonly bot: { readonly id: string; readonly username: string };
  answer(request: SentRequest): Promise<Response>;
  dialled(url: URL, options: DialOptions): SocketEvents;
  /** Somebody writes in private. */
  write(text: string): void;
  /** An event as it is; answers its number. */
  event(type: string, data: Readonly<Record<string, unknown>>): number;
  readonly messages: readonly PostedMessage[];
  readonly calls: readonly { readonly method: string; readonly path: string; readonly given: unknown }[];
  /** How each connection began, and when it beat. */
  readonly heard: readonly { readonly op: number; readonly d: unknown }[];
  readonly problems: readonly string[];
  /** What `GET /channels/<id>` answers. */
  readonly channels: Map<string, Readonly<Record<string, unknown>>>;
  readonly files: Map<string, Uint8Array<ArrayBuffer>>;
  revoke(): void;
  drop(): void;
  limit(seconds: number): void;
  /** The next call of this method and path is answered by this. */
  next(route: string, answer: () => Response): void;
  /** Ends the connection as Discord does. */
  close(code: number): void;
  /** Says something over the Gateway. */
  say(frame: { readonly op: number; readonly d?: unknown }): void;
  /** From now on heartbeats are not acknowledged. */
  fallSilent(): void;
  /** Forgets the session: it cannot be resumed. */
  forget(): void;
}

export interface PostedMessage {
  readonly id: string;
  readonly channel: string;
  readonly content: string;
  readonly nonce: string;
  readonly replyTo: string | undefined;
  readonly files: readonly { readonly name: string; readonly bytes: Uint8Array }[];
}

const token = "MTIzNDU2Nzg5MDEyMzQ1Njc4.GabcdE.token-of_this_test_and_no_other0";
const bot = { id: "900", username: "Clawlet" };
/** Where connections are begun, and where they are resumed. */
export interface Addresses {
  readonly gateway: string;
  readonly resumed: string;
}

const addresses = { gateway: "wss://gateway.discord.gg", resumed: "wss://gateway-us-east1-b.discord.gg" };

export function discordDouble({ gateway, resumed }: Addresses = addresses): DiscordDouble {
  const [messages, problems]: [PostedMessage[], string[]] = [[], []];
  const calls: { method: string; path: string; given: unknown }[] = [];
  const heard: { op: number; d: unknown }[] = [];
  const scripted = new Map<string, () => Response>();
  const channels = new Map<string, Readonly<Record<string, unknown>>>();
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  let stream: { readonly s: number; readonly t: string; readonly d: unknown }[] = [];
  let [revoked, silent, limited, seq, lastId] = [false, false, 0, 0, 1000];
  let session: string | undefined;
  let socket: Socket | undefined;
  let isStarted = false;

  async function answer(request: SentRequest): Promise<Response> {
    const { url, method, headers } = request;
    const path = url.pathname.replace(/^\/api\/v10/, "");
    if (url.hostname === "cdn.discordapp.com") {
      if (headers.has("authorization")) problems.push("the token goes to where files are");
      const bytes = files.get(path);
      return bytes ? new Response(bytes) : new Response("Not Found", { status: 404 });
    }
    if (revoked || headers.get("authorization") !== `Bot ${token}`) return refusal(401, "401: Unauthorized");
    if (!/^DiscordBot \(\S+, \S+\)/.test(headers.get("user-agent") ?? "")) problems.push("no user agent of a bot");
    if (!url.pathname.startsWith("/api/v10/")) problems.push(`no version in ${url.pathname}`);
    const { given, attached } = await bodyOf(request);
    calls.push({ method, path, given });
    const script = scripted.get(`${method} ${path}`);
    if (scripted.delete(`${method} ${path}`) && script) return script();
    const answered = route(method, path, { given, attached });
    if (answered.status === 400) problems.push(`${method} ${path}: ${await answered.clone().text()}`);
    return answered;
  }

  function route(method: string, path: string, body: Body): Response {
    if (method === "GET" && path === "/gateway/bot")
      return Response.json({ url: gateway, shards: 1, session_start_limit: { remaining: 900, reset_after: 9000 } });
    if (method === "GET" && path === "/users/@me") return Response.json({ ...bot, bot: true });
    if (method === "POST" && path === "/users/@me/channels") {
      const user = String(body.given["recipient_id"]);
      return /^\d+$/.test(user) ? Response.json({ id: `5${user}`, type: 1 }) : refusal(400, "Invalid Form Body");
    }
    const [, channel = "", rest] = /^\/channels\/(\d+)(\/.*)?$/.exec(path) ?? [];
    if (method === "GET" && rest === undefined && channel !== "") {
      const known = channels.get(channel);
      return known ? Response.json({ id: channel, ...known }) : refusal(404, "Unknown Channel", 10003);
    }
    if (method === "POST" && rest === "/messages") return post(channel, body);
    if (method === "POST" && rest === "/typing") return new Response(null, { status: 204 });
    const [, id, reaction] = /^\/messages\/(\d+)(?:\/reactions\/([^/]+)\/@me)?$/.exec(rest ?? "") ?? [];
    const at = messages.findIndex((message) => message.id === id && message.channel === channel);
    const message = messages[at];
    if (id === undefined) return refusal(405, "405: Method Not Allowed");
    if (!message) return refusal(404, "Unknown Message", 10008);
    if (reaction !== undefined && (method === "PUT" || method === "DELETE")) return new Response(null, { status: 204 });
    if (method === "GET")
      return Response.json({
        id,
        reactions: [
          { me: true, emoji: { id: null, name: "👀" } },
          { me: false, emoji: { id: "7", name: "x" } },
        ],
      });
    if (method === "PATCH") {
      const content = body.given["content"];
      if (typeof content !== "string" || content.length > 2000) return refusal(400, "Invalid Form Body", 50035);
      messages[at] = { ...message, content };
      return Response.json({ id });
    }
    if (method !== "DELETE") return refusal(405, "405: Method Not Allowed");
    messages.splice(at, 1);
    return new Response(null, { status: 204 });
  }

  function post(channel: string, { given, attached }: Body): Response {
    const { content, nonce, enforce_nonce, allowed_mentions: mentions, message_reference: reference } = given;
    if (limited > 0) {
      const retry_after = limited;
      limited = 0;
      const body = { message: "You are being rate limited.", retry_after, global: false };
      return Response.json(body, { status: 429, headers: { "retry-after": String(retry_after) } });
    }
    if (typeof content !== "string" || content.length > 2000 || (content.trim() === "" && attached.length === 0))
      return refusal(400, "Cannot send an empty message", 50006);
    if (typeof nonce !== "string" || nonce.length > 25) return refusal(400, "Invalid Form Body: nonce", 50035);
    if (JSON.stringify(mentions) !== '{"parse":[]}') problems.push("anybody may be called");
    const known = messages.find((message) => message.nonce === nonce);
    if (known && enforce_nonce === true) return Response.json({ id: known.id, channel_id: channel });
    const id = String(++lastId);
    const replyTo = isObject(reference) ? String(reference["message_id"]) : undefined;
    messages.push({ id, channel, content, nonce, replyTo, files: attached });
    return Response.json({ id, channel_id: channel });
  }

  function dialled(url: URL, options: DialOptions): SocketEvents {
    if (url.searchParams.get("v") !== "10" || url.searchParams.get("encoding") !== "json")
      problems.push(`dialled ${url.href}`);
    if (JSON.stringify(options.headers ?? {}).includes(token)) problems.push("the token is in the headers");
    return {
      open(opened) {
        socket = opened;
        isStarted = false;
        tell(10, { heartbeat_interval: 41_250 });
      },
      message: (_, text) => hear(JSON.parse(text)),
      pong: () => undefined,
      drain: () => undefined,
      close(closed, code) {
        if (socket !== closed) return;
        socket = undefined;
        // What is ended by us with one of these cannot be resumed.
        if (code === 1000 || code === 1001) session = undefined;
      },
    };
  }

  function hear({ op, d }: { op: number; d: Readonly<Record<string, unknown>> }): void {
    heard.push({ op, d });
    if (op === 1) return silent ? undefined : tell(11, undefined);
    if (op !== 2 && op !== 6) return socket?.close(4001, "Unknown opcode.");
    if (isStarted) return socket?.close(4005, "Already authenticated.");
    if (revoked || d["token"] !== token) return socket?.close(4004, "Authentication failed.");
    isStarted = true;
    if (op === 2) return identify(d);
    if (session === undefined || d["session_id"] !== session) {
      isStarted = false;
      return tell(9, false);
    }
    const from = Number(d["seq"]);
    if (from > seq) return socket?.close(4007, "Invalid seq.");
    for (const { s, t, d: data } of stream.filter((event) => event.s > from)) frame({ op: 0, s, t, d: data });
    event("RESUMED", {});
  }

  function identify({ intents, properties }: Readonly<Record<string, unknown>>): void {
    if (typeof intents !== "number" || !isObject(properties)) return socket?.close(4002, "Decode error.");
    for (const bit of [0, 9, 12, 15]) if ((intents & (1 << bit)) === 0) problems.push(`intent ${bit} is missing`);
    [session, seq, stream] = [`session-${++lastId}`, 0, []];
    event("READY", { v: 10, session_id: session, resume_gateway_url: resumed, user: bot, guilds: [] });
  }

  function event(t: string, d: unknown): number {
    stream.push({ s: ++seq, t, d });
    if (isStarted) frame({ op: 0, s: seq, t, d });
    return seq;
  }

  function tell(op: number, d: unknown): void {
    frame({ op, d, s: null, t: null });
  }

  function frame(given: unknown): void {
    socket?.send(JSON.stringify(given));
  }

  return {
    token,
    bot,
    answer,
    dialled,
    messages,
    calls,
    heard,
    problems,
    channels,
    files,
    write: (content) => void event("MESSAGE_CREATE", privateMessage({ id: String(++lastId), content })),
    event,
    revoke() {
      revoked = true;
      socket?.close(4004, "Authentication failed.");
    },
    drop: () => socket?.terminate(),
    limit: (seconds) => void (limited = seconds),
    next: (which, script) => void scripted.set(which, script),
    close: (code) => socket?.close(code, ""),
    say: ({ op, d }) => tell(op, d),
    fallSilent: () => void (silent = true),
    forget: () => void (session = undefined),
  };
}

/** A message that somebody wrote in private, with what is given instead. */
export function privateMessage(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return {
    id: "1",
    type: 0,
    channel_id: "542",
    author: { id: "42", username: "ada", global_name: "Ada" },
    content: "",
    timestamp: "2026-11-21T00:00:00.000000+00:00",
    mentions: [],
    attachments: [],
    ...fields,
  };
}

export function refusal(status: number, message: string, code = 0): Response {
  return Response.json({ message, code }, { status });
}

interface Body {
  readonly given: Readonly<Record<string, unknown>>;
  readonly attached: readonly { readonly name: string; readonly bytes: Uint8Array }[];
}

async function bodyOf({ headers, body, json }: SentRequest): Promise<Body> {
  const type = headers.get("content-type") ?? "";
  if (!type.startsWith("multipart/form-data")) return { given: isObject(json) ? json : {}, attached: [] };
  const form = await new Response(new Uint8Array(body), { headers: { "content-type": type } }).formData();
  const attached: { name: string; bytes: Uint8Array }[] = [];
  for (const [key, value] of form)
    if (typeof value !== "string" && /^files\[\d\]$/.test(key))
      attached.push({ name: value.name, bytes: new Uint8Array(await value.arrayBuffer()) });
  const payload = form.get("payload_json");
  return { given: JSON.parse(typeof payload === "string" ? payload : "{}"), attached };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
