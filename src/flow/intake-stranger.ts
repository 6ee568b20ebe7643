import type { Inbound } from "../channels/channel.ts";
import type { Clock } from "../host/host.ts";
import { Failure } from "../kit/error.ts";
import type { Logger } from "../kit/log.ts";
import type { Senders } from "../pairing/senders.ts";
import { folded } from "../session/route.ts";
import type { Source } from "./intake.ts";

export interface StrangersOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly senders: Pick<Senders, "ask">;
  readonly program: string;
}

/**
 * Notes that a stranger wrote, and tells him his code once for each request. Who could not be told is told with his next
 * message, though not more often than every half minute; a restart may have him told again, and never leaves him without.
 */
export function createStrangers({ clock, log, senders, program }: StrangersOptions) {
  /** When each of those who wait may be told again; those who were told, never. */
  const told = new Map<string, number>();

  return async (source: Source, { sender, to }: Pick<Inbound, "sender" | "to">): Promise<void> => {
    const { channel, accountId, label } = source;
    const id = folded(sender.id, source);
    const asked = await senders.ask({ channel, accountId, sender: id, about: { name: sender.name } });
    if (asked.outcome !== "waits") return;
    const { code } = asked;
    const request = `${channel} ${accountId} ${code}`;
    if ((told.get(request) ?? 0) > clock.monotonic()) return;
    told.set(request, Number.POSITIVE_INFINITY);
    for (const oldest of told.keys()) if (told.size > MOST_TOLD) told.delete(oldest);
    try {
      await source.say(
        to,
        words({ label, id, command: `${program} pairing approve ${channel} ${code}`, code }),
        request,
      );
      log.info("a stranger asks to be let in", { channel, account: accountId, sender: id });
    } catch (error) {
      told.set(request, clock.monotonic() + AGAIN_MS);
      log.warn("a stranger could not be told his code", { channel, account: accountId, error: Failure.from(error) });
    }
  };
}

const AGAIN_MS = 30_000;
const MOST_TOLD = 1000;

interface Facts {
  readonly label: string;
  readonly id: string;
  readonly code: string;
  readonly command: string;
}

function words({ label, id, code, command }: Facts): string {
  return [
    "I do not know you yet, so your message was not read.",
    `Your ${label} id: \`${id.replaceAll("`", "'")}\``,
    `Your pairing code: \`${code}\``,
    "Whoever runs this assistant can let you in, within an hour, with this command:",
    `\`${command}\``,
  ].join("\n\n");
}
