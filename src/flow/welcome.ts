import type { Clock } from "../host/host.ts";
import { Failure } from "../kit/error.ts";
import type { Logger } from "../kit/log.ts";
import type { SenderRequest } from "../pairing/sender-request.ts";
import type { Networks } from "./networks.ts";

export interface WelcomeOptions {
  readonly networks: Pick<Networks, "open">;
  readonly clock: Pick<Clock, "after">;
  readonly log: Logger;
}

/** Tells somebody that he was let in, at once or not at all. Never rejects: he is in, whether he hears of it or not. */
export async function welcome(
  { networks, clock, log }: WelcomeOptions,
  { channel, accountId, sender, code }: Pick<SenderRequest, "channel" | "accountId" | "sender" | "code">,
): Promise<"sent" | "failed"> {
  const late = new AbortController();
  const disarm = clock.after(TELLING_MS, () =>
    late.abort(new Failure("timeout", "the network did not answer in time")),
  );
  const { signal } = late;
  try {
    const { kind, channel: open } = await networks.open(channel, accountId);
    await open.send(kind.person?.(sender) ?? kind.target(sender), { text: WORDS }, { key: `welcome ${code}`, signal });
    return "sent";
  } catch (error) {
    const why = Failure.from(error).message;
    log.warn("a sender could not be told that he was let in", { channel, account: accountId, error: why });
    return "failed";
  } finally {
    disarm();
  }
}

const TELLING_MS = 15_000;
const WORDS = "✅ You have been let in. Write to me, and I answer.";
