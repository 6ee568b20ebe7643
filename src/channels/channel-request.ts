import { Failure, type Code } from "../kit/error.ts";
import { readProblem, send } from "../kit/http.ts";
import { parseJson } from "../kit/json.ts";
import { readStart } from "../kit/stream.ts";
import type { ChannelContext } from "./channel.ts";

/** A request to the HTTP side of a network. */
export interface NetworkRequest {
  /** Who is asked, for messages: `Telegram`. Addresses are not shown, as they may hold a token. */
  readonly label: string;
  readonly url: string | URL;
  /** POST with a body, else GET. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is; a FormData or URLSearchParams brings its own type. */
  readonly body?: BodyInit;
  /** Longest wait for the answer to begin; 30 seconds unless given. */
  readonly timeoutMs?: number;
  readonly signal: AbortSignal;
  /** Largest answer in bytes; 4 MB unless given. */
  readonly maxBytes?: number;
  /** What a refusal means where its body says more than its status; undefined leaves it to the status. */
  readonly refusal?: (status: number, body: unknown) => Failure | undefined;
}

const TIMEOUT_MS = 30_000;
const IDLE_MS = 30_000;
const MAX_BYTES = 4 * 1024 * 1024;
const PROBLEM_BYTES = 64 * 1024;

/**
 * Asks a network and gives the JSON of its answer, undefined when that is none. Rejects as `Channel.send` says: a
 * request that changes something and whose answer was lost is a `timeout`, for it may have been done.
 */
export async function ask(context: Pick<ChannelContext, "fetch" | "clock">, request: NetworkRequest): Promise<unknown> {
  const response = await answerOf(context, request);
  const { signal, maxBytes = MAX_BYTES } = request;
  if (!response.body) return undefined;
  const options = { signal, clock: context.clock, idleMs: IDLE_MS, maxBytes };
  return parseJson(await readStart(response.body, options).catch((error: unknown) => lost(request, error)));
}

/** The same for bytes, of which `maxBytes` at most may come: more rejects with `invalid-request`. */
export async function download(
  context: Pick<ChannelContext, "fetch" | "clock">,
  request: NetworkRequest & { readonly maxBytes: number },
): Promise<Uint8Array> {
  const response = await answerOf(context, request);
  const tooLarge = (): Failure =>
    new Failure("invalid-request", `a file from ${request.label} has more than ${request.maxBytes} bytes`);
  const pieces: Uint8Array[] = [];
  let size = 0;
  const reader = response.body?.getReader();
  let silent = false;
  const stop = (): void => void reader?.cancel().catch(() => undefined);
  if (Number(response.headers.get("content-length") ?? 0) > request.maxBytes) {
    stop();
    throw tooLarge();
  }
  try {
    for (;;) {
      const disarm = context.clock.after(IDLE_MS, () => {
        silent = true;
        stop();
      });
      const next = await reader?.read().finally(disarm);
      // What was let go of ends as if it were whole.
      if (silent) throw new Failure("unavailable", `a file from ${request.label} stopped coming`);
      if (!next || next.done) break;
      size += next.value.byteLength;
      if (size > request.maxBytes) throw tooLarge();
      pieces.push(next.value);
    }
  } catch (error) {
    stop();
    throw error instanceof Failure ? error : lost(request, error);
  }
  request.signal.throwIfAborted();
  const whole = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.byteLength;
  }
  return whole;
}

/** The answer, its body unread; a status of refusal is a Failure. */
export async function answerOf(
  { fetch, clock }: Pick<ChannelContext, "fetch" | "clock">,
  request: NetworkRequest,
): Promise<Response> {
  const { label, signal, json } = request;
  const body = json === undefined ? request.body : JSON.stringify(json);
  const headers = { ...(json === undefined ? {} : { "content-type": "application/json" }), ...request.headers };
  const init = { method: methodOf(request), headers, ...(body === undefined ? {} : { body }) };
  const options = { fetch, signal, headMs: request.timeoutMs ?? TIMEOUT_MS, clock };
  const response = await send(new URL(request.url), init, options).catch((error: unknown) => lost(request, error));
  if (response.ok) return response;
  const { status } = response;
  const refused = request.refusal ? await copyOf(response, { signal, clock }) : { response };
  const known = request.refusal?.(status, refused.body);
  if (known) throw known;
  const problem = await readProblem(refused.response, { signal, now: clock.now(), clock });
  const words = problem.message === "" ? "" : `: ${problem.message.replaceAll(/\s+/g, " ").slice(0, 300)}`;
  throw new Failure(codeOf(status), `${label} answered ${status}${words}`, {
    retryAfterMs: problem.retryAfterMs,
    details: { status, types: problem.types },
  });
}

/** A refusal that can be read once more, and what it says. */
async function copyOf(
  { body, headers, status }: Response,
  options: { readonly signal: AbortSignal; readonly clock: ChannelContext["clock"] },
): Promise<{ readonly response: Response; readonly body?: unknown }> {
  const read = { ...options, idleMs: IDLE_MS, maxBytes: PROBLEM_BYTES };
  const text = body
    ? await readStart(body, read).catch((error: unknown) => {
        if (options.signal.aborted) throw error;
        return ""; // the status says enough when the body breaks off
      })
    : "";
  return { response: new Response(text === "" ? null : text, { status, headers }), body: parseJson(text) };
}

/** What a status says of the request: whether it was done, may be done later, or never. */
export function codeOf(status: number): Code {
  if (status === 429) return "rate-limited";
  if (status === 503) return "unavailable";
  if (status === 408 || status >= 500) return "timeout";
  if (status === 401) return "unauthorized";
  if (status === 403) return "forbidden";
  return status === 404 || status === 410 ? "not-found" : "invalid-request";
}

function methodOf({ method, json, body }: NetworkRequest): string {
  return method ?? (json === undefined && body === undefined ? "GET" : "POST");
}

/** Errors of the system that say that nothing has arrived there. */
const unreached =
  /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ConnectionRefused|UND_ERR_CONNECT_TIMEOUT|dns error|CERT_|certificate/i;

/** An exchange that broke. Reading again does no harm; what changes something may have been done. */
function lost(request: NetworkRequest, error: unknown): never {
  if (error instanceof Failure && error.code !== "failed") throw error;
  const cause = error instanceof Error ? error.cause : undefined;
  const words = [error, cause]
    .map((each) => (each instanceof Error ? `${each.message} ${codeIn(each)}` : ""))
    .join(" ");
  const harmless = methodOf(request) === "GET" || unreached.test(words);
  throw new Failure(harmless ? "unavailable" : "timeout", `${request.label} cannot be reached`, { cause: error });
}

function codeIn(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : "";
}
