import * as v from "valibot";
import { Failure, type Code } from "../kit/error.ts";
import { isObject, type JsonObject } from "../kit/json.ts";
import type { ChannelContext, OutboundMedia, Self, Sent } from "./channel.ts";
import { understood } from "./channel-answer.ts";
import { repeatable } from "./channel-repeatable.ts";
import { ask, download, type NetworkRequest } from "./channel-request.ts";

/** What is asked of Meta for one number. */
export interface Cloud {
  whoami(signal: AbortSignal): Promise<Self>;
  /** Sends a message, which is all of its body but the recipient. */
  post(to: string, message: JsonObject, signal: AbortSignal): Promise<Sent>;
  /** Uploads a file; resolves with the message that shows it. */
  upload(
    file: OutboundMedia,
    options: { readonly caption: string | undefined; readonly signal: AbortSignal },
  ): Promise<JsonObject>;
  takesCaption(mimeType: string): boolean;
  /** Shows a message as read, and that it is being answered. */
  seen(message: string, signal: AbortSignal): Promise<void>;
  load(media: string, options: { readonly maxBytes: number; readonly signal: AbortSignal }): Promise<Uint8Array>;
}

const GRAPH = "https://graph.facebook.com/v23.0";
const label = "WhatsApp";
/** Where Meta keeps what people send: the token goes nowhere else (threat A). */
const mediaHosts = /^([a-z0-9-]+\.)*(fbsbx\.com|fbcdn\.net|whatsapp\.net|facebook\.com)$/;

export function createCloud(
  context: Pick<ChannelContext, "fetch" | "clock">,
  { accessToken, phoneNumberId }: { readonly accessToken: string; readonly phoneNumberId: string },
): Cloud {
  const number = encodeURIComponent(phoneNumberId);
  const headers = { authorization: `Bearer ${accessToken}` };
  const call = (path: string, rest: Pick<NetworkRequest, "signal" | "json" | "body">): Promise<unknown> =>
    ask(context, { label, url: `${GRAPH}/${path}`, headers, refusal, ...rest });

  return {
    async whoami(signal) {
      const given = await call(`${number}?fields=display_phone_number,verified_name`, { signal });
      const self = understood(numberSchema, { label, answer: given });
      return { id: phoneNumberId, name: self.verified_name ?? self.display_phone_number };
    },
    async post(to, message, signal) {
      const json = { messaging_product: "whatsapp", recipient_type: "individual", to, ...message };
      const answer = await call(`${number}/messages`, { json, signal });
      const [sent] = understood(sentSchema, { label, answer }).messages;
      return { id: sent.id };
    },
    async upload(file, { caption, signal }) {
      const type = kindOf(file.mimeType);
      const body = new FormData();
      body.set("messaging_product", "whatsapp");
      body.set("type", file.mimeType);
      // A copy: what is given may be a view of shared memory, which a Blob does not take.
      body.set("file", new Blob([new Uint8Array(file.data)], { type: file.mimeType }), file.fileName);
      const answer = await repeatable(call(`${number}/media`, { body, signal }));
      const { id } = understood(uploadedSchema, { label, answer });
      const name = type === "document" ? { filename: file.fileName } : {};
      return { type, [type]: { id, ...name, ...(caption === undefined ? {} : { caption }) } };
    },
    takesCaption: (mimeType) => kindOf(mimeType) !== "audio",
    async seen(message, signal) {
      const typing_indicator = { type: "text" };
      const json = { messaging_product: "whatsapp", status: "read", message_id: message, typing_indicator };
      await call(`${number}/messages`, { json, signal });
    },
    async load(media, { maxBytes, signal }) {
      const answer = await call(`${encodeURIComponent(media)}?phone_number_id=${number}`, { signal });
      const { url, file_size: size = 0 } = understood(mediaSchema, { label, answer });
      if (size > maxBytes) throw new Failure("invalid-request", `a file from WhatsApp has more than ${maxBytes} bytes`);
      const place = URL.canParse(url) ? new URL(url) : undefined;
      if (place?.protocol !== "https:" || !mediaHosts.test(place.hostname))
        throw new Failure("invalid-request", "WhatsApp named a place for a file that is not Meta's: it is not asked");
      return download(context, { label, url: place, headers, signal, maxBytes });
    },
  };
}

/** The kinds of files that are shown; any other is a document. */
function kindOf(mimeType: string): "image" | "audio" | "video" | "document" {
  if (/^image\/(jpeg|png)$/.test(mimeType)) return "image";
  if (/^audio\/(aac|amr|mpeg|mp4|ogg)/.test(mimeType)) return "audio";
  return /^video\/(mp4|3gpp)$/.test(mimeType) ? "video" : "document";
}

/** What Meta's numbers mean, for a request that was refused and for a message that was not delivered. */
export function meaningOf(code: number): readonly [Code, string] | undefined {
  switch (code) {
    case 4:
    case 80007:
    case 130429:
    case 131048:
    case 131056:
      return ["rate-limited", "WhatsApp wants fewer messages for a while"];
    case 131047:
      return [
        "forbidden",
        "WhatsApp lets a business write freely only within 24 hours of a person's last message: they must write first",
      ];
    case 131026:
      return ["not-found", "WhatsApp cannot deliver to this number: it may not have WhatsApp"];
    case 190:
      return ["unauthorized", "WhatsApp's access token is no longer good: make a new one that does not expire"];
    default:
      return undefined;
  }
}

function refusal(_: number, body: unknown): Failure | undefined {
  const code = isObject(body) && isObject(body["error"]) ? body["error"]["code"] : undefined;
  const meaning = typeof code === "number" ? meaningOf(code) : undefined;
  return meaning && new Failure(meaning[0], `${meaning[1]} (${String(code)})`);
}

const idSchema = v.pipe(v.string(), v.minLength(1));
const numberSchema = v.looseObject({
  display_phone_number: v.optional(v.string()),
  verified_name: v.optional(v.string()),
});
const sentSchema = v.looseObject({ messages: v.tupleWithRest([v.looseObject({ id: idSchema })], v.unknown()) });
const uploadedSchema = v.looseObject({ id: idSchema });
const mediaSchema = v.looseObject({ url: v.string(), file_size: v.optional(v.number()) });
