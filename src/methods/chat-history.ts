import * as v from "valibot";
import type { App } from "../app.ts";
import { addressOf } from "../flow/address.ts";
import { chatNow, chatNowResult } from "../flow/chat-now.ts";
import { agentParam, countParam, keyParam, positiveParam, textParam } from "../flow/params.ts";
import { sessionView, shownDefaults } from "../flow/session-view.ts";
import { Failure } from "../kit/error.ts";
import { cursorOf, entriesSince, formatCursor, parseCursor } from "../session/history-cursor.ts";
import { positionOf } from "../session/position.ts";
import { defaultMaxChars, publicJson, publicMessage, shownKinds } from "../session/public-message.ts";
import type { SessionRow } from "../session/sessions.ts";
import type { Entry, Transcript } from "../session/transcript.ts";
import type { Call } from "./method.ts";
import { method, Prepared } from "./method.ts";

const params = v.object({
  sessionKey: keyParam,
  agentId: agentParam,
  cursor: v.pipe(v.optional(v.string()), v.description("A deltaCursor: only what came since is answered.")),
  limit: v.pipe(v.optional(v.pipe(positiveParam, v.maxValue(1000)), 200), v.description("How many messages at most.")),
  offset: v.pipe(v.optional(countParam), v.description("How many of the newest to pass over.")),
  pendingBefore: v.optional(positiveParam),
  inputRunIds: v.optional(v.pipe(v.array(v.pipe(textParam, v.maxLength(256))), v.minLength(1), v.maxLength(50))),
  messageId: v.pipe(v.optional(textParam), v.description("The page is the one around this message.")),
  sessionId: v.optional(textParam),
  maxChars: v.pipe(
    v.optional(v.pipe(positiveParam, v.maxValue(500_000)), defaultMaxChars),
    v.description("Longer texts of a message are cut."),
  ),
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
    params: () => params,
    result: () => result,
    run: history,
  }),
  method({
    name: "chat.startup",
    scope: "operator.read",
    summary: "What a chat window asks first: the same as chat.history.",
    params: () => params,
    result: () => result,
    run: history,
  }),
  method({
    name: "chat.message.get",
    scope: "operator.read",
    summary: "One message, as far as it was too long for a list.",
    params: () =>
      v.object({
        sessionKey: keyParam,
        agentId: agentParam,
        messageId: textParam,
        maxChars: v.optional(v.pipe(positiveParam, v.maxValue(2_000_000)), 500_000),
      }),
    result: () =>
      v.object({
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

type Answer = v.InferInput<typeof result>;

async function history({ app, params }: Call<Params>): Promise<Answer | Prepared> {
  const address = addressOf(app, params.sessionKey, params.agentId);
  const row = app.sessions.get(address.key);
  if (params.cursor !== undefined) return row ? delta(app, row, params, params.cursor) : { kind: "reset" };
  const page = row ? await pageOf(app, row, params) : nothing;
  const now = chatNow(app, address, row, { ...params, entries: page.shown.map(({ entry }) => entry), leaf: page.leaf });
  return withMessages(page.shown, {
    sessionKey: params.sessionKey,
    ...(row ? { sessionId: page.sessionId ?? row.sessionId } : {}),
    messages: [],
    ...(page.cursor === undefined ? {} : { deltaCursor: page.cursor }),
    hasMore: page.nextOffset !== undefined,
    ...(page.nextOffset === undefined ? {} : { nextOffset: page.nextOffset }),
    totalMessages: page.total,
    defaults: shownDefaults(sessionView(app).defaults(address.agentId)),
    thinkingLevel: row?.thinkingLevel ?? now.sessionInfo.thinkingDefault,
    ...now,
  });
}

async function delta(app: App, row: SessionRow, params: Params, text: string): Promise<Answer | Prepared> {
  const cursor = parseCursor(text);
  const entries = cursor && (await entriesSince(app.sessions.transcript(row), cursor));
  if (!cursor || !entries) return { kind: "reset" };
  const shown = shownOf(entries, params.maxChars);
  // What does not fit one answer is not left out: the client loads the conversation anew.
  if (withinBytes(shown, params.maxBytes).length < shown.length) return { kind: "reset" };
  const newest = entries.at(-1);
  const next = newest ? { sessionId: row.sessionId, entryId: newest.id, seq: newest.seq } : cursor;
  return withMessages(shown, {
    kind: "delta",
    messages: [],
    deltaCursor: formatCursor(next),
    ...chatNow(app, row, row, { ...params, entries, leaf: next.entryId }),
  });
}

/** An entry, and the JSON of its message. */
interface Shown {
  readonly entry: Entry;
  readonly json: string;
}

function shownOf(entries: readonly Entry[], maxChars: number): readonly Shown[] {
  return entries.flatMap((entry) => {
    const json = publicJson(entry, maxChars);
    return json === undefined ? [] : [{ entry, json }];
  });
}

/** The answer with these messages in it, none of which is made into JSON again. */
function withMessages(shown: readonly Shown[], answer: Extract<Answer, { messages: unknown }>): Prepared {
  const { messages: _, ...rest } = answer;
  return new Prepared(`{"messages":[${shown.map(({ json }) => json).join(",")}],${JSON.stringify(rest).slice(1)}`);
}

interface Page {
  readonly sessionId?: string;
  readonly shown: readonly Shown[];
  /** Only with the newest page: from there on there are deltas. */
  readonly cursor?: string | undefined;
  readonly leaf?: string | undefined;
  readonly nextOffset?: number | undefined;
  readonly total: number;
}

const nothing: Page = { shown: [], total: 0 };

async function pageOf(app: App, row: SessionRow, params: Params): Promise<Page> {
  const { limit, messageId, maxChars, maxBytes } = params;
  const transcript = app.sessions.transcript(named(row, params));
  // Read before the page: a message that comes in between is told twice, and never missed.
  const cursor = await cursorOf(transcript);
  const total = await transcript.count();
  const offset = messageId === undefined ? (params.offset ?? 0) : await around(transcript, messageId, limit);
  const entries = await transcript.page({ limit, offset, kinds: shownKinds });
  const shown = withinBytes(shownOf(entries, maxChars), maxBytes);
  const end = offset + shown.length;
  const isNewest = offset === 0 && transcript.sessionId === row.sessionId;
  return {
    sessionId: transcript.sessionId,
    shown,
    leaf: cursor.entryId,
    cursor: isNewest ? formatCursor(cursor) : undefined,
    nextOffset: shown.length > 0 && end < total ? end : undefined,
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
function withinBytes(shown: readonly Shown[], maxBytes = maxPage): readonly Shown[] {
  let size = 0;
  let first = shown.length;
  while (first > 0) {
    size += shown[first - 1]?.json.length ?? 0;
    if (size > Math.min(maxBytes, maxPage) && first < shown.length) break;
    first--;
  }
  return shown.slice(first);
}
