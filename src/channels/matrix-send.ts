import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import { uuid } from "../kit/ids.ts";
import { repeatable } from "./channel-repeatable.ts";
import type { Channel, OutboundMedia, Target } from "./channel.ts";
import type { MatrixApi } from "./matrix-api.ts";
import type { MatrixRooms } from "./matrix-rooms.ts";
import { toMatrixHtml } from "./matrix-send-html.ts";

export type MatrixSender = Required<Pick<Channel, "send" | "edit" | "remove" | "react" | "typing">>;

const TYPING_MS = 20_000;

/** What we do in rooms. The homeserver knows a message by its key, and takes it once however often it is sent. */
export function matrixSender({
  api,
  rooms,
  self,
}: {
  readonly api: MatrixApi;
  readonly rooms: MatrixRooms;
  readonly self: () => Promise<string>;
}): MatrixSender {
  async function roomOf({ to }: Target): Promise<string> {
    if (to.startsWith("@")) return rooms.direct(to);
    return to.startsWith("#") ? rooms.resolve(to) : to;
  }

  async function put(roomId: string, what: string, json: object, signal?: AbortSignal): Promise<string> {
    const path = `v3/rooms/${encodeURIComponent(roomId)}/${what}`;
    // Whether it was taken or not: under the same key it may be sent again.
    const answer = await repeatable(api.call(path, sentShape, { method: "PUT", json, ...(signal ? { signal } : {}) }));
    return answer.event_id;
  }

  const say = async (roomId: string, content: object, { key, signal }: { key: string; signal?: AbortSignal }) =>
    put(roomId, `send/m.room.message/${encodeURIComponent(key)}`, content, signal);

  return {
    async send(to, { text, replyTo, media = [] }, { key, signal }) {
      const roomId = await repeatable(roomOf(to));
      const relation = relationOf(to, replyTo);
      const ids: string[] = [];
      if (text !== "") ids.push(await say(roomId, { ...textContent(text), ...relation }, { key, signal }));
      for (const [index, file] of media.entries()) {
        const content = { ...fileContent(file, await repeatable(api.upload(file, signal))), ...relation };
        ids.push(await say(roomId, content, { key: `${key}.${index}`, signal }));
      }
      const [id] = ids;
      if (id === undefined) throw new Failure("invalid-request", "the message is empty: there is nothing to send");
      return { id };
    },
    async edit(to, id, text) {
      const next = textContent(text);
      const content = { ...next, body: `* ${text}`, "m.new_content": next };
      const relation = { "m.relates_to": { rel_type: "m.replace", event_id: id } };
      await say(await roomOf(to), { ...content, ...relation }, { key: uuid() });
    },
    async remove(to, id) {
      await put(await roomOf(to), `redact/${encodeURIComponent(id)}/${uuid()}`, {});
    },
    async react(to, id, emoji) {
      const roomId = await roomOf(to);
      if (emoji !== "") {
        const relation = { rel_type: "m.annotation", event_id: id, key: emoji };
        await put(roomId, `send/m.reaction/${uuid()}`, { "m.relates_to": relation }).catch((error: unknown) => {
          if (!v.is(duplicate, Failure.from(error).details)) throw error;
        });
        return;
      }
      const path = `v1/rooms/${encodeURIComponent(roomId)}/relations/${encodeURIComponent(id)}/m.annotation/m.reaction`;
      const { chunk } = await api.call(`${path}?limit=100`, relationsShape);
      const own = await self();
      for (const { event_id: reaction, sender } of chunk)
        if (sender === own) await put(roomId, `redact/${encodeURIComponent(reaction)}/${uuid()}`, {});
    },
    async typing(to) {
      const path = `v3/rooms/${encodeURIComponent(await roomOf(to))}/typing/${encodeURIComponent(await self())}`;
      await api.call(path, v.unknown(), { method: "PUT", json: { typing: true, timeout: TYPING_MS } });
    },
  };
}

/** Nobody is mentioned by it, whatever a model writes. */
function textContent(text: string): Record<string, unknown> {
  const html = toMatrixHtml(text);
  const formatted = html === undefined ? {} : { format: "org.matrix.custom.html", formatted_body: html };
  return { msgtype: "m.text", body: text, ...formatted, "m.mentions": {} };
}

function fileContent({ data, fileName, mimeType }: OutboundMedia, url: string): Record<string, unknown> {
  const family = mimeType.split("/")[0] ?? "";
  const msgtype = ["image", "audio", "video"].includes(family) ? `m.${family}` : "m.file";
  const info = { mimetype: mimeType, size: data.byteLength };
  return { msgtype, body: fileName, filename: fileName, url, info, "m.mentions": {} };
}

/** In a thread, the message that is answered is shown by programs that know no threads. */
function relationOf({ thread }: Target, replyTo: string | undefined): Record<string, unknown> {
  if (thread === undefined)
    return replyTo === undefined ? {} : { "m.relates_to": { "m.in_reply_to": { event_id: replyTo } } };
  const answered = { "m.in_reply_to": { event_id: replyTo ?? thread } };
  return {
    "m.relates_to": { rel_type: "m.thread", event_id: thread, is_falling_back: replyTo === undefined, ...answered },
  };
}

const sentShape = v.looseObject({ event_id: v.string() });
const duplicate = v.object({ errcode: v.literal("M_DUPLICATE_ANNOTATION") });
const relationsShape = v.looseObject({ chunk: v.array(v.looseObject({ event_id: v.string(), sender: v.string() })) });
