import * as v from "valibot";
import { addressOf, addressOfAgent } from "../flow/address.ts";
import { agentParam, countParam, keyParam, textParam } from "../flow/params.ts";
import { Failure } from "../kit/error.ts";
import { exportPage } from "../session/export.ts";
import { importSession } from "../session/import.ts";
import { method } from "./method.ts";

/** Lines that one request may bring. */
const maxLines = 10_000;

export const sessionTransferMethods = [
  method({
    name: "sessions.export",
    scope: "operator.admin",
    unlisted: true,
    summary: "Answers a page of a conversation as lines of JSON, pictures included, oldest first.",
    params: () =>
      v.object({
        key: keyParam,
        agentId: agentParam,
        sessionId: v.pipe(v.optional(textParam), v.description("As the first page has it: another one is refused.")),
        afterSeq: v.pipe(v.optional(countParam), v.description("`next` of the page before.")),
        pictures: v.pipe(v.optional(countParam, 0), v.description("`pictures` of the page before.")),
      }),
    result: () =>
      v.object({
        key: v.string(),
        sessionId: v.string(),
        lines: v.array(v.string()),
        next: v.pipe(
          v.nullable(v.number()),
          v.description("The entry that the next page begins after; null at the end."),
        ),
        pictures: v.pipe(v.number(), v.description("Pictures of the next entry that were in this page.")),
      }),
    async run({ app, params: { key: written, agentId, sessionId, afterSeq, pictures } }) {
      const { key } = addressOf(app, written, agentId);
      const from = afterSeq === undefined ? undefined : { afterSeq, pictures };
      const page = await exportPage(app, { key, sessionId, from });
      const { lines, next } = page;
      return {
        key,
        sessionId: page.sessionId,
        lines: [...lines],
        next: next?.afterSeq ?? null,
        pictures: next?.pictures ?? 0,
      };
    },
  }),
  method({
    name: "sessions.import",
    scope: "operator.admin",
    unlisted: true,
    summary: "Makes a session of exported lines, sent in as many requests as they take; the last one says done.",
    params: () =>
      v.object({
        key: v.pipe(keyParam, v.description("The session to be made; there must be none of this key.")),
        agentId: agentParam,
        lines: v.pipe(
          v.array(v.pipe(v.string(), v.regex(/^[^\r\n]*$/, "is more than one line"))),
          v.maxLength(maxLines),
          v.description("The next lines, without line breaks."),
        ),
        uploadId: v.pipe(v.optional(textParam), v.description("As the first request was answered.")),
        done: v.pipe(
          v.optional(v.boolean(), false),
          v.description("These were the last lines: judge and keep them all."),
        ),
      }),
    result: () =>
      v.union([
        v.object({ uploadId: v.string() }),
        v.object({ key: v.string(), sessionId: v.string(), entries: v.number() }),
      ]),
    async run({ app, params, signal }) {
      const { uploads } = app;
      const { key, agentId } = addressOfAgent(app, params.key, params.agentId);
      // Said before megabytes are sent in vain; whoever makes the session asks again.
      if (params.uploadId === undefined && app.sessions.get(key))
        throw new Failure("conflict", `there is a session ${key} already: delete it, or choose another key`);
      const uploadId = params.uploadId ?? uploads.begin(signal);
      if (params.lines.length > 0) await uploads.add(uploadId, params.lines);
      if (!params.done) return { uploadId };
      const { row, entries } = await uploads.finish(uploadId, (lines) => importSession(app, { key, agentId, lines }));
      return { key, sessionId: row.sessionId, entries };
    },
  }),
] as const;
