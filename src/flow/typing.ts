import type { Clock } from "../host/host.ts";
import type { Logger } from "../kit/log.ts";
import { Failure } from "../kit/error.ts";
import type { Sessions } from "../session/sessions.ts";
import type { OpenAccount } from "./networks.ts";
import type { Reply } from "./reply.ts";
import type { TurnEvent, Turns } from "./turns.ts";

export interface TypingOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly turns: Pick<Turns, "onEvent">;
  readonly sessions: Pick<Sessions, "get">;
  readonly account: (channel: string, accountId: string) => Promise<OpenAccount>;
}

/** A network shows it for some seconds: it is told again before they are over. */
const everyMs = 6000;
/** A model that says nothing for so long is not writing. */
const atMostMs = 10 * 60_000;

/** A chat in which an answer is being written. */
interface Writing {
  readonly runs: Set<string>;
  readonly stop: () => void;
}

/**
 * Shows in a chat that an answer is being written: at once where a person writes directly, from the first word in groups,
 * where most that is said is answered by nobody. The answer ends it.
 */
export function showTyping({ clock, log, turns, sessions, account }: TypingOptions): () => void {
  const chats = new Map<string, Writing>();

  function hear(turn: TurnEvent): void {
    const { reply, runId } = turn;
    if (!reply) return;
    if (turn.kind === "ended") return end(reply, runId);
    const isGroup = (sessions.get(turn.sessionKey)?.chatType ?? "direct") !== "direct";
    const begins = isGroup ? turn.kind === "progress" && turn.event.type === "text" : turn.kind === "started";
    if (begins) begin(reply, runId);
  }

  function begin(reply: Reply, runId: string): void {
    const key = keyOf(reply);
    const known = chats.get(key);
    if (known) return void known.runs.add(runId);
    const until = clock.monotonic() + atMostMs;
    const tick = (): void => (clock.monotonic() < until ? show(reply) : stop());
    const stop = clock.every(everyMs, tick);
    chats.set(key, { runs: new Set([runId]), stop });
    show(reply);
  }

  function end(reply: Reply, runId: string): void {
    const key = keyOf(reply);
    const known = chats.get(key);
    if (!known?.runs.delete(runId) || known.runs.size > 0) return;
    known.stop();
    chats.delete(key);
  }

  function show(reply: Reply): void {
    const { channel, accountId, target } = reply;
    account(channel, accountId)
      .then((open) => open.channel.typing?.(target))
      .catch((error: unknown) => {
        // Not tried again for this answer: it is a courtesy, and the network has other things to do.
        chats.get(keyOf(reply))?.stop();
        log.debug("that an answer is being written is not shown", { channel, error: Failure.from(error).message });
      });
  }

  const off = turns.onEvent(hear);
  return () => {
    off();
    for (const { stop } of chats.values()) stop();
    chats.clear();
  };
}

function keyOf({ channel, accountId, target }: Reply): string {
  return JSON.stringify([channel, accountId, target.to, target.thread]);
}
