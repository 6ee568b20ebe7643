import { Failure } from "../kit/error.ts";
import { uuid } from "../kit/ids.ts";

export interface ChatMessage {
  /** Names its run; the same however often the message is sent. */
  readonly id: string;
  readonly text: string;
}

/** Messages on their way, one after the other. What the gateway has not confirmed stays in it. */
export interface Outbox {
  readonly waiting: readonly ChatMessage[];
  add(text: string): ChatMessage;
  /** The gateway can be reached (again). */
  flush(): void;
}

export interface OutboxOptions {
  /** Resolves when the gateway has the message on its disk; undefined while there is no gateway. */
  readonly send: (message: ChatMessage) => Promise<unknown> | undefined;
  readonly refused: (message: ChatMessage, reason: Failure) => void;
}

export function createOutbox({ send, refused }: OutboxOptions): Outbox {
  const waiting: ChatMessage[] = [];
  let flushing = false;

  /** Whether to go on with what is first now. */
  const attempt = async (message: ChatMessage): Promise<boolean> => {
    try {
      const sent = send(message);
      if (!sent) return false;
      await sent;
      waiting.shift();
      return true;
    } catch (error) {
      const failure = Failure.from(error);
      // No answer is no refusal: it may be on the disk, and goes again under the same key.
      if (failure.code === "timeout") return true;
      if (isLoss(failure)) return false;
      waiting.shift();
      refused(message, failure);
      return true;
    }
  };
  const flush = async (): Promise<void> => {
    if (flushing) return;
    flushing = true;
    for (let next = waiting[0]; next; next = waiting[0]) if (!(await attempt(next))) break;
    flushing = false;
  };
  return {
    waiting,
    add(text) {
      const message = { id: uuid(), text };
      waiting.push(message);
      void flush();
      return message;
    },
    flush: () => void flush(),
  };
}

/** The connection ended before there was an answer; `aborted` when this side ended it. */
function isLoss({ code, details }: Failure): boolean {
  return code === "aborted" || (typeof details === "object" && details !== null && "closeCode" in details);
}
