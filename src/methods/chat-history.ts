import * as v from "valibot";
import type { App } from "../app.ts";
import { addressOf } from "../flow/address.ts";
import { chatNow, chatNowResult } from "../flow/chat-now.ts";
import { agentParam, countParam, keyParam, positiveParam, textParam } from "../flow/params.ts";
import { sessionView, shownDefaults } from "../flow/session-view.ts";
import { Failure } from "../kit/error.ts";
import { cursorOf, entriesSince, formatCursor, parseCursor } from "../session/history-cursor.ts";
import { positionOf } from "../session/position.ts";
import { defaultMaxChars, publicMessage, shownKinds, type PublicMessage } from "../session/public-message.ts";
import type { SessionRow } from "../session/sessions.ts";
import type { Entry, Transcript } from "../session/transcript.ts";
import type { Call } from "./method.ts";
import { method } from "./method.ts";

const params = v.object({
  sessionKey: keyParam,
  agentId: agentParam,
  cursor: v.pipe(v.optional(v.string()), v.description("A deltaCursor: only what came since is answered.")),
  limit: v.optional(v.pipe(positiveParam, v.maxValue(1000)), 200),
  offset: v.optional(countParam),
  pendingBefore: v.optional(positiveParam),
  inputRunIds: v.optional(v.pipe(v.array(v.pipe(textParam, v.maxLength(256))), v.minLength(1), v.maxLength(50))),
  messageId: v.pipe(v.optional(textParam), v.description("The page is the one around this message.")),
  sessionId: v.optional(textParam),
  maxChars: v.optional(v.pipe(positiveParam, v.maxValue(500_000)), defaultMaxChars),
  maxBytes: v.pipe(v.optional(positiveParam), v.description("Bytes of all messages together, about.")),
});
type Params = v.InferOutput<typeof params>;

const message = v.looseObject({ role: v.string() });
const result = v.union([
  v.object({ kind: v.literal("reset") }),
  v.object({ kind: v.literal("delta"), messages: v.array(message), deltaCursor: v.string(), ...chatNowResult }),
  v.object({
    sessionKey: v.string(),
    sessionId: v.optional(v.string()),
    messages: v.array(message),
    deltaCursor: v.optional(v.string()),
    hasMore: v.boolean(),
    nextOffset: v.optional(countParam),
    totalMessages: countParam,
    defaults: v.looseObject({ modelProvider: v.string(), model: v.string() }),
    thinkingLevel: v.string(),
    ...chatNowResult,
  }),
]);

export const chatHistoryMethods = [
  method({
    name: "chat.history",
    scope: "operator.read",
    summary: "A page of what was said, newest at the end, with what goes on now; or what came since a cursor.",
    params,
    result,
    run: history,
  }),
  method({
    name: "chat.startup",
    scope: "operator.read",
    summary: "What a chat window asks first: the same as chat.history.",
    params,
    result,
    run: history,
  }),
  method({
    name: "chat.message.get",
    scope: "operator.read",
    summary: "One message, as far as it was too long for a list.",
    params: v.object({
      sessionKey: keyParam,
      agentId: agentParam,
      messageId: textParam,
      maxChars: v.optional(v.pipe(positiveParam, v.maxValue(2_000_000)), 500_000),
    }),
    result: v.object({
      ok: v.boolean(),
      message: v.optional(message),
      unavailableReason: v.optional(v.picklist(["not_found", "oversized", "not_visible"])),
    }),
    async run({ app, params: { sessionKey, agentId, messageId, maxChars } }) {
      const row = app.sessions.get(addressOf(app, sessionKey, agentId).key);
      const entry = row && (await app.sessions.transcript(row).find(messageId));
      if (!entry) return { ok: false, unavailableReason: "not_found" as const };
      const shown = publicMessage(entry, maxChars);
      if (!shown) return { ok: false, unavailableReason: "not_visible" as const };
      if (shown.__openclaw["truncated"] === true) return { ok: false, unavailableReason: "oversized" as const };
      return { ok: true, message: shown };
    },
  }),
] as const;

/** Bytes of the messages of one answer at most: far below what a client takes in one frame. */
const maxPage = 6 * 1024 * 1024;

async function history({ app, params }: Call<Params>): Promise<v.InferInput<typeof result>> {
  const address = addressOf(app, params.sessionKey, params.agentId);
  const row = app.sessions.get(address.key);
  if (params.cursor !== undefined) return row ? delta(app, row, params, params.cursor) : { kind: "reset" };
  const page = row ? await pageOf(app, row, params) : nothing;
  const now = chatNow(app, address, row, { ...params, messages: page.messages, leaf: page.leaf });
  return {
    sessionKey: params.sessionKey,
    ...(row ? { sessionId: page.sessionId ?? row.sessionId } : {}),
    messages: [...page.messages],
    ...(page.cursor === undefined ? {} : { deltaCursor: page.cursor }),
    hasMore: page.nextOffset !== undefined,
    ...(page.nextOffset === undefined ? {} : { nextOffset: page.nextOffset }),
    totalMessages: page.total,
    defaults: shownDefaults(sessionView(app).defaults(address.agentId)),
    thinkingLevel: row?.thinkingLevel ?? now.sessionInfo.thinkingDefault,
    ...now,
  };
}

async function delta(app: App, row: SessionRow, params: Params, text: string): Promise<v.InferInput<typeof result>> {
  const cursor = parseCursor(text);
  const entries = cursor && (await entriesSince(app.sessions.transcript(row), cursor));
  if (!cursor || !entries) return { kind: "reset" };
  const shown = entries.flatMap((entry) => publicMessage(entry, params.maxChars) ?? []);
  const messages = withinBytes(shown, params.maxBytes);
  // What does not fit one answer is not left out: the client loads the conversation anew.
  if (messages.length < shown.length) return { kind: "reset" };
  const newest = entries.at(-1);
  const next = newest ? { sessionId: row.sessionId, entryId: newest.id, seq: newest.seq } : cursor;
  return {
    kind: "delta",
    messages,
    deltaCursor: formatCursor(next),
    ...chatNow(app, row, row, { ...params, messages, leaf: next.entryId }),
  };
}

interface Page {
  readonly sessionId?: string;
  readonly messages: readonly PublicMessage[];
  /** Only with the newest page: from there on there are deltas. */
  readonly cursor?: string | undefined;
  readonly leaf?: string | undefined;
  readonly nextOffset?: number | undefined;
  readonly total: number;
}

const nothing: Page = { messages: [], total: 0 };

async function pageOf(app: App, row: SessionRow, params: Params): Promise<Page> {
  const { limit, messageId, maxChars, maxBytes } = params;
  const transcript = app.sessions.transcript(named(row, params));
  // Read before the page: a message that comes in between is told twice, and never missed.
  const cursor = await cursorOf(transcript);
  const total = await transcript.count();
  const offset = messageId === undefined ? (params.offset ?? 0) : await around(transcript, messageId, limit);
  const entries = await transcript.page({ limit, offset, kinds: shownKinds });
  const messages = withinBytes(
    entries.flatMap((entry: Entry) => publicMessage(entry, maxChars) ?? []),
    maxBytes,
  );
  const end = offset + messages.length;
  const isNewest = offset === 0 && transcript.sessionId === row.sessionId;
  return {
    sessionId: transcript.sessionId,
    messages,
    leaf: cursor.entryId,
    cursor: isNewest ? formatCursor(cursor) : undefined,
    nextOffset: messages.length > 0 && end < total ? end : undefined,
    total,
  };
}

/** The conversation that a client means: the one that goes on, or the one before it, where a search may have led. */
function named(row: SessionRow, { sessionId, messageId }: Params): Pick<SessionRow, "sessionId" | "agentId"> {
  if (sessionId === undefined || messageId === undefined || sessionId === row.sessionId) return row;
  if (sessionId === row.previousSessionId) return { sessionId, agentId: row.agentId };
  throw new Failure("not-found", `${row.key} has no conversation ${JSON.stringify(sessionId)}`);
}

/** The offset of the page that has this message in its middle. */
async function around(transcript: Transcript, messageId: string, limit: number): Promise<number> {
  const entry = await transcript.find(messageId);
  const position = entry && (await positionOf(transcript, entry));
  if (position !== undefined) return Math.max(0, position - Math.floor(limit / 2));
  throw new Failure("not-found", `there is no message ${JSON.stringify(messageId)} in this conversation`);
}

/** The newest of these that fit together; one always does. */
function withinBytes(messages: readonly PublicMessage[], maxBytes = maxPage): PublicMessage[] {
  let size = 0;
  let first = messages.length;
  while (first > 0) {
    size += JSON.stringify(messages[first - 1]).length;
    if (size > Math.min(maxBytes, maxPage) && first < messages.length) break;
    first--;
  }
  return messages.slice(first);
}
