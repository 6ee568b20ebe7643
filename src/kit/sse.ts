import { createParser } from "eventsource-parser";
import { Failure } from "./error.ts";
import { type ReadOptions, readPieces } from "./stream.ts";

export interface ServerEvent {
  /** Absent where the server named none. */
  readonly event?: string | undefined;
  readonly data: string;
}

/** Most characters of one event or line: an answer's largest part, such as a tool call that writes a file. */
const MAX_EVENT = 8 * 1024 * 1024;

/**
 * The events of a `text/event-stream` body (HTML 9.2). One without its empty line at the end was cut off and is not
 * given. Ends and fails as `readPieces` does, and with `failed` when one event is too long.
 */
export async function* readEvents(
  body: ReadableStream<Uint8Array>,
  options: ReadOptions & { readonly maxEvent?: number },
): AsyncGenerator<ServerEvent> {
  const { maxEvent = MAX_EVENT } = options;
  const ready: ServerEvent[] = [];
  let tooLong = false;
  const parser = createParser({
    maxBufferSize: maxEvent,
    onEvent: ({ event, data }) => void ready.push({ event, data }),
    onError: ({ type }) => {
      // Fields that nobody knows are to be ignored (HTML 9.2.6).
      tooLong ||= type === "max-buffer-size-exceeded";
    },
  });
  for await (const piece of readPieces(body, options)) {
    parser.feed(piece);
    if (tooLong) throw longer(maxEvent);
    yield* ready.splice(0);
  }
}

/** The lines of a body of newline-delimited JSON, without empty ones; the last one needs no newline. */
export async function* readLines(
  body: ReadableStream<Uint8Array>,
  options: ReadOptions & { readonly maxEvent?: number },
): AsyncGenerator<string> {
  const { maxEvent = MAX_EVENT } = options;
  let open: string[] = [];
  let length = 0;
  for await (const piece of readPieces(body, options)) {
    const [first = "", ...others] = piece.split("\n");
    open.push(first);
    length += first.length;
    for (const next of others) {
      const line = open.join("").trim();
      if (line !== "") yield line;
      open = [next];
      length = next.length;
    }
    if (length > maxEvent) throw longer(maxEvent);
  }
  const line = open.join("").trim();
  if (line !== "") yield line;
}

function longer(maxEvent: number): Failure {
  return new Failure("failed", `one event is longer than ${maxEvent} characters`);
}
