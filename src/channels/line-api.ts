import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import { isObject } from "../kit/json.ts";
import type { ChannelContext, Self, SendOptions, Sent } from "./channel.ts";
import { understood } from "./channel-answer.ts";
import { uuidFor } from "./channel-uuid.ts";
import { plain, withMarks } from "./channel-marks.ts";
import { createRecent } from "./channel-recent.ts";
import { repeatable } from "./channel-repeatable.ts";
import { ask, download, type NetworkRequest } from "./channel-request.ts";

/** What is asked of LINE. */
export interface LineApi {
  whoami(signal: AbortSignal): Promise<Self>;
  /** Sends Markdown as the text that LINE shows; the same key again sends nothing more. */
  push(
    to: string,
    message: { readonly text: string; readonly quoteToken: string | undefined },
    options: SendOptions,
  ): Promise<Sent>;
  loading(person: string, signal: AbortSignal): Promise<void>;
  content(message: string, options: { readonly maxBytes: number; readonly signal: AbortSignal }): Promise<Uint8Array>;
  /** What LINE says at `path`, such as `profile/U…`, under `field`; undefined when it says nothing soon. */
  name(path: string, field: "displayName" | "groupName", signal: AbortSignal): Promise<string | undefined>;
}

const API = "https://api.line.me/v2/bot";
const FILES = "https://api-data.line.me/v2/bot";
const label = "LINE";
const NAMES_KEPT = 1000;
const NAMES_GOOD_FOR_MS = 24 * 3_600_000;
/** A name is nice to have: the message does not wait long for it. */
const NAME_TIMEOUT_MS = 3000;
const LOADING_SECONDS = 20;

export function createLineApi(context: Pick<ChannelContext, "fetch" | "clock" | "log">, token: string): LineApi {
  const headers = { authorization: `Bearer ${token}` };
  const names = createRecent<{ readonly name: string | undefined; readonly until: number }>(NAMES_KEPT);
  const call = (path: string, rest: Partial<NetworkRequest> & Pick<NetworkRequest, "signal">): Promise<unknown> =>
    ask(context, { label, url: `${API}/${path}`, refusal, ...rest, headers: { ...headers, ...rest.headers } });

  return {
    async whoami(signal) {
      const self = understood(infoSchema, { label, answer: await call("info", { signal }) });
      return { id: self.userId, name: self.displayName };
    },
    async push(to, { text, quoteToken }, { key, signal }) {
      const retryKey = await uuidFor(`${to}\n${key}`);
      const words = withMarks(text, plain);
      const json = {
        to,
        messages: [{ type: "text", text: words, ...(quoteToken === undefined ? {} : { quoteToken }) }],
      };
      const more = { "x-line-retry-key": retryKey };
      const pushing = call("message/push", { json, signal, headers: more });
      const given = await repeatable(pushing).catch((error: unknown) => {
        if (error instanceof Failure && error.code === "conflict") return error.details;
        throw error;
      });
      const sent = v.safeParse(sentSchema, given);
      return { id: sent.success ? sent.output.sentMessages[0].id : retryKey };
    },
    async loading(person, signal) {
      await call("chat/loading/start", { json: { chatId: person, loadingSeconds: LOADING_SECONDS }, signal });
    },
    async content(message, { maxBytes, signal }) {
      const url = `${FILES}/message/${encodeURIComponent(message)}/content`;
      const bytes = await download(context, { label, url, headers, signal, maxBytes });
      // 202 and nothing: films are made ready first.
      if (bytes.length === 0) throw new Failure("unavailable", "LINE has not made the file ready yet");
      return bytes;
    },
    async name(path, field, signal) {
      const known = names.get(path);
      if (known && known.until > context.clock.monotonic()) return known.name;
      try {
        const given = await call(path, { signal, timeoutMs: NAME_TIMEOUT_MS });
        const name = isObject(given) && typeof given[field] === "string" ? given[field] : undefined;
        names.set(path, { name, until: context.clock.monotonic() + NAMES_GOOD_FOR_MS });
        return name;
      } catch (error) {
        context.log.debug("a name is not known", { reason: Failure.from(error).message });
        return undefined;
      }
    },
  };
}

/** 409 is no refusal: the message with this key was taken before, and the answer to it is the same. */
function refusal(status: number, body: unknown): Failure | undefined {
  const message = isObject(body) ? String(body["message"]) : "";
  if (status === 409) return new Failure("conflict", "LINE has taken this message before", { details: body });
  if (status === 429 && /monthly limit/i.test(message))
    return new Failure("forbidden", "this month's messages of the LINE account are used up: its plan allows no more");
  return undefined;
}

const sentSchema = v.looseObject({
  sentMessages: v.tupleWithRest([v.looseObject({ id: v.pipe(v.string(), v.minLength(1)) })], v.unknown()),
});
const infoSchema = v.looseObject({ userId: v.string(), displayName: v.optional(v.string()) });
