import * as v from "valibot";
import type { App } from "../app.ts";
import { agentParam, keyParam, textParam } from "../flow/params.ts";
import { redirect, sessionOf } from "../flow/redirect.ts";
import { Failure } from "../kit/error.ts";
import { uuid } from "../kit/ids.ts";
import { textOf, type UserMessage } from "../session/message.ts";
import { positionOf } from "../session/position.ts";
import type { SessionRow } from "../session/sessions.ts";
import type { Entry } from "../session/transcript.ts";
import { method } from "./method.ts";

const params = v.object({
  sessionKey: keyParam,
  agentId: agentParam,
  entryId: v.pipe(textParam, v.description("A message of the person: what came before it stays.")),
});

/** The message that was cut off, to be written anew. */
const editor = {
  editorText: v.optional(v.string()),
  editorAttachments: v.optional(v.array(v.object({ mimeType: v.string(), data: v.string() }))),
};

export const sessionBranchMethods = [
  method({
    name: "sessions.rewind",
    scope: "operator.admin",
    summary: "Goes back to before a message; what came after it stays in the file, out of the conversation.",
    params: () => params,
    result: () => v.object(editor),
    async run({ app, params }) {
      const row = sessionOf(app, params.sessionKey, params.agentId);
      await messageAt(app, row, params.entryId);
      await app.turns.abort({ sessionKey: row.key });
      return redirect(app, row.key, {
        reason: "rewind",
        async lead(transcript, now) {
          const { entry, message } = await messageAt(app, now, params.entryId);
          const draft = await draftOf(app, message);
          await transcript.rewind((await transcript.before(entry))?.id);
          return draft;
        },
      });
    },
  }),
  method({
    name: "sessions.fork",
    scope: "operator.write",
    summary: "Makes a new session from what came before a message.",
    params: () => params,
    result: () => v.object({ sessionKey: v.string(), ...editor }),
    async run({ app, params }) {
      const row = sessionOf(app, params.sessionKey, params.agentId);
      const { message } = await messageAt(app, row, params.entryId);
      const newKey = `agent:${row.agentId.toLowerCase()}:dashboard:${uuid()}`;
      const made = await app.sessions.fork(row.key, { newKey, beforeEntryId: params.entryId });
      return { sessionKey: made.key, ...(await draftOf(app, message)) };
    },
  }),
] as const;

/** A message of the person that is in the conversation now. */
async function messageAt(
  app: App,
  row: SessionRow,
  entryId: string,
): Promise<{ readonly entry: Entry; readonly message: UserMessage }> {
  const transcript = app.sessions.transcript(row);
  const entry = await transcript.find(entryId);
  if (entry?.type === "message" && entry.message.role === "user") {
    if ((await positionOf(transcript, entry)) !== undefined) return { entry, message: entry.message };
  }
  throw new Failure("not-found", `${JSON.stringify(entryId)} is no message of a person in ${row.key}`);
}

/** Characters of base64 that an answer carries: the rest of the pictures has to be attached anew. */
const maxPictures = 12 * 1024 * 1024;

async function draftOf(app: App, message: UserMessage) {
  const text = textOf(message);
  const pictures: { mimeType: string; data: string }[] = [];
  let size = 0;
  for (const part of message.content) {
    if (part.type !== "image" || part.media === undefined) continue;
    const data = await app.media.load(part.media);
    if (data === undefined || (size += data.length) > maxPictures) continue;
    pictures.push({ mimeType: part.mimeType, data });
  }
  return {
    ...(text === "" ? {} : { editorText: text }),
    ...(pictures.length > 0 ? { editorAttachments: pictures } : {}),
  };
}
