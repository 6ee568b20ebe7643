import type { Clock } from "../host/host.ts";
import { Failure } from "../kit/error.ts";
import { retryAfter, send } from "../kit/http.ts";
import { isObject, parseJson } from "../kit/json.ts";
import type { Logger } from "../kit/log.ts";
import { readStart } from "../kit/stream.ts";
import { encodeSpans, type Source, type Span } from "./span.ts";

/** Sends spans to a collector in the background. Nobody ever waits for it: what it cannot get rid of is dropped. */
export interface Exporter {
  add(span: Span): void;
  /** Sends what is left, once and for a moment, and stops. */
  close(): Promise<void>;
}

export interface ExporterOptions {
  readonly clock: Clock;
  readonly fetch: typeof fetch;
  readonly log: Logger;
  readonly url: URL;
  /** Never shown: they hold the collector's credential. */
  readonly headers: Readonly<Record<string, string>>;
  readonly flushIntervalMs: number;
  readonly source: Source;
  /** Told of spans that no collector took. */
  readonly lost: (spans: number) => void;
}

/** Spans that wait at most, and those of one request. */
const maxQueued = 2048;
const maxBatch = 256;
const answerMs = 10_000;
/** How often a batch is tried, with a pause between that doubles, unless the collector names another one. */
const maxTries = 5;
const firstPauseMs = 1000;
const longestPauseMs = 60_000;
const closeMs = 2000;
const quietMs = 60_000;

export function createExporter(options: ExporterOptions): Exporter {
  const { clock, log } = options;
  const queue: Span[] = [];
  /** Ends the pauses; then the requests. */
  const closing = new AbortController();
  const ending = new AbortController();
  const losses = createLosses(options);
  let sending: Promise<void> | undefined;

  const stopTimer = clock.every(options.flushIntervalMs, flush);

  function flush(): void {
    if (sending || queue.length === 0) return;
    sending = sendAll()
      .catch((error: unknown) => log.error("spans could not be sent", { error }))
      .finally(() => (sending = undefined));
  }

  async function sendAll(): Promise<void> {
    while (queue.length > 0) {
      const batch = queue.splice(0, maxBatch);
      const body = encodeSpans(batch, options.source);
      for (let tries = 1; ; tries++) {
        const result = await post(options, body, ending.signal);
        if (result.lost === 0) break;
        if (!result.again || tries === maxTries || closing.signal.aborted) {
          losses.add(result.lost ?? batch.length, result.why);
          break;
        }
        const pauseMs = Math.min(result.retryAfterMs ?? firstPauseMs * 2 ** (tries - 1), longestPauseMs);
        // Interrupted by the end of the gateway, which is worth one more try.
        await clock.sleep(pauseMs, closing.signal).catch(() => undefined);
      }
    }
  }

  return {
    add(span) {
      if (closing.signal.aborted) return losses.add(1, "the gateway is stopping");
      if (queue.length >= maxQueued) return losses.add(1, "too many wait to be sent");
      queue.push(span);
      if (queue.length >= maxBatch) flush();
    },
    async close() {
      stopTimer();
      closing.abort();
      flush();
      const giveUp = clock.after(closeMs, () => ending.abort());
      await sending;
      giveUp();
    },
  };
}

/** How a request went: the spans lost by it, all when absent, and whether the same may be tried again. */
interface Posted {
  readonly lost?: number;
  readonly again: boolean;
  readonly why: string;
  readonly retryAfterMs?: number | undefined;
}

/** Never rejects. What it says of a failure holds neither headers nor what the collector wrote. */
async function post(
  { url, headers, fetch, clock }: ExporterOptions,
  body: string,
  signal: AbortSignal,
): Promise<Posted> {
  const init = { method: "POST", headers: { ...headers, "content-type": "application/json" }, body };
  try {
    const response = await send(url, init, { fetch, signal, headMs: answerMs, clock });
    const { status } = response;
    const text = response.body
      ? await readStart(response.body, { signal, clock, idleMs: answerMs, maxBytes: 64 * 1024 })
      : "";
    if (status >= 200 && status < 300)
      return { lost: rejected(text), again: false, why: "the collector rejected them" };
    // OTLP 1, "Failures": these four may be tried again, and no others. A redirect is no answer (threat N).
    const again = [429, 502, 503, 504].includes(status);
    const retryAfterMs = again ? retryAfter(response.headers, { status, now: clock.now() }) : undefined;
    return { again, why: `the collector answered ${status}`, retryAfterMs };
  } catch (error) {
    const { code } = Failure.from(error);
    return { again: true, why: code === "timeout" ? "the collector is silent" : "the collector cannot be reached" };
  }
}

/** Spans that a collector took the others without (`partial_success`). */
function rejected(text: string): number {
  const answer = parseJson(text);
  const partial = isObject(answer) ? answer["partialSuccess"] : undefined;
  const count = isObject(partial) ? Number(partial["rejectedSpans"] ?? 0) : 0;
  return Number.isSafeInteger(count) && count > 0 ? count : 0;
}

/** Counts what is lost, and says so in the log: at once, then once a minute at most. */
function createLosses({ clock, log, lost }: ExporterOptions) {
  let untold = 0;
  let toldAt: number | undefined;
  return {
    add(spans: number, why: string): void {
      lost(spans);
      untold += spans;
      const now = clock.monotonic();
      if (toldAt !== undefined && now - toldAt < quietMs) return;
      toldAt = now;
      log.warn("spans were dropped", { spans: untold, why });
      untold = 0;
    },
  };
}
