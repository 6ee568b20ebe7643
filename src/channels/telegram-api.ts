import * as v from "valibot";
import { Failure, type Code } from "../kit/error.ts";
import type { ChannelContext, Self } from "./channel.ts";
import { ask, codeOf, download, type NetworkRequest } from "./channel-request.ts";

/** Telegram's Bot API. The token is in every address: no error of it shows one. */
export interface TelegramApi {
  /** Calls a method; rejects as `Channel.send` does. A FormData goes as it is. */
  call(method: string, given: Readonly<Record<string, unknown>> | FormData, options?: CallOptions): Promise<unknown>;
  me(signal: AbortSignal): Promise<TelegramSelf>;
  /** The bytes of a file that came with a message. */
  file(id: string, options: { readonly maxBytes: number; readonly signal: AbortSignal }): Promise<Uint8Array>;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Longest wait for the answer; 30 seconds unless given. */
  readonly timeoutMs?: number;
}

export interface TelegramSelf extends Self {
  /** Without the `@`. */
  readonly username: string;
}

export interface Access {
  readonly token: string;
  readonly apiRoot: string;
}

export function telegramApi(
  { token, apiRoot }: Access,
  context: Pick<ChannelContext, "fetch" | "clock" | "signal">,
): TelegramApi {
  const root = apiRoot.replace(/\/+$/, "");

  async function call(...[method, given, { signal = context.signal, timeoutMs }]: Called): Promise<unknown> {
    const body = given instanceof FormData ? { body: given } : { json: given };
    const wait = timeoutMs === undefined ? {} : { timeoutMs };
    const url = `${root}/bot${token}/${method}`;
    const request: NetworkRequest = { label: "Telegram", url, method: "POST", signal, refusal, ...body, ...wait };
    const answer = v.safeParse(answerSchema, await ask(context, request).catch(bare));
    if (answer.success) return answer.output.result;
    throw new Failure("timeout", `Telegram's answer to ${method} cannot be understood`);
  }

  return {
    call: (method, given, options = {}) => call(method, given, options),
    async me(signal) {
      const answer = await call("getMe", {}, { signal }).catch((error: unknown) => {
        // A token that is no token at all is answered like a method that there is not.
        const failure = Failure.from(error);
        throw failure.code === "not-found" || failure.code === "unauthorized" ? refusedToken() : failure;
      });
      const me = v.safeParse(meSchema, answer);
      if (!me.success) throw new Failure("timeout", "Telegram does not say who this bot is");
      const { id, username, first_name: name } = me.output;
      return { id: String(id), username, name: name ?? username };
    },
    async file(id, { maxBytes, signal }) {
      const found = v.safeParse(fileSchema, await call("getFile", { file_id: id }, { signal }));
      const path = found.success ? found.output.file_path.split("/") : [];
      if (path.length === 0 || path.some((part) => part === "" || part === "." || part === ".."))
        throw new Failure("not-found", "Telegram has no such file any more");
      const url = `${root}/file/bot${token}/${path.map(encodeURIComponent).join("/")}`;
      return download(context, { label: "Telegram", url, signal, maxBytes }).catch(bare);
    },
  };
}

type Called = [method: string, given: Readonly<Record<string, unknown>> | FormData, options: CallOptions];

const answerSchema = v.looseObject({ ok: v.literal(true), result: v.unknown() });
const meSchema = v.looseObject({
  id: v.number(),
  username: v.optional(v.string(), ""),
  first_name: v.optional(v.string()),
});
const fileSchema = v.looseObject({ file_path: v.pipe(v.string(), v.maxLength(1024)) });

/** What Telegram says beside the words of a refusal (Bot API, ResponseParameters). */
const refusedSchema = v.looseObject({
  description: v.optional(v.string(), ""),
  parameters: v.optional(
    v.looseObject({ retry_after: v.optional(v.number()), migrate_to_chat_id: v.optional(v.number()) }),
    {},
  ),
});

function refusal(status: number, body: unknown): Failure | undefined {
  const refused = v.safeParse(refusedSchema, body);
  if (!refused.success) return undefined;
  const { description, parameters } = refused.output;
  const { retry_after: seconds, migrate_to_chat_id: movedTo } = parameters;
  const details = { status, movedTo };
  // The headers may say how long.
  if (status === 429 && seconds === undefined) return undefined;
  const retryAfterMs = seconds === undefined ? undefined : Math.min(Math.max(seconds, 0), 3600) * 1000;
  const words = description.replaceAll(/\s+/g, " ").slice(0, 300);
  if (status === 401) return refusedToken();
  const code: Code = status === 409 ? "conflict" : codeOf(status);
  return new Failure(code, `Telegram answered ${status}: ${words}`, { details, retryAfterMs });
}

function refusedToken(): Failure {
  return new Failure(
    "unauthorized",
    "Telegram refuses botToken: it was revoked or is not complete; @BotFather shows the one that counts",
  );
}

/** The same without its cause: what a runtime throws may hold the address. */
function bare(error: unknown): never {
  if (!(error instanceof Failure)) throw new Failure("unavailable", "Telegram cannot be asked");
  const { code, message, details, retryable, retryAfterMs } = error;
  throw new Failure(code, message, { details, retryable, retryAfterMs });
}
