import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import { isObject } from "../kit/json.ts";
import type { ChannelContext, OutboundMedia, Self, SendOptions, Sent } from "./channel.ts";
import { understood } from "./channel-answer.ts";
import { uuidFor } from "./channel-uuid.ts";
import { ask, download, type NetworkRequest } from "./channel-request.ts";

/** What is asked of a BlueBubbles server. */
export interface BlueBubblesApi {
  whoami(signal: AbortSignal): Promise<Self>;
  text(
    chat: string,
    message: { readonly message: string; readonly replyTo: string | undefined },
    options: SendOptions,
  ): Promise<Sent>;
  file(chat: string, file: OutboundMedia, options: SendOptions): Promise<Sent>;
  edit(message: string, text: string, signal: AbortSignal): Promise<void>;
  unsend(message: string, signal: AbortSignal): Promise<void>;
  react(
    chat: string,
    message: string,
    options: { readonly reaction: string; readonly signal: AbortSignal },
  ): Promise<void>;
  typing(chat: string, signal: AbortSignal): Promise<void>;
  read(chat: string, signal: AbortSignal): Promise<void>;
  load(attachment: string, options: { readonly maxBytes: number; readonly signal: AbortSignal }): Promise<Uint8Array>;
}

const label = "BlueBubbles";
/** AppleScript takes its time, and so does a long file. */
const SEND_TIMEOUT_MS = 90_000;

export function createBlueBubblesApi(
  context: Pick<ChannelContext, "fetch" | "clock">,
  { serverUrl, password }: { readonly serverUrl: string; readonly password: string },
): BlueBubblesApi {
  /** The server knows its password in the address alone; no error shows one (channel-request.ts). */
  function at(path: string): URL {
    const url = new URL(`${serverUrl.replace(/\/+$/, "")}/api/v1/${path}`);
    url.searchParams.set("password", password);
    return url;
  }
  const call = (path: string, rest: Omit<NetworkRequest, "label" | "url">): Promise<unknown> =>
    ask(context, { label, url: at(path), ...rest });
  const part = encodeURIComponent;
  /** The private API is a helper inside of Messages, which not every Mac has. */
  let hasHelper = false;

  /** Sends with a key. That it is on its way already is what we want. */
  async function deliver(
    path: string,
    request: Omit<NetworkRequest, "label" | "url">,
    tempGuid: string,
  ): Promise<Sent> {
    const refusal = (_: number, body: unknown): Failure | undefined =>
      /already queued/i.test(errorIn(body))
        ? new Failure("conflict", "BlueBubbles has this message already")
        : undefined;
    const answer = await call(path, { ...request, refusal, timeoutMs: SEND_TIMEOUT_MS }).catch((error: unknown) => {
      if (error instanceof Failure && error.code === "conflict") return { data: { guid: tempGuid } };
      throw error;
    });
    return { id: understood(sentSchema, { label, answer }).data.guid };
  }

  return {
    async whoami(signal) {
      const answer = await call("server/info", { signal });
      const { data } = understood(infoSchema, { label, answer });
      hasHelper = data.private_api === true && data.helper_connected === true;
      return { id: data.detected_imessage ?? data.computer_id ?? new URL(serverUrl).host, name: data.computer_id };
    },
    async text(chatGuid, { message, replyTo }, { key, signal }) {
      const tempGuid = await uuidFor(`${chatGuid}\n${key}`);
      const method = hasHelper ? "private-api" : "apple-script";
      const reply = hasHelper && replyTo !== undefined ? { selectedMessageGuid: replyTo, partIndex: 0 } : {};
      return deliver("message/text", { json: { chatGuid, tempGuid, message, method, ...reply }, signal }, tempGuid);
    },
    async file(chatGuid, { data, mimeType, fileName }, { key, signal }) {
      const tempGuid = await uuidFor(`${chatGuid}\n${key}`);
      const body = new FormData();
      body.set("chatGuid", chatGuid);
      body.set("tempGuid", tempGuid);
      body.set("name", fileName);
      body.set("method", hasHelper ? "private-api" : "apple-script");
      // A copy: what is given may be a view of shared memory, which a Blob does not take.
      body.set("attachment", new Blob([new Uint8Array(data)], { type: mimeType }), fileName);
      return deliver("message/attachment", { body, signal }, tempGuid);
    },
    async edit(message, text, signal) {
      needHelper("edit a message");
      const json = { editedMessage: text, backwardsCompatibilityMessage: `Edited to: ${text}`, partIndex: 0 };
      await call(`message/${part(message)}/edit`, { json, signal });
    },
    async unsend(message, signal) {
      needHelper("take a message back");
      await call(`message/${part(message)}/unsend`, { json: { partIndex: 0 }, signal });
    },
    async react(chatGuid, selectedMessageGuid, { reaction, signal }) {
      needHelper("react to a message");
      await call("message/react", { json: { chatGuid, selectedMessageGuid, reaction, partIndex: 0 }, signal });
    },
    async typing(chat, signal) {
      if (hasHelper) await call(`chat/${part(chat)}/typing`, { method: "POST", signal });
    },
    async read(chat, signal) {
      if (hasHelper) await call(`chat/${part(chat)}/read`, { method: "POST", signal });
    },
    load: (attachment, { maxBytes, signal }) =>
      download(context, { label, url: at(`attachment/${part(attachment)}/download`), signal, maxBytes }),
  };

  function needHelper(what: string): void {
    if (!hasHelper)
      throw new Failure(
        "forbidden",
        `BlueBubbles can ${what} only with its private API, which this Mac has not set up`,
      );
  }
}

function errorIn(body: unknown): string {
  if (!isObject(body)) return "";
  const { error, message } = body;
  return `${isObject(error) ? String(error["message"]) : ""} ${String(message)}`;
}

const sentSchema = v.looseObject({ data: v.looseObject({ guid: v.pipe(v.string(), v.minLength(1)) }) });
const infoSchema = v.looseObject({
  data: v.looseObject({
    private_api: v.optional(v.boolean()),
    helper_connected: v.optional(v.boolean()),
    detected_imessage: v.nullish(v.string()),
    computer_id: v.optional(v.string()),
  }),
});
