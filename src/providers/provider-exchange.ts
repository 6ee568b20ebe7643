import { Failure } from "../kit/error.ts";
import { send } from "../kit/http.ts";
import { isObject, type JsonObject, parseJson } from "../kit/json.ts";
import { readEvents, readLines, type ServerEvent } from "../kit/sse.ts";
import { type ReadOptions, readStart, stopped } from "../kit/stream.ts";
import { failureFromResponse, garbled, providerFailure, providerFailureOf, visible } from "./provider-failure.ts";
import type { ProviderCall } from "./provider.ts";

/** One HTTP request to the endpoint of a call. */
export interface EndpointRequest {
  /** Under the endpoint's base URL. */
  readonly url: string;
  /** The dialect's own; those of the endpoint's configuration win. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Sent as JSON with POST; without it the request is a GET. */
  readonly body?: JsonObject | undefined;
  /** For messages. */
  readonly model?: string | undefined;
  /** Longest silence before and within the answer. */
  readonly idleMs?: number | undefined;
}

const IDLE_MS = 120_000;

/** Posts a request and gives the server-sent events of the answer; every failure is one of `providerFailure`. */
export function postForEvents(call: ProviderCall, request: EndpointRequest): AsyncGenerator<ServerEvent> {
  return exchange(call, request, { accept: "text/event-stream", refused: /json|html/, read: readEvents });
}

/** Posts a request and gives the lines of the answer (newline-delimited JSON); failures as with `postForEvents`. */
export function postForLines(call: ProviderCall, request: EndpointRequest): AsyncGenerator<string> {
  return exchange(call, request, { accept: "application/x-ndjson", refused: /html/, read: readLines });
}

/** Gets an object of JSON of at most 8 MB; failures as with `postForEvents`. */
export async function getJson(call: ProviderCall, request: EndpointRequest): Promise<JsonObject> {
  const read = async function* (body: ReadableStream<Uint8Array>, options: ReadOptions): AsyncGenerator<string> {
    yield await readStart(body, { ...options, maxBytes: 8 * 1024 * 1024 });
  };
  let text = "";
  for await (const piece of exchange(call, { idleMs: 30_000, ...request }, { accept: "application/json", read }))
    text = piece;
  const value = parseJson(text);
  if (!isObject(value)) throw garbled(call, { model: request.model, what: "a list of models" });
  return value;
}

interface Exchange<T> {
  readonly accept: string;
  /** Types of content that are a mistake where a stream was asked for. */
  readonly refused?: RegExp;
  readonly read: (body: ReadableStream<Uint8Array>, options: ReadOptions) => AsyncGenerator<T>;
}

async function* exchange<T>(
  call: ProviderCall,
  request: EndpointRequest,
  { accept, refused, read }: Exchange<T>,
): AsyncGenerator<T> {
  const { signal, clock } = call;
  const { idleMs = IDLE_MS, model } = request;
  const url = endpointUrl(call, request);
  const body = request.body === undefined ? null : wellFormed(JSON.stringify(request.body));
  const headers = headersOf(call, {
    accept,
    ...(body === null ? {} : { "content-type": "application/json" }),
    ...request.headers,
  });
  try {
    const init = { method: body === null ? "GET" : "POST", headers, body };
    const response = await send(url, init, { fetch: call.fetch, signal, headMs: idleMs, clock });
    if (!response.ok || !response.body || refused?.test(response.headers.get("content-type") ?? ""))
      throw await failureFromResponse(call, response, { model });
    yield* read(response.body, { signal, idleMs, clock });
  } catch (error) {
    throw connectionFailure(call, { error, model, url });
  }
}

/**
 * JSON in which half a surrogate pair and NUL have become a replacement character: providers refuse a request with
 * either, and with it the conversation that holds one from then on.
 */
function wellFormed(json: string): string {
  return json.replace(/\\(?:\\|u(?:0000|d[89a-f][0-9a-f]{2}))/g, (escape) => (escape === "\\\\" ? escape : "\\ufffd"));
}

function endpointUrl(call: ProviderCall, { url, model }: EndpointRequest): URL {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed && /^https?:$/.test(parsed.protocol) && parsed.username === "" && parsed.password === "") return parsed;
  const { provider } = call.endpoint;
  throw providerFailure(
    `models.providers.${provider}.baseUrl is no http:// or https:// address without user and password: correct it`,
    { kind: "format", provider, model },
  );
}

function headersOf(call: ProviderCall, own: Readonly<Record<string, string>>): Headers {
  const headers = new Headers();
  for (const [name, value] of [...Object.entries(own), ...Object.entries(call.endpoint.headers ?? {})]) {
    try {
      headers.set(name, value);
    } catch {
      // The runtime's own error quotes the value, which may be the key.
      const { provider } = call.endpoint;
      throw providerFailure(
        `the header ${visible(name, 60)} for ${provider} holds characters that HTTP does not allow: check the key, and models.providers.${provider}.headers, for line breaks`,
        { kind: "auth", provider },
      );
    }
  }
  return headers;
}

/** What broke while a request was on its way, as a failure of the provider; what is one already stays as it is. */
function connectionFailure(
  call: ProviderCall,
  { error, model, url }: { error: unknown; model: string | undefined; url: URL },
): Failure {
  if (call.signal.aborted) return stopped(call.signal);
  if (providerFailureOf(error)) return error as Failure;
  const { provider } = call.endpoint;
  const details = { provider, model };
  if (error instanceof Failure && error.code === "timeout")
    return providerFailure(`${provider} is silent: ${error.message}`, { ...details, kind: "timeout" });
  if (error instanceof Failure)
    return providerFailure(`the answer of ${provider} is too large: ${error.message}`, { ...details, kind: "format" });
  const cause = error instanceof Error && isObject(error.cause) ? error.cause["code"] : undefined;
  const code = cause ?? (isObject(error) ? error["code"] : undefined);
  const reason = typeof code === "string" && code !== "" ? ` (${visible(code, 60)})` : "";
  return providerFailure(`the connection to ${provider} at ${url.origin} failed${reason}`, {
    ...details,
    kind: "network",
  });
}
