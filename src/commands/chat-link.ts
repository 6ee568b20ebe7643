import { at, numberAt, stringAt } from "../cli/pick.ts";
import { open, type ReachContext } from "../cli/reach.ts";
import { newsOf, type RunNews } from "../cli/run-news.ts";
import type { Client } from "../client/client.ts";
import type { Target } from "../client/target.ts";
import { Failure } from "../kit/error.ts";
import type { JsonObject } from "../kit/json.ts";
import { readHistory, readSaid, type Chat } from "./chat-link-history.ts";
import { createOutbox, type ChatMessage } from "./chat-link-outbox.ts";

export interface ChatLinkOptions {
  readonly target: Target;
  readonly session: { readonly sessionKey: string; readonly agentId?: string | undefined };
  /** How many messages of the history to begin with. */
  readonly historyLimit: number;
  /** Goes with every message: `thinking`, `deliver`. */
  readonly more: JsonObject;
  readonly events: ChatEvents;
}

export interface ChatEvents {
  /** The gateway is there, at first or again; `said` is what was said since it last was. */
  opened(chat: Chat): void;
  /** Something happens in this session, whoever began it. */
  news(news: RunNews): void;
  /** A person said something in this session from elsewhere. */
  heard(text: string): void;
  /** The gateway is away, and is sought until it is back. */
  lost(reason: Failure): void;
  /** Nothing more comes of this message: it was answered before, or is no message, as `/stop`. */
  done(id: string): void;
  /** The gateway does not take this message. */
  refused(message: ChatMessage, reason: Failure): void;
  /** The gateway will not have us back. */
  ended(reason: Failure): void;
}

/** A conversation in one session that outlives its connections. */
export interface ChatLink {
  /** Has it delivered after those before it, under one key however often that takes. */
  send(text: string): ChatMessage;
  /** Stops what goes on in the session. */
  stop(): Promise<void>;
  /** Messages that the gateway has not confirmed. */
  readonly unsent: readonly ChatMessage[];
  close(): void;
}

/** Opens the conversation; rejects when the gateway cannot be reached at first. */
export async function openChatLink(context: ReachContext, options: ChatLinkOptions): Promise<ChatLink> {
  const { clock } = context.host;
  const { events, historyLimit, session, target } = options;
  const closing = new AbortController();
  const signal = AbortSignal.any([context.signal, closing.signal]);
  const outbox = createOutbox({
    send({ id: idempotencyKey, text: message }) {
      const params = { ...session, sessionKey: key, message, idempotencyKey, ...options.more };
      return live?.client?.request("chat.send", params).then((answer) => {
        if (/^(started|in_flight)$/.test(stringAt(answer, "status") ?? "")) return;
        own.delete(idempotencyKey);
        events.done(idempotencyKey);
      });
    },
    refused(message, reason) {
      own.delete(message.id);
      events.refused(message, reason);
    },
  });
  /** Own messages that may still come back as the session's. */
  const own = new Set<string>();
  let live: Link | undefined;
  let key = "";
  /** The newest message that was shown. */
  let last: { readonly sessionId: string | undefined; readonly seq: number } | undefined;
  let heardAt = 0;

  const hear = (event: string, payload: unknown): void => {
    heardAt = clock.monotonic();
    if (stringAt(payload, "sessionKey") !== key) return;
    if (event === "session.message") return hearMessage(payload);
    const news = newsOf(event, payload);
    if (news) events.news(news);
    if (news?.kind === "ended") own.delete(news.runId);
  };
  const hearMessage = (payload: unknown): void => {
    const sessionId = stringAt(payload, "session", "sessionId") ?? last?.sessionId;
    last = { sessionId, seq: numberAt(payload, "messageSeq") ?? last?.seq ?? 0 };
    const said = readSaid(at(payload, "message"));
    if (said?.role === "user" && !own.has(said.runId ?? "")) events.heard(said.text);
  };

  const connect = async (): Promise<void> => {
    const link: Link = {};
    // Later on the screen is the conversation's, and no place for progress.
    const output = last ? { ...context.output, progress: <T>(_: string, work: Promise<T>) => work } : context.output;
    const client = await open({ ...context, signal, output }, target, {
      scopes: ["operator.admin", "operator.read", "operator.write"],
      onEvent: hear,
      onClose(reason) {
        link.gone = reason;
        if (live === link) lose(reason);
      },
    });
    try {
      // Subscribed first: what is said before the history is read is in it.
      await client.request("sessions.messages.subscribe", { key: session.sessionKey, agentId: session.agentId });
      const limit = last ? missedLimit : Math.max(historyLimit, 1);
      const chat = readHistory(await client.request("chat.history", { ...session, limit }));
      if (link.gone) throw link.gone;
      link.client = client;
      live = link;
      key = chat.key;
      heardAt = clock.monotonic();
      events.opened({ ...chat, said: unseen(chat) });
    } catch (error) {
      client.close();
      throw error;
    }
    outbox.flush();
  };
  const unseen = (chat: Chat): Chat["said"] => {
    const before = last;
    last = { sessionId: chat.sessionId, seq: chat.said.at(-1)?.seq ?? 0 };
    if (!before) return historyLimit === 0 ? [] : chat.said;
    const since = before.sessionId === chat.sessionId ? before.seq : 0;
    return chat.said.filter(({ seq, role, runId }) => seq > since && !(role === "user" && own.has(runId ?? "")));
  };

  const lose = (reason: Failure): void => {
    live = undefined;
    if (closing.signal.aborted) return;
    events.lost(reason);
    void reconnect();
  };
  const reconnect = async (): Promise<void> => {
    for (let pause = 250; !closing.signal.aborted; pause = Math.min(pause * 2, longestPause)) {
      try {
        await clock.sleep(pause, closing.signal);
        return await connect();
      } catch (error) {
        const failure = Failure.from(error);
        if (!failure.retryable && !closing.signal.aborted) return events.ended(failure);
      }
    }
  };

  // A network that is gone tells nobody: a gateway that is there says so every `tick`.
  const stopWatching = clock.every(watchMs, () => {
    const silent = live?.client;
    if (!silent || clock.monotonic() - heardAt < silenceMs) return;
    lose(new Failure("timeout", `the gateway was not heard for ${silenceMs / 1000}s`));
    silent.close();
  });
  const close = (): void => {
    closing.abort();
    stopWatching();
    live?.client?.close();
  };
  try {
    await connect();
  } catch (error) {
    close();
    throw error;
  }
  return {
    send(text) {
      const message = outbox.add(text);
      own.add(message.id);
      return message;
    },
    async stop() {
      await live?.client?.request("chat.abort", { ...session, sessionKey: key });
    },
    unsent: outbox.waiting,
    close,
  };
}

/** One connection. */
interface Link {
  client?: Client;
  gone?: Failure;
}

/** Messages that are asked for after an absence. */
const missedLimit = 50;
const longestPause = 5000;
const watchMs = 15_000;
/** Three ticks of a gateway (protocol.md 7). */
const silenceMs = 95_000;
