import type { Client } from "../client/client.ts";
import { Failure } from "../kit/error.ts";
import { isObject } from "../kit/json.ts";
import {
  emptyConversation,
  trimmed,
  withAccepted,
  withEvent,
  withHistory,
  withOlder,
  withSending,
  type Conversation,
  type Sending,
} from "./conversation.ts";

/** A picture that goes with a message. */
export interface Attachment {
  readonly fileName: string;
  readonly mimeType: string;
  /** The bytes in base64. */
  readonly content: string;
  /** Where the page itself finds it. */
  readonly preview: string;
}

export interface RoomOptions {
  /** The connection, while there is one. */
  readonly client: () => Client | undefined;
  /** Makes the id of a message. */
  readonly newId: () => string;
  readonly changed: (conversation: Conversation) => void;
  /** Something did not work that is nobody's message. */
  readonly trouble: (text: string) => void;
}

/** The conversation that is open: what is said in it, and what of it the page knows. */
export interface Room {
  readonly conversation: Conversation;
  /** Opens another one, or the same anew after a reconnect; what was not sent yet is sent then. */
  readonly open: (key: string) => Promise<void>;
  readonly hear: (event: string, payload: unknown) => void;
  readonly older: () => Promise<void>;
  readonly send: (text: string, attachments: readonly Attachment[]) => void;
  readonly retry: (id: string) => void;
  readonly discard: (id: string) => void;
  readonly stop: () => Promise<void>;
}

/** Messages of one answer, and those kept: the rest is a scroll away. */
const pageSize = 60;
const mostKept = 600;
/** Where somebody only looks on, and may be reading far up. */
const mostWatched = 3000;
const maxChars = 100_000;
const maxBytes = 2_000_000;

export function createRoom({ client, newId, changed, trouble }: RoomOptions): Room {
  let conversation = emptyConversation("");
  /** What goes with messages that the gateway does not have yet. */
  const attached = new Map<string, readonly Attachment[]>();
  /** Other conversations in which something is not sent yet. */
  const parked = new Map<string, Conversation>();
  let loading = false;

  function become(next: Conversation): void {
    if (next === conversation) return;
    conversation = next;
    changed(next);
  }

  /** Changes a conversation, be it the open one or one that is parked. */
  function change(key: string, edit: (old: Conversation) => Conversation): void {
    if (key === conversation.key) return become(edit(conversation));
    const other = parked.get(key);
    const next = other && edit(other);
    if (next && next.sending.length > 0) parked.set(key, next);
    else parked.delete(key);
  }

  function turnTo(key: string): void {
    const sending = conversation.sending.filter(({ state }) => state !== "waiting");
    if (sending.length > 0) parked.set(conversation.key, { ...emptyConversation(conversation.key), sending });
    const next = parked.get(key) ?? emptyConversation(key);
    parked.delete(key);
    become(next);
  }

  async function open(key: string): Promise<void> {
    const connection = client();
    if (key !== conversation.key) {
      if (conversation.key !== "" && connection) void leave(connection, conversation.key);
      turnTo(key);
    }
    if (!connection) return;
    try {
      // First the events, so that nothing falls between them and the history.
      await connection.call("sessions.messages.subscribe", { key });
      const answer = await connection.call("chat.history", { sessionKey: key, limit: pageSize, maxChars, maxBytes });
      if (conversation.key !== key || client() !== connection || !isObject(answer)) return;
      become(withHistory(conversation, answer));
      sendAll(connection);
    } catch (thrown) {
      if (client() === connection) trouble(`The conversation could not be loaded: ${Failure.from(thrown).message}`);
    }
  }

  /** What was written while there was no connection, and what got lost with the one before. */
  function sendAll(connection: Client): void {
    for (const { key, sending } of [conversation, ...parked.values()])
      for (const each of sending) if (each.state === "sending") void deliver(connection, key, each);
  }

  async function leave(connection: Client, key: string): Promise<void> {
    try {
      await connection.call("sessions.messages.unsubscribe", { key });
    } catch {
      // A connection that ends meanwhile has no subscriptions either.
    }
  }

  async function deliver(connection: Client, key: string, sending: Sending): Promise<void> {
    const attachments = (attached.get(sending.id) ?? []).map(({ fileName, mimeType, content }) => ({
      type: "image",
      fileName,
      mimeType,
      content,
    }));
    try {
      const answer = await connection.call("chat.send", {
        sessionKey: key,
        message: sending.text,
        idempotencyKey: sending.id,
        ...(attachments.length > 0 ? { attachments } : {}),
      });
      attached.delete(sending.id);
      // Words that stop a run are no message, and nothing more comes of them. In a parked one nothing needs to be kept.
      const isOver = !("status" in answer) || key !== conversation.key;
      change(key, (old) => withAccepted(old, sending.id, isOver ? "ok" : answer.status));
    } catch (thrown) {
      const why = Failure.from(thrown).message;
      // Whether it arrived is not known: it is sent again, under the same id, when there is a connection.
      if (client() === connection) change(key, (old) => withSending(old, { ...sending, state: "failed", why }));
    }
  }

  function forget(id: string): void {
    attached.delete(id);
    become({ ...conversation, sending: conversation.sending.filter((each) => each.id !== id) });
  }

  return {
    get conversation() {
      return conversation;
    },
    open,
    hear(event, payload) {
      const before = conversation.row?.["sessionId"];
      const next = withEvent(conversation, event, payload);
      become(next.messages === conversation.messages ? next : trimmed(next, mostWatched));
      const now = conversation.row?.["sessionId"];
      // Begun anew, by `/new` or another client: what is shown was said in the one before.
      if (before !== undefined && now !== before) {
        become({ ...conversation, messages: undefined, hasMore: false });
        void open(conversation.key);
      }
    },
    async older() {
      const connection = client();
      const { key, messages, hasMore } = conversation;
      if (!connection || !messages || !hasMore || loading) return;
      loading = true;
      try {
        const page = { limit: pageSize, offset: messages.length, maxChars, maxBytes };
        const answer = await connection.call("chat.history", { sessionKey: key, ...page });
        if (conversation.key === key && isObject(answer)) become(withOlder(conversation, answer));
      } catch (thrown) {
        if (client() === connection) trouble(`Older messages could not be loaded: ${Failure.from(thrown).message}`);
      } finally {
        loading = false;
      }
    },
    send(text, attachments) {
      const id = newId();
      if (attachments.length > 0) attached.set(id, attachments);
      const sending: Sending = { id, text, pictures: attachments.map(({ preview }) => preview), state: "sending" };
      become(withSending(trimmed(conversation, mostKept), sending));
      const connection = client();
      if (connection) void deliver(connection, conversation.key, sending);
    },
    retry(id) {
      const found = conversation.sending.find((each) => each.id === id);
      if (!found) return;
      const { why: _, ...rest } = found;
      const sending: Sending = { ...rest, state: "sending" };
      become(withSending(conversation, sending));
      const connection = client();
      if (connection) void deliver(connection, conversation.key, sending);
    },
    discard: forget,
    async stop() {
      const connection = client();
      if (!connection) return;
      try {
        await connection.call("chat.abort", { sessionKey: conversation.key });
      } catch (thrown) {
        trouble(`It could not be stopped: ${Failure.from(thrown).message}`);
      }
    },
  };
}
