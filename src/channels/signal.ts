import * as v from "valibot";
import { toBase64 } from "../kit/base64.ts";
import { type Code, Failure } from "../kit/error.ts";
import { fromBase64 } from "../kit/ids.ts";
import { readEvents } from "../kit/sse.ts";
import { type Attachment, channel, type Channel, type ChannelContext, type Target } from "./channel.ts";
import { keepConnected } from "./channel-connection.ts";
import { takeIn } from "./channel-inbox.ts";
import { needed } from "./channel-needs.ts";
import { createRecent } from "./channel-recent.ts";
import { answerOf } from "./channel-request.ts";
import { signalDaemon } from "./signal-daemon.ts";
import { readSignalEvent, type SignalFile } from "./signal-event.ts";
import { signalRpc } from "./signal-rpc.ts";
import { recipientOf, signalPolicy, signalSettings, type SignalSettings, signalTarget } from "./signal-settings.ts";
import { styledText } from "./signal-text.ts";

/**
 * Signal, by a daemon of signal-cli. What it has told us of is gone from Signal's servers, and it tells everything once:
 * a message is on our disk before the next one is read, so that what it still holds and what comes while nobody listens
 * (`receiveMode` on-connection) is not lost, but the one that is on its way when this process is killed is.
 */
export const signal = channel({
  id: "signal",
  label: "Signal",
  settings: signalSettings,
  credentials: [
    {
      key: "account",
      public: true,
      help: 'Our phone number, linked or registered before: run `signal-cli link -n "Clawdbot"` and scan its code.',
    },
    { key: "httpUrl", public: true, optional: true, help: "A signal-cli daemon that runs already." },
  ],
  abilities: { chats: ["direct", "group"], media: true, reactions: true, edit: true, typing: true },
  policy: signalPolicy,
  target: signalTarget,
  open: async (settings, context) => openAccount(settings, context),
});

const MAX_TEXT = 4000;
/** signal-cli sends a comment every 15 seconds. */
const SILENCE_MS = 120_000;
const REMEMBERED = 200;

function openAccount(settings: SignalSettings, given: ChannelContext): Channel {
  const { account } = needed(settings, ["account"], signal);
  const ending = new AbortController();
  const context = { ...given, signal: AbortSignal.any([given.signal, ending.signal]) };
  const daemon = signalDaemon(context, { ...settings, account });
  const call = signalRpc(context, { base: daemon.base, account });
  let ownUuid: string | undefined;
  const reactions = createRecent<string>(REMEMBERED);

  const running = keepConnected(context, async (attempt) => {
    ownUuid ??= await context.kept.read("uuid");
    await daemon.ready();
    const url = new URL("api/v1/events", daemon.base);
    url.searchParams.set("account", account);
    const response = await answerOf(context, {
      label: "signal-cli",
      url,
      headers: { accept: "text/event-stream" },
      signal: context.signal,
      refusal: (status) =>
        status === 400 || status === 404
          ? new Failure("config", "signal-cli does not know our number: link it with `signal-cli link`, or register it")
          : undefined,
    });
    if (!response.body) throw new Failure("unavailable", "signal-cli sends no events");
    attempt.ready({ id: account });
    const options = {
      signal: context.signal,
      clock: context.clock,
      idleMs: SILENCE_MS,
      maxBytes: Number.POSITIVE_INFINITY,
    };
    for await (const { event, data } of readEvents(response.body, options)) if (event !== "error") await take(data);
  });

  async function take(data: string): Promise<void> {
    const news = readSignalEvent(data, { account, uuid: ownUuid });
    if (news === "nothing") return;
    if (news === "garbled") return context.log.warn("a message that cannot be read was skipped");
    if ("ownUuid" in news) {
      ownUuid = news.ownUuid;
      return context.kept.write("uuid", ownUuid);
    }
    const { inbound, files, author, timestamp } = news.message;
    const target = inbound.to;
    await takeIn(context, { ...inbound, attachments: files.map((file) => attachmentOf(file, target)) });
    if (!settings.sendReadReceipts || inbound.peer.kind !== "direct") return;
    call("sendReceipt", { recipient: author, targetTimestamp: [timestamp], type: "read" }, context).catch(
      (error: unknown) => context.log.debug("a receipt was not sent", { error: Failure.from(error).message }),
    );
  }

  function attachmentOf(file: SignalFile, from: Target): Attachment {
    const { id, contentType, filename, size } = file;
    const { recipient, groupId } = recipientOf(from);
    return {
      kind: kindOf(contentType ?? ""),
      mimeType: contentType ?? undefined,
      fileName: filename ?? undefined,
      size: size ?? undefined,
      async load({ maxBytes, signal: until }) {
        const place = groupId === undefined ? { recipient: [recipient].flat()[0] } : { groupId };
        // A third more in base64, and some words around it.
        const options = { signal: until, maxBytes: Math.ceil(maxBytes / 3) * 4 + 4096 };
        const tooLarge = new Failure("invalid-request", `a file from Signal has more than ${maxBytes} bytes`);
        if ((size ?? 0) > maxBytes) throw tooLarge;
        const read = v.safeParse(
          v.looseObject({ data: v.string() }),
          await call("getAttachment", { id, ...place }, options),
        );
        const bytes = read.success ? fromBase64(read.output.data) : undefined;
        if (!bytes) throw new Failure("unavailable", "signal-cli gave a file that cannot be read");
        if (bytes.byteLength > maxBytes) throw tooLarge;
        return bytes;
      },
    };
  }

  async function post(to: Target, params: Readonly<Record<string, unknown>>, until: AbortSignal): Promise<string> {
    const result = v.safeParse(sentShape, await call("send", { ...recipientOf(to), ...params }, { signal: until }));
    if (!result.success) throw new Failure("timeout", "signal-cli did not say when the message was sent");
    const { timestamp, results } = result.output;
    const [first] = results ?? [];
    if (first && results?.every(({ type }) => type !== "SUCCESS"))
      throw new Failure(outcomes[first.type] ?? "invalid-request", `Signal did not take the message: ${first.type}`, {
        retryAfterMs: first.retryAfterSeconds ? first.retryAfterSeconds * 1000 : undefined,
      });
    return `${timestamp}:${account}`;
  }

  return {
    maxText: MAX_TEXT,
    async send(to, { text, replyTo, media = [] }, { signal: until }) {
      const { text: message, styles } = styledText(text);
      const attachments = media.map(
        ({ data, mimeType, fileName }) =>
          `data:${mimeType};filename=${fileName.replaceAll(/[^\w.-]/g, "_")};base64,${toBase64(data)}`,
      );
      if (message === "" && attachments.length === 0)
        throw new Failure("invalid-request", "the message is empty: there is nothing to send");
      const quoted = replyTo === undefined ? undefined : messageOf(replyTo);
      const id = await post(
        to,
        {
          message,
          ...(styles.length === 0 ? {} : { textStyles: styles }),
          ...(attachments.length === 0 ? {} : { attachments }),
          ...(quoted ? { quoteTimestamp: quoted.timestamp, quoteAuthor: quoted.author, quoteMessage: "" } : {}),
        },
        until,
      );
      return { id };
    },
    async edit(to, id, text) {
      const { text: message, styles } = styledText(text);
      const params = { message, editTimestamp: messageOf(id).timestamp };
      await post(to, { ...params, ...(styles.length === 0 ? {} : { textStyles: styles }) }, context.signal);
    },
    async remove(to, id) {
      await call("remoteDelete", { ...recipientOf(to), targetTimestamp: messageOf(id).timestamp }, context);
    },
    async react(to, id, emoji) {
      const { timestamp, author } = messageOf(id);
      // What is taken away is named as well.
      const shown = emoji === "" ? reactions.get(id) : emoji;
      if (shown === undefined) return;
      const params = { emoji: shown, targetAuthor: author, targetTimestamp: timestamp, remove: emoji === "" };
      await call("sendReaction", { ...recipientOf(to), ...params }, context);
      reactions.set(id, emoji === "" ? undefined : emoji);
    },
    async typing(to) {
      await call("sendTyping", recipientOf(to), context);
    },
    async probe(until) {
      await call("version", {}, { signal: until });
      return { id: account };
    },
    async close() {
      ending.abort();
      await running;
      daemon.close();
    },
  };
}

const sentShape = v.looseObject({
  timestamp: v.number(),
  results: v.nullish(v.array(v.looseObject({ type: v.string(), retryAfterSeconds: v.nullish(v.number()) }))),
});

const outcomes: Readonly<Record<string, Code>> = {
  NETWORK_FAILURE: "timeout",
  UNREGISTERED_FAILURE: "not-found",
  IDENTITY_FAILURE: "forbidden",
  RATE_LIMIT_FAILURE: "rate-limited",
};

function messageOf(id: string): { readonly timestamp: number; readonly author: string } {
  const [, timestamp, author = ""] = /^(\d{1,16}):(\S{1,64})$/.exec(id) ?? [];
  if (timestamp !== undefined) return { timestamp: Number(timestamp), author };
  throw new Failure(
    "invalid-request",
    `${JSON.stringify(id.slice(0, 64))} is no message in Signal: one is 1700000000000:+15551234567`,
  );
}

function kindOf(mimeType: string): Attachment["kind"] {
  const [kind] = mimeType.split("/");
  return kind === "image" || kind === "audio" || kind === "video" ? kind : "file";
}
