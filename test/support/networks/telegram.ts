import type { SentRequest } from "../channel-context.ts";
import { seenOf } from "./telegram-html.ts";

/**
 * Telegram's Bot API as one bot sees it, strict: what the real one refuses is refused, and noted in `problems`. It is long
 * as its methods are many; all of them look at the same few values.
 */
export interface TelegramDouble {
  readonly token: string;
  readonly bot: { readonly id: number; readonly username: string };
  /** Answers a request to it. */
  answer(request: SentRequest, signal: AbortSignal | null): Promise<Response>;
  /** Somebody writes to the bot in private; answers the message's id. */
  write(text: string, from?: Partial<Person>): number;
  /** An update as it is; answers its id. */
  update(fields: Readonly<Record<string, unknown>>): number;
  /** Messages that were sent, edited and removed as they are now. */
  readonly messages: readonly Shown[];
  /** Calls other than for updates, in order. */
  readonly calls: readonly { readonly method: string; readonly given: Readonly<Record<string, unknown>> }[];
  /** Updates that nobody has confirmed. */
  readonly waiting: number;
  /** Where updates are brought to. */
  readonly webhook: { readonly url: string; readonly secret: string } | undefined;
  readonly problems: readonly string[];
  /** Files by id, as `getFile` and the download give them. */
  readonly files: Map<string, Uint8Array<ArrayBuffer>>;
  revoke(): void;
  drop(): void;
  /** Refuses the next message, for so many seconds. */
  limit(seconds: number): void;
  /** The next call of a method is answered by this. */
  next(method: string, answer: () => Response): void;
}

export interface Person {
  readonly id: number;
  readonly first_name: string;
}

export interface Shown {
  readonly id: number;
  readonly chat: string;
  readonly thread: number | undefined;
  readonly text: string;
  /** What people see: the text without its tags. */
  readonly seen: string;
  readonly replyTo: number | undefined;
  readonly files: readonly { readonly name: string; readonly type: string; readonly bytes: Uint8Array }[];
}

export interface DoubleOptions {
  /** Runs work later; long polls end by it. */
  readonly after: (ms: number, work: () => void) => () => void;
  readonly now: () => number;
}

const token = "123456789:AAtoken-of_this_test_and_no_other00";
const bot = { id: 123456789, username: "ClawletBot" };

export function telegramDouble({ after, now }: DoubleOptions): TelegramDouble {
  const [messages, problems]: [Shown[], string[]] = [[], []];
  const calls: { method: string; given: Readonly<Record<string, unknown>> }[] = [];
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  const scripted = new Map<string, () => Response>();
  let updates: { readonly update_id: number }[] = [];
  let polls: ((broken?: Error) => void)[] = [];
  let [updateId, messageId, revoked, limited] = [7000, 100, false, 0];
  let webhook: TelegramDouble["webhook"];

  const woken = (broken?: Error): void => {
    for (const wake of polls.splice(0)) wake(broken);
  };

  async function answer(request: SentRequest, signal: AbortSignal | null): Promise<Response> {
    const [, given, method = ""] = /^\/bot([^/]+)\/(\w+)$/.exec(request.url.pathname) ?? [];
    const download = /^\/file\/bot([^/]+)\/(.+)$/.exec(request.url.pathname);
    if (revoked) return refusal(401, "Unauthorized");
    if (download) return fileAt(download[1], download[2] ?? "");
    if (given !== token)
      return refusal(given === undefined ? 404 : 401, given === undefined ? "Not Found" : "Unauthorized");
    if (request.method !== "POST") problems.push(`${method} by ${request.method}`);
    const fields = await fieldsOf(request);
    if (method !== "getUpdates") calls.push({ method, given: fields });
    const script = scripted.get(method);
    if (scripted.delete(method) && script) return script();
    if (method === "getUpdates") return poll(fields, signal);
    const work = methods[method];
    if (!work) {
      problems.push(`there is no method ${method}`);
      return refusal(404, "Not Found");
    }
    const answered = work(fields);
    if (answered instanceof Response && !answered.ok && answered.status === 400)
      problems.push(`${method}: ${await answered.clone().text()}`);
    return answered instanceof Response ? answered : good(answered);
  }

  function fileAt(given: string | undefined, path: string): Response {
    const bytes = files.get(path.replace(/^documents\//, ""));
    return given === token && bytes ? new Response(bytes) : refusal(404, "Not Found");
  }

  async function poll(fields: Fields, signal: AbortSignal | null): Promise<Response> {
    if (webhook)
      return refusal(409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook");
    // A newer request ends the older one.
    if (polls.length > 0) woken();
    const offset = fields["offset"];
    if (offset !== undefined && typeof offset !== "number") problems.push("offset is no number");
    if (typeof offset === "number") updates = updates.filter(({ update_id }) => update_id >= offset);
    const seconds = Number(fields["timeout"] ?? 0);
    if (seconds < 0 || seconds > 50) problems.push(`timeout is ${seconds}`);
    if (updates.length === 0 && seconds > 0) {
      const broken = await new Promise<Error | undefined>((resolve) => {
        const disarm = after(seconds * 1000, () => wake());
        const wake = (error?: Error): void => {
          disarm();
          polls = polls.filter((other) => other !== wake);
          resolve(error);
        };
        polls.push(wake);
        signal?.addEventListener("abort", () => wake(), { once: true });
      });
      if (broken) throw broken;
    }
    if (revoked) return refusal(401, "Unauthorized");
    return good(updates.slice(0, Number(fields["limit"] ?? 100)));
  }

  const methods: Readonly<Record<string, (fields: Fields) => unknown>> = {
    getMe: () => ({ id: bot.id, is_bot: true, first_name: "Clawlet", username: bot.username }),
    deleteWebhook() {
      webhook = undefined;
      return true;
    },
    setWebhook({ url, secret_token: secret }) {
      if (typeof url !== "string" || !url.startsWith("https://"))
        return refusal(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook");
      if (typeof secret !== "string" || !/^[\w-]{1,256}$/.test(secret))
        return refusal(400, "Bad Request: secret token contains unallowed characters");
      webhook = { url, secret };
      return true;
    },
    getWebhookInfo: () => ({ url: webhook?.url ?? "", pending_update_count: updates.length }),
    sendMessage: (fields) => shown(fields, textOf(fields["text"]), 4096, []),
    sendPhoto: (fields) => withFile(fields, "photo"),
    sendDocument: (fields) => withFile(fields, "document"),
    sendVoice: (fields) => withFile(fields, "voice"),
    sendAudio: (fields) => withFile(fields, "audio"),
    sendVideo: (fields) => withFile(fields, "video"),
    sendAnimation: (fields) => withFile(fields, "animation"),
    sendMediaGroup(fields) {
      const media: { type: string; media: string; caption?: string; parse_mode?: string }[] = JSON.parse(
        String(fields["media"]),
      );
      if (media.length < 2 || media.length > 10) return refusal(400, "Bad Request: wrong number of media");
      if (media.some(({ type }) => type === "document") && media.some(({ type }) => type !== "document"))
        return refusal(400, "Bad Request: documents can't be mixed with other media types");
      return media.map(({ media: where, caption = "", parse_mode }) =>
        shown({ ...fields, parse_mode }, caption, 1024, [fields[where.replace("attach://", "")]]),
      );
    },
    editMessageText(fields) {
      const at = messages.findIndex(({ id }) => id === fields["message_id"]);
      const old = messages[at];
      if (!old) return refusal(400, "Bad Request: message to edit not found");
      const html = fields["parse_mode"] === "HTML" ? seenOf(textOf(fields["text"])) : textOf(fields["text"]);
      if (html === old.seen) return refusal(400, "Bad Request: message is not modified: specified new message content");
      messages[at] = { ...old, text: textOf(fields["text"]), seen: html ?? "" };
      return { message_id: old.id };
    },
    deleteMessage({ message_id: id }) {
      const at = messages.findIndex((message) => message.id === id);
      if (at < 0) return refusal(400, "Bad Request: message to delete not found");
      messages.splice(at, 1);
      return true;
    },
    setMessageReaction({ message_id: id, reaction }) {
      const wellFormed = Array.isArray(reaction) && reaction.every((each) => each.type === "emoji" && each.emoji);
      return typeof id === "number" && wellFormed ? true : refusal(400, "Bad Request: REACTION_INVALID");
    },
    sendChatAction: ({ action }) => (action === "typing" ? true : refusal(400, "Bad Request: wrong parameter action")),
    answerCallbackQuery: ({ callback_query_id: id }) =>
      typeof id === "string" ? true : refusal(400, "Bad Request: query is too old and response timeout expired"),
    getFile({ file_id: id }) {
      if (!files.has(String(id))) return refusal(400, "Bad Request: invalid file_id");
      return { file_id: id, file_path: `documents/${String(id)}` };
    },
  };

  function withFile(fields: Fields, field: string): unknown {
    return shown(fields, textOf(fields["caption"]), 1024, [fields[field]]);
  }

  function shown(fields: Fields, text: string, most: number, attached: readonly unknown[]): unknown {
    if (limited > 0) {
      const seconds = limited;
      limited = 0;
      return refusal(429, `Too Many Requests: retry after ${seconds}`, { retry_after: seconds });
    }
    const chat = textOf(fields["chat_id"]);
    if (!/^(-?\d+|@\w+)$/.test(chat)) return refusal(400, "Bad Request: chat_id is empty");
    if (textOf(fields["message_thread_id"]) === "1") return refusal(400, "Bad Request: message thread not found");
    if (fields["parse_mode"] !== undefined && fields["parse_mode"] !== "HTML")
      return refusal(400, "Bad Request: unsupported parse_mode");
    const seen = fields["parse_mode"] === "HTML" ? seenOf(text) : text;
    if (seen === undefined) return refusal(400, "Bad Request: can't parse entities: Unsupported start tag");
    if (seen.trim() === "" && attached.length === 0) return refusal(400, "Bad Request: message text is empty");
    if (seen.length > most) return refusal(400, "Bad Request: message is too long");
    const parts = attached.flatMap((file) => (file instanceof Attached ? [file] : []));
    if (parts.length !== attached.length) return refusal(400, "Bad Request: there is no file in the request");
    const reply = replyIn(fields["reply_parameters"]);
    if (reply && reply["allow_sending_without_reply"] !== true)
      return refusal(400, "Bad Request: message to be replied not found");
    const thread = fields["message_thread_id"];
    const message: Shown = {
      id: ++messageId,
      chat,
      thread: thread === undefined ? undefined : Number(thread),
      text,
      seen,
      replyTo: reply ? Number(reply["message_id"]) : undefined,
      files: parts.map(({ name, type, bytes }) => ({ name, type, bytes })),
    };
    messages.push(message);
    return { message_id: message.id, date: Math.floor(now() / 1000), chat: { id: chat }, text };
  }

  return {
    token,
    bot,
    answer,
    messages,
    calls,
    problems,
    files,
    get waiting() {
      return updates.length;
    },
    get webhook() {
      return webhook;
    },
    write(text, from = {}) {
      const person = { id: 42, is_bot: false, first_name: "Ada", ...from };
      const message_id = ++messageId;
      const chat = { id: person.id, type: "private", first_name: person.first_name };
      this.update({ message: { message_id, date: Math.floor(now() / 1000), chat, from: person, text } });
      return message_id;
    },
    update(fields) {
      updates.push({ update_id: ++updateId, ...fields });
      woken();
      return updateId;
    },
    revoke() {
      revoked = true;
      woken();
    },
    drop: () => woken(new TypeError("fetch failed: the connection was reset")),
    limit: (seconds) => void (limited = seconds),
    next: (method, script) => void scripted.set(method, script),
  };
}

type Fields = Readonly<Record<string, unknown>>;

class Attached {
  readonly name: string;
  readonly type: string;
  readonly bytes: Uint8Array;
  constructor(name: string, type: string, bytes: Uint8Array) {
    this.name = name;
    this.type = type;
    this.bytes = bytes;
  }
}

async function fieldsOf({ headers, body, json }: SentRequest): Promise<Fields> {
  const type = headers.get("content-type") ?? "";
  if (type.startsWith("application/json")) return json;
  const form = await new Response(new Uint8Array(body), { headers: { "content-type": type } }).formData();
  const fields: Record<string, unknown> = {};
  for (const [key, value] of form)
    fields[key] =
      typeof value === "string"
        ? value
        : new Attached(value.name, value.type, new Uint8Array(await value.arrayBuffer()));
  return fields;
}

function replyIn(given: unknown): Fields | undefined {
  return given === undefined ? undefined : typeof given === "string" ? JSON.parse(given) : (given as Fields);
}

function textOf(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

function good(result: unknown): Response {
  return Response.json({ ok: true, result });
}

export function refusal(status: number, description: string, parameters?: Readonly<Record<string, unknown>>): Response {
  return Response.json(
    { ok: false, error_code: status, description, ...(parameters ? { parameters } : {}) },
    { status },
  );
}
