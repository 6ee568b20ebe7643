import { isObject, type JsonObject } from "../kit/json.ts";

/** A message of the transcript, as the gateway shows it (protocol.md 6.5). */
export interface Said extends JsonObject {
  readonly role: string;
}

/** A message of one's own that the transcript does not have yet. */
export interface Sending {
  /** The idempotency key: sent again with the same one, it is said once. */
  readonly id: string;
  readonly text: string;
  /** Addresses of its pictures, within the page. */
  readonly pictures: readonly string[];
  readonly state: "sending" | "waiting" | "failed";
  readonly why?: string;
}

/** A run that goes on. */
export interface Live {
  readonly runId: string;
  readonly text: string;
  readonly thinking: string;
}

/** One conversation as the page knows it. Replaced as a whole with every change. */
export interface Conversation {
  readonly key: string;
  /** Undefined until the history is there. */
  readonly messages: readonly Said[] | undefined;
  readonly hasMore: boolean;
  readonly sending: readonly Sending[];
  readonly live: Live | undefined;
  /** What went wrong with the last run, where the transcript does not say it. */
  readonly trouble: string | undefined;
  /** The session's row. */
  readonly row: JsonObject | undefined;
}

export function emptyConversation(key: string): Conversation {
  return { key, messages: undefined, hasMore: false, sending: [], live: undefined, trouble: undefined, row: undefined };
}

/** Takes over the newest page of the history. What was loaded before it stays as far as the two meet. */
export function withHistory(old: Conversation, answer: JsonObject): Conversation {
  const page = messagesIn(answer);
  const first = page[0] && idOf(page[0]);
  const at = (old.messages ?? []).findIndex((message) => idOf(message) === first);
  const row = isObject(answer["sessionInfo"]) ? answer["sessionInfo"] : old.row;
  const older = at > 0 && sameSession(old.row, row) ? (old.messages ?? []).slice(0, at) : [];
  const running = isObject(answer["inFlightRun"]) ? answer["inFlightRun"] : undefined;
  const unsent = old.sending.filter(({ state }) => state !== "waiting");
  const waiting = waitingIn(answer).filter(({ id }) => !unsent.some((each) => each.id === id));
  const messages = [...older, ...page];
  return {
    ...old,
    row,
    messages,
    hasMore: older.length > 0 ? old.hasMore : answer["hasMore"] === true,
    sending: [...unsent, ...waiting].filter(({ id }) => !isWritten(messages, id)),
    live: running ? { runId: textIn(running, "runId"), text: textIn(running, "text"), thinking: "" } : undefined,
    trouble: undefined,
  };
}

/** Puts a page of older messages in front. */
export function withOlder(old: Conversation, answer: JsonObject): Conversation {
  const known = new Set((old.messages ?? []).map(idOf));
  const older = messagesIn(answer).filter((message) => !known.has(idOf(message)));
  return {
    ...old,
    messages: [...older, ...(old.messages ?? [])],
    hasMore: answer["hasMore"] === true && older.length > 0,
  };
}

/** What an event makes of the conversation; the same one when it is about something else. */
export function withEvent(old: Conversation, event: string, payload: unknown): Conversation {
  if (!isObject(payload) || payload["sessionKey"] !== old.key) return old;
  if (event === "session.message") return withMessage(old, payload["message"]);
  if (event === "chat") return withChat(old, payload);
  if (event === "agent") return withAgent(old, payload);
  return event === "sessions.changed" ? withRow(old, payload) : old;
}

/** Adds a message of one's own, or changes one that is on its way. */
export function withSending(old: Conversation, one: Sending): Conversation {
  const known = old.sending.some(({ id }) => id === one.id);
  const sending = known ? old.sending.map((each) => (each.id === one.id ? one : each)) : [...old.sending, one];
  return { ...old, sending, trouble: undefined };
}

/** What the gateway says to a message that was sent: it waits its turn, or was said long ago. */
export function withAccepted(old: Conversation, id: string, status: unknown): Conversation {
  const sending = old.sending.flatMap((each): readonly Sending[] => {
    if (each.id !== id || each.state === "waiting") return [each];
    if (status === "ok") return [];
    const { why: _, ...rest } = each;
    return [{ ...rest, state: "waiting" }];
  });
  return { ...old, sending };
}

/** The conversation's own memory has an end: what is far up is loaded again when somebody goes there. */
export function trimmed(old: Conversation, most: number): Conversation {
  if (!old.messages || old.messages.length <= most) return old;
  return { ...old, messages: old.messages.slice(-most), hasMore: true };
}

export function idOf(message: Said): string {
  return textIn(placeOf(message), "id");
}

/** Text of a field, empty where there is none. */
export function textIn(object: JsonObject, name: string): string {
  const value = object[name];
  return typeof value === "string" ? value : "";
}

function messagesIn(answer: JsonObject): readonly Said[] {
  const { messages } = answer;
  return Array.isArray(messages) ? messages.filter(isSaid) : [];
}

function isSaid(message: unknown): message is Said {
  return isObject(message) && typeof message["role"] === "string" && idOf(message as Said) !== "";
}

function placeOf(message: Said): JsonObject {
  const place = message["__openclaw"];
  return isObject(place) ? place : {};
}

/** Whether a message of one's own is in the transcript: there its run's id stands beside it. */
function isWritten(messages: readonly Said[], id: string): boolean {
  return messages.some((message) => isOf(message, id));
}

function isOf(message: Said, id: string): boolean {
  return message.role === "user" && textIn(placeOf(message), "idempotencyKey") === `${id}:user`;
}

function waitingIn({ pendingInputs }: JsonObject): readonly Sending[] {
  const items = isObject(pendingInputs) ? pendingInputs["items"] : undefined;
  return (Array.isArray(items) ? items : []).filter(isObject).map((item) => ({
    id: textIn(item, "runId"),
    text: isObject(item["message"]) ? plainText(item["message"]) : "",
    pictures: [],
    state: "waiting" as const,
  }));
}

/** The words of a message, without anything else that is in it. */
export function plainText({ content }: JsonObject): string {
  if (typeof content === "string") return content;
  const parts: readonly unknown[] = Array.isArray(content) ? content : [];
  return parts
    .filter(isObject)
    .flatMap((part) => (part["type"] === "text" ? [textIn(part, "text")] : []))
    .join("\n\n");
}

function sameSession(one: JsonObject | undefined, other: JsonObject | undefined): boolean {
  return one?.["sessionId"] === other?.["sessionId"];
}

function withMessage(old: Conversation, message: unknown): Conversation {
  if (!isSaid(message) || !old.messages || old.messages.some((each) => idOf(each) === idOf(message))) return old;
  const isAnswer = message.role === "assistant" && textIn(placeOf(message), "runId") === old.live?.runId;
  return {
    ...old,
    messages: [...old.messages, message],
    sending: old.sending.filter(({ id }) => !isOf(message, id)),
    // What was streamed is in the transcript now.
    live: old.live && isAnswer ? { ...old.live, text: "", thinking: "" } : old.live,
  };
}

function withChat(old: Conversation, payload: JsonObject): Conversation {
  const { runId, state, message } = payload;
  if (typeof runId !== "string") return old;
  const live = old.live?.runId === runId ? old.live : { runId, text: "", thinking: "" };
  if (state === "status") return { ...old, live };
  if (state === "delta") return { ...old, live: { ...live, text: isObject(message) ? plainText(message) : live.text } };
  const ended = {
    ...old,
    live: old.live?.runId === runId ? undefined : old.live,
    sending: old.sending.filter(({ id }) => id !== runId),
  };
  const failed = state === "error" && !(old.messages ?? []).some((each) => isFailureOf(each, runId));
  return failed ? { ...ended, trouble: textIn(payload, "errorMessage") || "The run failed." } : ended;
}

function isFailureOf(message: Said, runId: string): boolean {
  return textIn(placeOf(message), "runId") === runId && typeof message["errorMessage"] === "string";
}

function withAgent(old: Conversation, { runId, stream, data }: JsonObject): Conversation {
  if (typeof runId !== "string" || !isObject(data)) return old;
  if (stream === "lifecycle" && data["phase"] === "start")
    return { ...old, live: { runId, text: "", thinking: "" }, trouble: undefined };
  if (stream !== "thinking" || old.live?.runId !== runId) return old;
  return { ...old, live: { ...old.live, thinking: textIn(data, "text") } };
}

function withRow(old: Conversation, { session }: JsonObject): Conversation {
  if (!isObject(session)) return old;
  return { ...old, row: { ...old.row, ...session } };
}
