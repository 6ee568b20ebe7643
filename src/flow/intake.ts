import { agentsOf } from "../agent/roster.ts";
import type { UserContent } from "../agent/runner.ts";
import type { Inbound, Target } from "../channels/channel.ts";
import type { Policy } from "../channels/channel-policy.ts";
import { channels } from "../channels/index.ts";
import type { ConfigStore } from "../config/config.ts";
import type { Clock } from "../host/host.ts";
import { Failure } from "../kit/error.ts";
import { createLanes } from "../kit/lanes.ts";
import type { Logger } from "../kit/log.ts";
import { createSha256 } from "../kit/sha256.ts";
import type { Senders } from "../pairing/senders.ts";
import type { Media } from "../session/media.ts";
import type { TextPart } from "../session/message.ts";
import { folded, routeOf, type RouteRules } from "../session/route.ts";
import type { Sessions } from "../session/sessions.ts";
import { admit, ownersIn } from "./admit.ts";
import { takeFiles } from "./intake-files.ts";
import { createMentions } from "./intake-mention.ts";
import { commandIn, leastFor, rightsOf } from "./intake-rights.ts";
import { createRooms, type Line } from "./intake-rooms.ts";
import { noteSession } from "./intake-session.ts";
import { createStrangers } from "./intake-stranger.ts";
import { directWords, inContext, nameOf, overheardWords, spokenWords, textOf } from "./intake-words.ts";
import type { Turns } from "./turns.ts";

/** The way of a message of a chat network to its session: whether it counts, whose it is, and into the journal. */
export interface Intake {
  /** Resolves when the message is on the disk, or when nothing is to be done with it; `ChannelContext.receive` is this. */
  receive(from: Source, message: Inbound): Promise<void>;
}

/** The account that a message came by. */
export interface Source {
  readonly channel: string;
  readonly label: string;
  readonly accountId: string;
  readonly ignoreCase: boolean;
  readonly policy: Policy;
  readonly mediaMaxBytes: number;
  /** Sends a few words of the gateway's own, such as a pairing code. Rejects as `Channel.send` does. */
  say(to: Target, text: string, key: string): Promise<void>;
  /** Shows that the message was seen; absent where the network cannot. */
  react?(to: Target, id: string, emoji: string): Promise<void>;
  readonly signal: AbortSignal;
}

export interface IntakeOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly config: ConfigStore;
  readonly turns: Pick<Turns, "accept" | "run">;
  readonly sessions: Sessions;
  readonly senders: Pick<Senders, "ask" | "allowed">;
  readonly media: Pick<Media, "save">;
  /** What the program is called on the command line here, for people who are told a command. */
  readonly program: string;
}

export function createIntake(options: IntakeOptions): Intake {
  const { config, turns, sessions, senders } = options;
  const log = options.log.child("intake");
  const lanes = createLanes();
  const rooms = createRooms();
  const mentions = createMentions(log);
  const turnAway = createStrangers({ ...options, log });
  let taking = 0;

  async function take(source: Source, message: Inbound): Promise<void> {
    const { channel, accountId } = source;
    const runId = runIdOf(source, message);
    // What was taken is not looked at again: who sends it over and over keeps nobody busy.
    if (turns.run(runId)) return;
    const { route, command, isCalled, verdict } = await judge(source, message);
    if (verdict.kind === "pair") return turnAway(source, message);
    const room = roomOf(source, message);
    if (verdict.kind === "ignore") {
      log.debug("a message is not answered", { channel, account: accountId, reason: verdict.reason });
      if (verdict.reason !== "not-called") return;
      const most = config.current().value.messages.groupChat.historyLimit ?? Infinity;
      const limit = Math.min(source.policy.groups.historyLimit, most);
      return rooms.overheard(room, { id: runId, text: overheardWords(speakerIn(room, message), message), limit });
    }
    const before = command ? [] : rooms.waiting(room);
    const content = command ? [said(textOf(message))] : await contentOf(source, message, { room, before });
    if (content.length === 0) return;
    await noteSession(options, { source, message, route });
    const { status } = await turns.accept({
      runId,
      sessionKey: route.sessionKey,
      agentId: route.agentId,
      content,
      // What was judged as no command is obeyed as none.
      commands: command !== undefined,
      origin: { channel, sender: message.sender.id, ...rightsOf(verdict.standing) },
      reply: { channel, accountId, target: message.to, replyTo: message.id },
      extraSystemPrompt: verdict.prompt,
    });
    if (status !== "started") return;
    rooms.shown(room, before);
    if (!command) void acknowledge(source, message, isCalled);
  }

  async function judge(source: Source, message: Inbound) {
    const { channel, accountId, policy, ignoreCase } = source;
    const { value } = config.current();
    const { session, bindings, messages, commands } = value;
    const [first, ...others] = agentsOf(value);
    const rules: RouteRules = { session, bindings, agents: [first.id, ...others.map(({ id }) => id)] };
    const route = routeOf({ ...message, channel, accountId, ignoreCase }, rules);
    const agent = others.find(({ id }) => id === route.agentId) ?? first;
    const isGroup = message.peer.kind !== "direct";
    const patterns = agent.mentionPatterns ?? messages.groupChat.mentionPatterns;
    const isCalled = isGroup && (message.mentioned || mentions(patterns, message.text));
    const command = commandIn(message, commands.text);
    const verdict = admit(message, {
      policy,
      ignoreCase,
      paired: await senders.allowed(channel, accountId),
      owners: ownersIn(commands.ownerAllowFrom, channel, isChannel),
      command: command && leastFor(command, isGroup && commands.useAccessGroups),
      called: isCalled,
      activation: isGroup ? sessions.get(route.sessionKey)?.groupActivation : undefined,
    });
    return { route, command, isCalled, verdict };
  }

  async function contentOf(source: Source, message: Inbound, { room, before }: Place): Promise<UserContent> {
    const { media, clock } = options;
    const { signal } = source;
    const maxBytes = Math.min(source.mediaMaxBytes, config.current().value.agents.defaults.mediaMaxMb * 1024 * 1024);
    const { images, lines } = await takeFiles(message.attachments ?? [], { media, clock, log, maxBytes, signal });
    // What could not be loaded because the account ends can be when the message comes again.
    if (signal.aborted) throw new Failure("unavailable", "the account is being closed");
    if (message.peer.kind === "direct") {
      const words = directWords(message, lines);
      return words === "" ? images : [said(words), ...images];
    }
    const words = spokenWords(speakerIn(room, message), message, lines);
    const earlier = before.map(({ text }) => text);
    return [said(inContext(earlier, words)), ...images];
  }

  /** A name that somebody else of the room goes by already does not stand alone. */
  function speakerIn(room: string, { sender: { id, name } }: Inbound): string {
    const shown = nameOf(name, id);
    return rooms.isFirst(room, { name: shown, id }) ? shown : `${shown} (${nameOf(id, "")})`;
  }

  /** Reacts to a message, where the settings want it. Never rejects. */
  async function acknowledge(source: Source, message: Inbound, isCalled: boolean): Promise<void> {
    const { ackReaction, ackReactionScope: scope } = config.current().value.messages;
    const own = message.peer.kind === "direct" ? "direct" : "group-all";
    const isWanted = scope === "all" || scope === own || (scope === "group-mentions" && isCalled);
    if (!isWanted || ackReaction.trim() === "") return;
    try {
      await source.react?.(message.to, message.id, ackReaction.trim());
    } catch (error) {
      log.debug("a message could not be reacted to", { channel: source.channel, error });
    }
  }

  return {
    async receive(source, message) {
      const { channel, accountId } = source;
      if (taking >= MOST_TAKING)
        throw new Failure("rate-limited", `${taking} messages are being taken in already: send it again later`);
      taking++;
      try {
        // In the order in which they came, however long their files take.
        await lanes.run(roomOf(source, message), () => take(source, message));
      } catch (error) {
        if (mayWorkLater(error)) throw error;
        log.error("a message could not be taken in", {
          channel,
          account: accountId,
          error: Failure.from(error).message,
        });
      } finally {
        taking--;
      }
    },
  };
}

/** Messages that are looked at and loaded at the same time, over all accounts. */
const MOST_TAKING = 500;

interface Place {
  readonly room: string;
  readonly before: readonly Line[];
}

/** The same for the same message, however often and after whatever it comes. */
function runIdOf(source: Source, { peer, id }: Inbound): string {
  if (id === "") throw new Failure("invalid-request", "a message has no id: it could not be told when it comes again");
  const { channel, accountId } = source;
  const hash = createSha256();
  hash.update(new TextEncoder().encode(JSON.stringify([channel, accountId, peer.kind, folded(peer.id, source), id])));
  return `${channel}-${hash.hex().slice(0, 40)}`;
}

/** Names the chat, or the part of it that has a conversation of its own. */
function roomOf(source: Source, { peer, thread }: Inbound): string {
  return JSON.stringify([source.channel, source.accountId, peer.kind, folded(peer.id, source), thread?.id]);
}

function isChannel(name: string): boolean {
  return channels.some(({ id }) => id === name);
}

function said(text: string): TextPart {
  return { type: "text", text };
}

/**
 * Whether the message is to come again: the gateway said so, or the machine failed, as with a full disk. What is wrong
 * with the message itself, or a fault of this program, would only block all that comes after it.
 */
function mayWorkLater(error: unknown): boolean {
  if (error instanceof Failure) return error.retryable;
  return !faults.some((fault) => error instanceof fault);
}

const faults = [TypeError, RangeError, ReferenceError, SyntaxError, EvalError] as const;
