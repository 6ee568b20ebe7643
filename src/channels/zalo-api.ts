import * as v from "valibot";
import { Failure, type Code } from "../kit/error.ts";
import { parseJson } from "../kit/json.ts";
import { ask, codeOf, download } from "./channel-request.ts";
import type { ChannelContext, Self } from "./channel.ts";

/** Zalo's Bot API (bot.zaloplatforms.com/docs). */
export interface ZaloApi {
  me(signal?: AbortSignal): Promise<Self>;
  /** The next update, undefined when there was none for a while. It is not given out again. */
  next(): Promise<unknown>;
  /** The update in what Zalo posts to us. */
  updateIn(body: string): unknown;
  setWebhook(options: { readonly url: string; readonly secret: string }): Promise<void>;
  removeWebhook(): Promise<void>;
  /** Answers the message's id. */
  sendMessage(message: { readonly chat_id: string; readonly text: string }, signal: AbortSignal): Promise<string>;
  typing(chatId: string): Promise<void>;
  /** A picture that somebody sent: it lies on public hosts of Zalo's, and needs no token. */
  fetch(url: string, options: { readonly maxBytes: number; readonly signal: AbortSignal }): Promise<Uint8Array>;
}

const POLL_S = 30;
const label = "Zalo";

export function zaloApi(context: ChannelContext, { apiRoot, token }: { apiRoot: string; token: string }): ZaloApi {
  const root = `${apiRoot.replace(/\/+$/, "")}/bot${encodeURIComponent(token).replace("%3A", ":")}`;

  async function call<S extends v.GenericSchema>(
    method: string,
    shape: S,
    { json = {}, signal = context.signal, timeoutMs }: { json?: object; signal?: AbortSignal; timeoutMs?: number } = {},
  ): Promise<v.InferOutput<S>> {
    const request = { label, url: `${root}/${method}`, json, signal, refusal };
    const answer = await ask(context, timeoutMs === undefined ? request : { ...request, timeoutMs });
    const refused = refusal(200, answer);
    if (refused) throw refused;
    const parsed = v.safeParse(v.looseObject({ ok: v.literal(true), result: shape }), answer);
    if (!parsed.success) throw new Failure("timeout", `${label} gave no proper answer to ${method}`);
    return parsed.output.result;
  }

  return {
    async me(signal) {
      const { id, account_name: name } = await call("getMe", selfShape, signal ? { signal } : {});
      return { id, name };
    },
    async next() {
      const options = { json: { timeout: String(POLL_S) }, timeoutMs: (POLL_S + 15) * 1000 };
      return call("getUpdates", v.optional(v.unknown()), options).catch((error: unknown) => {
        if (v.is(nothingNew, Failure.from(error).details)) return undefined;
        throw error;
      });
    },
    updateIn(body) {
      const json = parseJson(body);
      const wrapped = v.safeParse(v.looseObject({ ok: v.literal(true), result: v.looseObject({}) }), json);
      return wrapped.success ? wrapped.output.result : json;
    },
    async setWebhook({ url, secret }) {
      await call("setWebhook", v.unknown(), { json: { url, secret_token: secret } });
    },
    async removeWebhook() {
      await call("deleteWebhook", v.optional(v.unknown()));
    },
    async sendMessage(message, signal) {
      return (await call("sendMessage", sentShape, { json: message, signal })).message_id;
    },
    async typing(chatId) {
      await call("sendChatAction", v.optional(v.unknown()), { json: { chat_id: chatId, action: "typing" } });
    },
    async fetch(url, options) {
      const { protocol, hostname } = new URL(url);
      if (protocol !== "https:" || !hosts.test(hostname))
        throw new Failure("forbidden", "the picture does not lie on a host of Zalo's: it is not fetched");
      return download(context, { label, url, ...options });
    },
  };
}

const hosts = /(?:^|\.)(?:zdn\.vn|zalo\.me|zaloapp\.com|zaloplatforms\.com|zadn\.vn|zapps\.me)$/;

/** Refusals come with any status, 200 too; the token is a part of the address, and of nothing that is said here. */
function refusal(status: number, body: unknown): Failure | undefined {
  const parsed = v.safeParse(refusalShape, body);
  if (!parsed.success) return undefined;
  const { error_code: number, description = "" } = parsed.output;
  const code: Code = codeOf(number ?? (status === 200 ? 400 : status));
  const details = { error: number ?? status };
  return new Failure(code, `${label} refused: ${description.slice(0, 200) || "it did not say why"}`, { details });
}

const refusalShape = v.looseObject({
  ok: v.literal(false),
  error_code: v.optional(v.number()),
  description: v.optional(v.string()),
});

const nothingNew = v.object({ error: v.literal(408) });
const selfShape = v.looseObject({ id: v.string(), account_name: v.optional(v.string()) });
const sentShape = v.looseObject({ message_id: v.string() });
