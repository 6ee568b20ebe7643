import * as v from "valibot";

// Parameters that many methods have, each declared once.

/** Any text but an empty one. */
export const textParam = v.pipe(v.string(), v.nonEmpty());

/** A session key in full or short. */
export const keyParam = v.pipe(textParam, v.maxLength(512), v.description("A session key, in full or short."));

/** The agent of a session, where its key leaves that open. */
export const agentParam = v.pipe(
  v.optional(v.pipe(textParam, v.maxLength(128))),
  v.description("The agent that is meant, where the key does not say."),
);

/** The caller's own id of a request: it becomes the run's id, and the same one again does nothing twice. */
export const runIdParam = v.pipe(textParam, v.maxLength(256), v.description("The caller's own id; it names the run."));

export const countParam = v.pipe(v.number(), v.integer(), v.minValue(0));

export const positiveParam = v.pipe(v.number(), v.integer(), v.minValue(1));

/** Files sent with a message. */
export const attachmentsParam = v.array(
  v.object({
    type: v.optional(v.string()),
    mimeType: v.optional(v.string()),
    fileName: v.optional(v.string()),
    content: v.pipe(v.optional(v.unknown()), v.description("The bytes as base64.")),
  }),
);

/** A session row in an answer (protocol.md 6.7). */
export const rowResult = v.looseObject({ key: v.string(), kind: v.string() });

/** What every method that changes a session answers of it. */
export const changedResult = {
  entry: rowResult,
  resolved: v.object({ modelProvider: v.string(), model: v.string() }),
};

/** What every method that takes a message answers: `in_flight` and `ok` to one that was sent before. */
export const acceptedResult = {
  runId: v.string(),
  status: v.picklist(["started", "in_flight", "ok"]),
};
