import { limited, orAborted } from "../agent/interrupt.ts";
import type { App } from "../app.ts";
import type { Target } from "../channels/channel.ts";
import { Failure } from "../kit/error.ts";
import type { OpenAccount } from "./networks.ts";
import type { StoredMedia } from "./outbox.ts";
import type { Reply } from "./reply.ts";

/** A chat as somebody names it. */
export interface ChatName {
  /** May be left out where one network is set up. */
  readonly channel?: string | undefined;
  readonly accountId?: string | undefined;
  /** In the words of the network, such as `-100123:topic:42`. */
  readonly to: string;
  readonly threadId?: string | undefined;
}

/** A chat that can be written to now. */
export interface Chat {
  readonly account: OpenAccount;
  readonly to: Reply;
}

/** What can be done in a chat. */
export type ChatAct =
  | {
      readonly kind: "send";
      readonly text: string;
      readonly media?: readonly StoredMedia[] | undefined;
      /** The message that it answers. */
      readonly quotes?: string | undefined;
    }
  | { readonly kind: "edit"; readonly messageId: string; readonly text: string }
  | { readonly kind: "delete"; readonly messageId: string }
  /** An empty emoji takes the reaction away. */
  | { readonly kind: "react"; readonly messageId: string; readonly emoji: string };

export interface ActOptions {
  /** Names the act: what was sent under it is not sent again, over any number of restarts. */
  readonly id: string;
  readonly sessionKey?: string | undefined;
  readonly signal: AbortSignal;
}

/** Networks that are set up, in their order. */
export function configuredChannels({ networks }: Pick<App, "networks">): readonly string[] {
  const usable = networks.accounts().filter(({ enabled, configured }) => enabled && configured);
  return [...new Set(usable.map(({ channel }) => channel))];
}

/** Finds the chat that is named. Rejects with `invalid-request` for none, and `unavailable` when its account is not open. */
export async function findChat(
  app: Pick<App, "networks">,
  { channel, accountId, to, threadId }: ChatName,
): Promise<Chat> {
  const id = channel?.trim() ?? "";
  const account = await app.networks.open(id === "" ? onlyChannel(app) : id, accountId);
  const target: Target = account.kind.target(to);
  const thread = threadId === undefined ? {} : { thread: threadId };
  const reply = { channel: account.kind.id, accountId: account.accountId, target: { ...target, ...thread } };
  return { account, to: reply };
}

/** The chat that a message came from, or that was found before. */
export async function openChat({ networks }: Pick<App, "networks">, to: Reply): Promise<Chat> {
  return { account: await networks.open(to.channel, to.accountId), to };
}

function onlyChannel(app: Pick<App, "networks">): string {
  const [only, ...others] = configuredChannels(app);
  if (only === undefined)
    throw new Failure("invalid-request", "Channel is required (no configured channels detected).");
  if (others.length === 0) return only;
  const all = [only, ...others].join(", ");
  throw new Failure("invalid-request", `Channel is required when several are configured: ${all}.`);
}

/** Does it; resolves with the network's ids of the messages when it is done. What is sent goes on after a crash. */
export async function act(
  { outbox, clock }: Pick<App, "outbox" | "clock">,
  { account, to }: Chat,
  { id, sessionKey, signal, ...rest }: ActOptions & { readonly act: ChatAct },
): Promise<readonly string[]> {
  const { act: asked } = rest;
  const { label } = account.kind;
  const expired = (): Failure => new Failure("timeout", `${label} does not answer: it may still be done`);
  const limit = limited(clock, signal, { ms: limitMs, expired });
  try {
    if (asked.kind !== "send") {
      await orAborted(once(account, to.target, asked), limit.signal);
      return [asked.messageId];
    }
    const { text, media, quotes } = asked;
    if (text.trim() === "" && (media ?? []).length === 0)
      throw new Failure("invalid-request", "there is nothing to send: give a text or a file");
    await outbox.plan({ id, to, text, media, quotes, sessionKey });
    return (await outbox.sent(id, limit.signal)).map((sent) => sent.id);
  } finally {
    limit.dispose();
  }
}

const limitMs = 60_000;

/** What is done at once or not at all: whoever asked is told when the network is not there. */
function once(
  { kind, channel }: OpenAccount,
  target: Target,
  asked: Exclude<ChatAct, { readonly kind: "send" }>,
): Promise<void> {
  const { messageId } = asked;
  if (asked.kind === "edit" && asked.text.length > channel.maxText)
    throw new Failure("invalid-request", `a message of ${kind.label} has ${channel.maxText} characters at most`);
  const done =
    asked.kind === "edit"
      ? channel.edit?.(target, messageId, asked.text)
      : asked.kind === "delete"
        ? channel.remove?.(target, messageId)
        : channel.react?.(target, messageId, asked.emoji);
  if (done) return done;
  throw new Failure(
    "invalid-request",
    `${kind.label} has no way to ${asked.kind === "react" ? "react to" : asked.kind} messages`,
  );
}
