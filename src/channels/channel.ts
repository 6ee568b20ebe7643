import type * as v from "valibot";
import type { Clock, Net, Processes } from "../host/host.ts";
import type { Logger } from "../kit/log.ts";
import type { Origin } from "../session/route.ts";
import type { Policy } from "./channel-policy.ts";

/** A chat network, declared once: what it signs in with, what it can do, and how a connection to it is opened. */
export interface ChannelKind<S extends v.GenericSchema = v.GenericSchema> {
  readonly id: string;
  /** Its name as people write it, such as `Microsoft Teams`. */
  readonly label: string;
  /** Settings of one account: those of `channels.<id>`, with those of `accounts.<account>` laid over them. */
  readonly settings: S;
  /** What it signs in with, in the order that a person is asked for it. */
  readonly credentials: readonly Credential[];
  readonly abilities: Abilities;
  /** Ids of this network that differ in capitals alone mean the same. */
  readonly ignoreCase?: boolean;
  /** Whom these settings let write, in the words that all networks share. */
  policy(settings: v.InferOutput<S>): Policy;
  /**
   * What a person or a model wrote as a recipient, such as `-100123:topic:42` or `user:U024BE7LH`, in the one form that
   * `send` takes. Throws `invalid-request`, with an example of what would do.
   */
  target(written: string): Target;
  /**
   * Where somebody who wrote is written to directly, by his id; `target` knows unless this says it. Throws
   * `invalid-request` where nobody can be.
   */
  person?(id: string): Target;
  /**
   * Resolves once the settings are known to be usable, and goes on by itself: it connects, and connects again, until
   * `context.signal` says otherwise. Rejects with `config` for settings that cannot work.
   */
  open(settings: v.InferOutput<S>, context: ChannelContext): Promise<Channel>;
}

/** One value that a network wants to know its own by. */
export interface Credential {
  /** The key of the settings that holds it, such as `botToken`. */
  readonly key: string;
  /** The key that names a file with it instead, such as `tokenFile`: read before `open`, which finds it under `key`. */
  readonly file?: string;
  /** The variable that does as well, for the account `default` alone. */
  readonly variable?: string;
  /** What it is and where it is to be had, in a sentence. */
  readonly help: string;
  /** It works without. */
  readonly optional?: true;
  /** It may be shown: an address or a name. */
  readonly public?: true;
}

/** What clients are told that a network can do. */
export interface Abilities {
  readonly chats: readonly ("direct" | "group" | "channel" | "thread")[];
  readonly media: boolean;
  readonly reactions: boolean;
  readonly edit: boolean;
  readonly typing: boolean;
}

/** An account of a network that is open. Methods that are optional are abilities. */
export interface Channel {
  /** Most UTF-16 code units of one message, as the network counts before its own marks are added. */
  readonly maxText: number;
  /** Whom the settings let write, with names in them looked up: takes the place of the kind's, and may change at any time. */
  readonly policy?: Policy | undefined;
  /** Requests to this path of the gateway's port are for this account. */
  readonly webhook?: Webhook | undefined;
  /**
   * Sends one message. Rejects with a Failure whose code says what to do: `rate-limited` (wait `retryAfterMs`) and
   * `unavailable` (nothing was sent: try again), `timeout` (it may have been sent), anything else will never work.
   */
  send(to: Target, message: Outbound, options: SendOptions): Promise<Sent>;
  /** Replaces the text of a message that we sent. */
  edit?(to: Target, id: string, text: string): Promise<void>;
  /** Takes back a message that we sent. */
  remove?(to: Target, id: string): Promise<void>;
  /** Sets our reaction to a message; an empty one takes it away. */
  react?(to: Target, id: string, emoji: string): Promise<void>;
  /** Shows for some seconds that an answer is being written. */
  typing?(to: Target): Promise<void>;
  /** Asks the network who we are. Rejects as `send` does. */
  probe?(signal: AbortSignal): Promise<Self>;
  /** Ends it. What was received and not yet taken is left to be delivered again. */
  close(): Promise<void>;
}

/** What an account is given. It reaches nothing else. */
export interface ChannelContext {
  readonly accountId: string;
  /** The account is to end. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly log: Logger;
  readonly fetch: typeof fetch;
  /** At least 0 and less than 1; for waits that must not coincide, never for secrets. */
  readonly random: () => number;
  /** WebSockets, and plain or encrypted TCP connections; each absent where there is none. */
  readonly net: Partial<Pick<Net, "dial" | "connect">>;
  /** Absent where no program can be started. */
  readonly processes?: Pick<Processes, "start" | "converse"> | undefined;
  /** Texts of this account alone that outlive the process: places in a stream, tokens that were given. */
  readonly kept: Kept;
  /**
   * Takes a message in. Resolves when it is on the disk, or when it was decided that nothing is to be done with it: only
   * then may the network be told that it has arrived. Rejects when it cannot be taken now: let it be delivered again.
   * The same `id` in the same chat is taken once, however often it comes.
   */
  receive(message: Inbound): Promise<void>;
  /** Tells how the account fares; `failed` when only a person can help, such as with a token that was revoked. */
  status(state: ConnectionState): void;
}

export interface Kept {
  read(name: string): Promise<string | undefined>;
  /** Undefined forgets it. */
  write(name: string, text: string | undefined): Promise<void>;
}

export type ConnectionState =
  | { readonly state: "connecting"; readonly reason?: string | undefined }
  | { readonly state: "ready"; readonly self?: Self | undefined }
  | { readonly state: "failed"; readonly reason: string };

/** Who we are in the network. */
export interface Self {
  readonly id: string;
  readonly name?: string | undefined;
}

/** A place that messages are sent to, in the network's own words. It is written down with the messages that answer to it. */
export interface Target {
  /** The person, group or channel. */
  readonly to: string;
  /** A thread or topic in it. */
  readonly thread?: string | undefined;
}

/** A message that somebody wrote. Every id is the network's own and lasting: names that people choose decide nothing (threat L). */
export interface Inbound {
  /** Tells it from all others of its chat. */
  readonly id: string;
  readonly peer: Origin["peer"] & { readonly name?: string | undefined };
  readonly thread?: Origin["thread"];
  readonly guildId?: string | undefined;
  readonly teamId?: string | undefined;
  readonly sender: Sender;
  readonly text: string;
  readonly attachments?: readonly Attachment[] | undefined;
  /** It names us, or answers a message of ours. */
  readonly mentioned: boolean;
  /** The message that it answers, as far as the network shows it. */
  readonly quoted?: { readonly id: string; readonly text?: string | undefined; readonly sender?: string | undefined };
  /** It came as a command of the network's own menu: meant for us without being mentioned. */
  readonly command?: boolean | undefined;
  /** Where an answer goes. */
  readonly to: Target;
  /** When it was written, in milliseconds since 1970. */
  readonly at: number;
}

export interface Sender {
  readonly id: string;
  readonly name?: string | undefined;
  /** Other lasting ids of the same person that an allow list may name, such as a phone number. */
  readonly aliases?: readonly string[] | undefined;
  readonly isBot?: boolean | undefined;
  /** We wrote it ourselves, from another device. */
  readonly isSelf?: boolean | undefined;
}

/** A file that came with a message. */
export interface Attachment {
  readonly kind: "image" | "audio" | "video" | "file";
  readonly mimeType?: string | undefined;
  readonly fileName?: string | undefined;
  /** Bytes, where the network says so. */
  readonly size?: number | undefined;
  /** Rejects with `invalid-request` when there are more than `maxBytes`. */
  load(options: { readonly maxBytes: number; readonly signal: AbortSignal }): Promise<Uint8Array>;
}

export interface Outbound {
  /** Markdown; a network without it is given what reads best there by its own file. */
  readonly text: string;
  /** The id of the message that it answers, where that is to be shown. */
  readonly replyTo?: string | undefined;
  /** Files that go with it; a network without `media` is never given any. */
  readonly media?: readonly OutboundMedia[] | undefined;
}

export interface OutboundMedia {
  readonly data: Uint8Array;
  readonly mimeType: string;
  readonly fileName: string;
}

export interface SendOptions {
  /** The same for the same message, however often it is tried: for networks that take a message once per key. */
  readonly key: string;
  readonly signal: AbortSignal;
}

export interface Sent {
  /** The network's id of the message. */
  readonly id: string;
}

/** HTTP requests by which a network tells of messages. */
export interface Webhook {
  /** Such as `/line/webhook`. */
  readonly path: string;
  /** Largest body in bytes; 1 MB unless given. */
  readonly maxBody?: number;
  /**
   * Answers a request that anybody may have sent: who cannot prove to be the network is refused before his words are
   * looked at (threat B). What was not taken in is answered 503, and comes again.
   */
  handle(request: Request): Promise<Response>;
}

/** Declares a network; keeps the exact type of its settings. */
export function channel<const S extends v.GenericSchema>(declared: ChannelKind<S>): ChannelKind<S> {
  return declared;
}
