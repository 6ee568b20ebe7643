// Over 300 lines: files of a family share values through their interface file alone, and the dialects share a lot.
import { Failure, type Code } from "../kit/error.ts";
import { type Problem, problemIn, readProblem, send } from "../kit/http.ts";
import { isObject, type JsonObject, parseJson } from "../kit/json.ts";
import { redact } from "../kit/redact.ts";
import { readEvents, readLines, type ServerEvent } from "../kit/sse.ts";
import { type ReadOptions, readStart, stopped, type Timers } from "../kit/stream.ts";
import type {
  AssistantMessage,
  ImagePart,
  Message,
  ThinkingPart,
  ToolCallPart,
  ToolResultMessage,
  Usage,
  UserMessage,
} from "../session/message.ts";

/** The wire dialects that models are spoken to in; what `models.providers.<id>.api` names. */
export const apis = [
  "anthropic-messages",
  "openai-responses",
  "openai-completions",
  "google-generative-ai",
  "ollama",
  "echo",
] as const;
export type Api = (typeof apis)[number];

/** How hard a model is to think before it answers (cli.md 8.4). */
export const thinkingLevels = ["off", "minimal", "low", "medium", "high", "xhigh"] as const;
export type ThinkingLevel = (typeof thinkingLevels)[number];

/** One dialect: it turns a request into an HTTP call and the answer's event stream into events. It keeps no state. */
export interface Provider {
  readonly api: Api;
  /**
   * Asks the model. Ends with exactly one `done`, or throws a Failure made by `providerFailure` (or `aborted`, by the
   * signal). Aborting closes the connection at once.
   */
  stream(request: ModelRequest, call: ProviderCall): AsyncIterable<ModelEvent>;
  /** The models that the endpoint says it has; absent where the dialect has no such question. */
  models?(call: ProviderCall): Promise<readonly ListedModel[]>;
}

export interface ProviderCall {
  readonly endpoint: Endpoint;
  readonly signal: AbortSignal;
  readonly fetch: typeof fetch;
  /** Milliseconds since 1970. */
  now(): number;
  /** For the deadlines of the connection; the runtime's own timers when absent. */
  readonly clock?: Timers | undefined;
}

/** Where a provider is and how to prove who asks. */
export interface Endpoint {
  /** The id in model references, such as `anthropic`. */
  readonly provider: string;
  /** Without a slash at the end, such as `https://api.anthropic.com`. The credential goes nowhere else (threat A). */
  readonly baseUrl: string;
  /** Absent where none is needed. */
  readonly credential?: Credential | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

export interface Credential {
  /** `token` is a bearer token of a subscription where the provider tells it from a key. */
  readonly kind: "api-key" | "token";
  readonly secret: string;
}

export interface ModelRequest {
  readonly model: ModelSpec;
  readonly system: string;
  readonly messages: readonly Message[];
  readonly tools: readonly ToolSpec[];
  readonly thinking: ThinkingLevel;
  /** Most tokens to write; the model's own limit when absent. */
  readonly maxTokens?: number | undefined;
  readonly temperature?: number | undefined;
  /** The same for all requests of a session: a key for the provider's prompt cache. */
  readonly cacheKey?: string | undefined;
}

/** A model with what is known of it. */
export interface ModelSpec {
  readonly provider: string;
  /** The provider's name of it. */
  readonly id: string;
  readonly name: string;
  readonly api: Api;
  readonly reasoning: boolean;
  readonly images: boolean;
  /** Tokens it can read at once. */
  readonly contextWindow: number;
  /** Tokens it can write at once. */
  readonly maxTokens: number;
  /** US dollars for a million tokens; zeros where unknown. */
  readonly cost: Cost;
  /** Where the endpoint differs from its dialect; each dialect says which keys it reads. */
  readonly compat: Readonly<Record<string, string | boolean>>;
}

export interface Cost {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
}

export interface ListedModel {
  readonly id: string;
  readonly name?: string | undefined;
  readonly contextWindow?: number | undefined;
  readonly maxTokens?: number | undefined;
}

/** A tool as a model is told of it. */
export interface ToolSpec {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of an object. */
  readonly parameters: JsonObject;
}

export type ModelEvent =
  | { readonly type: "text"; readonly delta: string }
  | { readonly type: "thinking"; readonly delta: string }
  /** A whole thought, when it is over; `done` has it too. */
  | { readonly type: "thought"; readonly part: ThinkingPart }
  /** A whole call, when its arguments are complete; `done` has it too. */
  | { readonly type: "toolCall"; readonly call: ToolCallPart }
  /** The answer in full, its stop reason `stop`, `length` or `toolUse`. */
  | { readonly type: "done"; readonly message: AssistantMessage };

/** Why a provider did not answer: what decides whether to wait, to take another credential or another model. */
export const failureKinds = {
  /** The credential is wrong or was withdrawn. */
  auth: "failed",
  /** Out of credit. */
  billing: "failed",
  rate_limit: "rate-limited",
  overloaded: "unavailable",
  /** No answer, or silence in the middle of one. */
  timeout: "timeout",
  /** The connection broke or could not be made. */
  network: "unavailable",
  /** More tokens than the model can read. */
  context_length: "failed",
  /** The provider or the model declines to answer. */
  refusal: "failed",
  /** The provider says that the request is wrong. */
  format: "failed",
  /** There is no such model. */
  no_model: "failed",
  unknown: "failed",
} as const satisfies Record<string, Code>;
export type FailureKind = keyof typeof failureKinds;

export interface ProviderFailureDetails {
  readonly kind: FailureKind;
  readonly provider: string;
  readonly model?: string | undefined;
  readonly httpStatus?: number | undefined;
  /** The provider's own name of the error. */
  readonly providerErrorType?: string | undefined;
}

/** A Failure that says which provider failed and why. `message` never holds a credential. */
export function providerFailure(
  message: string,
  details: ProviderFailureDetails,
  options: { retryAfterMs?: number | undefined; cause?: unknown } = {},
): Failure {
  const retryable = ["rate_limit", "overloaded", "timeout", "network"].includes(details.kind);
  return new Failure(failureKinds[details.kind], message, {
    details,
    retryable,
    cause: options.cause,
    ...(options.retryAfterMs === undefined ? {} : { retryAfterMs: options.retryAfterMs }),
  });
}

/** The details of a Failure that a provider threw; undefined for any other error. */
export function providerFailureOf(error: unknown): ProviderFailureDetails | undefined {
  if (!(error instanceof Failure) || typeof error.details !== "object" || error.details === null) return undefined;
  const details = error.details as Partial<ProviderFailureDetails>;
  return typeof details.kind === "string" && details.kind in failureKinds && typeof details.provider === "string"
    ? (details as ProviderFailureDetails)
    : undefined;
}

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

/** The failure that an answer with a status of 300 or more, or with the wrong type of content, stands for. */
export async function failureFromResponse(
  call: ProviderCall,
  response: Response,
  { model }: { model?: string | undefined },
): Promise<Failure> {
  const { provider } = call.endpoint;
  if (response.type === "opaqueredirect" || (response.status >= 300 && response.status < 400)) {
    await response.body?.cancel();
    return providerFailure(
      `${provider} redirects to another address, where the key does not go: set models.providers.${provider}.baseUrl to the right one`,
      { kind: "format", provider, model, httpStatus: response.status },
    );
  }
  const problem = await readProblem(response, { signal: call.signal, now: call.now(), clock: call.clock });
  if (response.ok && problem.types.length === 0) return garbled(call, { model, what: "a stream of events" });
  return failureFromProblem(call, problem, { model });
}

/** The failure that an error event in the middle of a stream stands for; `body` is the event's parsed JSON. */
export function failureFromEvent(
  call: ProviderCall,
  body: unknown,
  { model }: { model?: string | undefined },
): Failure {
  return failureFromProblem(call, problemIn(body), { model });
}

function failureFromProblem(call: ProviderCall, problem: Problem, { model }: { model?: string | undefined }): Failure {
  const { provider, credential, headers } = call.endpoint;
  const { status, types, retryAfterMs } = problem;
  const kind = kindOfProblem(problem);
  const secrets = [credential?.secret ?? "", ...Object.values(headers ?? {})].filter((secret) => secret.length >= 6);
  const hidden = (text: string): string => redact(secrets.reduce((out, secret) => out.replaceAll(secret, "***"), text));
  const type = types.map((type) => visible(hidden(type), 80)).find((type) => /[a-z]/i.test(type));
  const facts = [...(status === undefined ? [] : [`HTTP ${status}`]), ...(type === undefined ? [] : [type])];
  const said = visible(hidden(problem.message), 300);
  const message = `${leads[kind](provider, model ?? "the model")}${facts.length > 0 ? ` (${facts.join(", ")})` : ""}${said === "" ? "" : `: ${said}`}`;
  const details = { kind, provider, model, httpStatus: status, providerErrorType: type };
  return providerFailure(message, details, { retryAfterMs });
}

const leads: Readonly<Record<FailureKind, (provider: string, model: string) => string>> = {
  auth: (provider) => `${provider} does not accept the credential`,
  billing: (provider) => `${provider} asks for payment`,
  rate_limit: (provider) => `${provider} asks to wait: too many requests or tokens`,
  overloaded: (provider) => `${provider} is overloaded or out of order`,
  timeout: (provider) => `${provider} did not answer in time`,
  network: (provider) => `the connection to ${provider} broke`,
  context_length: (_, model) => `the conversation is longer than ${model} can read`,
  refusal: (provider) => `${provider} declines to answer`,
  format: (provider) => `${provider} does not accept the request`,
  no_model: (provider, model) => `${provider} has no model ${model}`,
  unknown: (provider) => `${provider} failed`,
};

// The names of errors of Anthropic, OpenAI and google.rpc.Code, as the HTTP status that goes with them: in the middle
// of a stream the name is all there is.
const statusOfType: Readonly<Record<string, number>> = {
  invalid_request_error: 400,
  invalid_argument: 400,
  failed_precondition: 400,
  out_of_range: 400,
  authentication_error: 401,
  unauthenticated: 401,
  api_key_invalid: 401,
  invalid_api_key: 401,
  billing_error: 402,
  insufficient_quota: 402,
  permission_error: 403,
  permission_denied: 403,
  not_found_error: 404,
  not_found: 404,
  model_not_found: 404,
  request_too_large: 413,
  rate_limit_error: 429,
  rate_limit_exceeded: 429,
  resource_exhausted: 429,
  api_error: 500,
  server_error: 500,
  internal_server_error: 500,
  internal: 500,
  unavailable: 503,
  service_unavailable: 503,
  overloaded_error: 529,
  overloaded: 529,
  timeout_error: 504,
  deadline_exceeded: 504,
};

const tooLong =
  /context[_ -]?(length|window|size|limit)|prompt is too long|input is too long|maximum prompt length|exceeds? (the )?max(imum)? (number of tokens|length)|(too many|reduce the (number|length)) .{0,20}(tokens|messages)|token limit|request_too_large|exceeds the maximum size/i;
const unpaid =
  /credit balance|billing|insufficient[_ ](quota|balance|credits?|funds)|exceeded your current quota|payment required|(spend(ing)?|usage)[_ ]limit|out of credits?|credits? .{0,20}(depleted|exhausted)/i;

/** What a problem is about: the sender's exact names decide first, then the status, then words known from each sender. */
export function kindOfProblem({ status, types, message, retryAfterMs }: Problem): FailureKind {
  const names = types.map((type) => type.toLowerCase());
  const named = names.flatMap((name) => statusOfType[name] ?? (/^[45]\d\d$/.test(name) ? [Number(name)] : []));
  const exact = named.find((candidate) => [401, 402, 404].includes(candidate));
  const code = exact ?? (status !== undefined && status >= 400 ? status : named[0]);
  const words = [...names, message].join(" ");
  // Google says "exceeded your current quota" of a limit by the minute too, and then says how long to wait.
  if (code === 402 || ((code === 400 || code === 403) && unpaid.test(words))) return "billing";
  if (code === 429) {
    const limited = retryAfterMs !== undefined || names.some((name) => name.startsWith("rate_limit"));
    return unpaid.test(words) && !limited ? "billing" : "rate_limit";
  }
  if (code === 401 || code === 403) return "auth";
  if (code === 404) return exact !== undefined || /model/i.test(words) ? "no_model" : "format";
  if (code === 408 || code === 504 || code === 524) return "timeout";
  if (code === 503 || code === 529) return "overloaded";
  if (code === undefined) return tooLong.test(words) ? "context_length" : status === undefined ? "unknown" : "format";
  if (tooLong.test(words)) return "context_length";
  return code >= 500 ? "overloaded" : "format";
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

/** The failure of a stream that ended before its last event: what came of it is not an answer. */
export function brokenOff(call: ProviderCall, { model }: { model: string }): Failure {
  const { provider } = call.endpoint;
  return providerFailure(`the answer of ${provider} broke off before its end`, { kind: "network", provider, model });
}

/** The failure of an answer that is not what the dialect says; `what` it should have been. */
export function garbled(call: ProviderCall, { model, what }: { model?: string | undefined; what: string }): Failure {
  const { provider } = call.endpoint;
  return providerFailure(
    `${provider} answered with something that is not ${what}: check models.providers.${provider}.baseUrl and .api`,
    { kind: "format", provider, model },
  );
}

/** The failure of an answer that the provider or the model withheld; `why` in its own words. */
export function refused(call: ProviderCall, { model, why }: { model: string; why: string }): Failure {
  const { provider } = call.endpoint;
  const reason = visible(why, 300);
  return providerFailure(`${model} declines to answer${reason === "" ? "" : `: ${reason}`}`, {
    kind: "refusal",
    provider,
    model,
  });
}

/** Text of a stranger on one line, without control characters, and cut. */
function visible(text: string, length: number): string {
  const line = text
    .slice(0, 4 * length)
    .replace(/[\p{C}\p{Z}]+/gu, " ")
    .trim();
  return line.length > length ? `${line.slice(0, length).trimEnd()}…` : line;
}

/**
 * The messages in the order that every vendor asks for: the first is the user's, and the results of an answer's calls
 * come right after it, one for each. A result that was lost is replaced by an error, one without a call is left out.
 */
export function inOrder(messages: readonly Message[]): readonly Message[] {
  const out: Message[] = [];
  for (const [index, message] of messages.entries()) {
    if (message.role === "toolResult") continue;
    if (out.length === 0 && message.role === "assistant") out.push(leftOut(message));
    out.push(message);
    if (message.role !== "assistant") continue;
    const end = messages.findIndex((later, at) => at > index && later.role === "assistant");
    const following = messages.slice(index + 1, end === -1 ? undefined : end);
    const results = new Map(following.flatMap((one) => (one.role === "toolResult" ? [[one.toolCallId, one]] : [])));
    for (const part of message.content)
      if (part.type === "toolCall") out.push(results.get(part.id) ?? lostResult(part, message));
  }
  return out;
}

function leftOut({ timestamp }: AssistantMessage): UserMessage {
  return { role: "user", content: [{ type: "text", text: "[Earlier messages are left out.]" }], timestamp };
}

function lostResult({ id, name }: ToolCallPart, { timestamp }: AssistantMessage): ToolResultMessage {
  const text = "This call was interrupted and has no result. It may or may not have taken effect.";
  const content = [{ type: "text" as const, text }];
  return { role: "toolResult", toolCallId: id, toolName: name, content, isError: true, timestamp };
}

/** Whether opaque proofs in an answer are this model's own: no other can read them, and some refuse them. */
export function isOwn(message: AssistantMessage, model: ModelSpec): boolean {
  return message.api === model.api && message.provider === model.provider && message.model === model.id;
}

/** What stands where a picture was that the model cannot be given. */
export function pictureNote({ fileName, mimeType }: ImagePart): string {
  return `[A picture is left out here: ${visible(fileName ?? mimeType, 80)}]`;
}

/** Tokens and what they cost by the model's prices; anything but a positive number counts as none. */
export function usageOf(
  prices: Cost,
  counts: { input: unknown; output: unknown; cacheRead?: unknown; cacheWrite?: unknown },
): Usage {
  const tokens = (count: unknown): number =>
    typeof count === "number" && Number.isFinite(count) && count > 0 ? Math.round(count) : 0;
  const [input, output] = [tokens(counts.input), tokens(counts.output)];
  const [cacheRead, cacheWrite] = [tokens(counts.cacheRead), tokens(counts.cacheWrite)];
  const cost = {
    input: (input * prices.input) / 1e6,
    output: (output * prices.output) / 1e6,
    cacheRead: (cacheRead * prices.cacheRead) / 1e6,
    cacheWrite: (cacheWrite * prices.cacheWrite) / 1e6,
  };
  return {
    input,
    output,
    cacheRead,
    cacheWrite,
    totalTokens: input + output + cacheRead + cacheWrite,
    cost: { ...cost, total: cost.input + cost.output + cost.cacheRead + cost.cacheWrite },
  };
}

const INVALID = "__invalid";

/** A call's arguments from their JSON text, no text meaning none; `invalidArguments` when it is no object. */
export function argumentsOf(raw: string): JsonObject {
  const value = raw.trim() === "" ? {} : parseJson(raw);
  return isObject(value) ? value : invalidArguments(raw);
}

/** Stands for arguments that are not an object in JSON: the start of what the model wrote, for it to be told. */
export function invalidArguments(raw: string): JsonObject {
  return { [INVALID]: raw.slice(0, 2000) };
}

/** Whether a call's arguments are `invalidArguments`: the tool must not run. */
export function isInvalidArguments(args: JsonObject): boolean {
  return Object.keys(args).length === 1 && typeof args[INVALID] === "string";
}

const efforts = ["none", "minimal", "low", "medium", "high", "xhigh", "max"];

/**
 * The `reasoning_effort` of OpenAI's dialects for a level: the nearest that the model accepts, which
 * `compat.efforts` lists (`none low high`); undefined when the field is best left out.
 */
export function effortOf({ compat }: ModelSpec, level: ThinkingLevel): string | undefined {
  const listed = typeof compat["efforts"] === "string" ? compat["efforts"].split(" ") : undefined;
  if (level === "off") return listed?.[0];
  const wanted = efforts.indexOf(level);
  const distance = (effort: string): number => Math.abs(efforts.indexOf(effort) - wanted - 0.1);
  return (listed ?? ["low", "medium", "high"])
    .filter((effort) => effort !== "none")
    .reduce((best, effort) => (distance(effort) < distance(best) ? effort : best));
}

/** Gives ids that do not fit, such as those of another provider's calls, one that does, by order of appearance. */
export function fittingIds(fits: RegExp): (id: string) => string {
  const replaced = new Map<string, string>();
  return (id) => {
    if (fits.test(id)) return id;
    const known = replaced.get(id) ?? `c${String(replaced.size).padStart(8, "0")}`;
    replaced.set(id, known);
    return known;
  };
}

/** A tool's name as every dialect takes it back in the history, whatever a model has called. */
export function fittingName(name: string): string {
  return name.replace(/[^\w-]/g, "_").slice(0, 64) || "_";
}

/** The count under a key of what a provider sent; 0 when there is none or nothing sensible. */
export function countIn(object: unknown, key: string): number {
  const value = isObject(object) ? object[key] : undefined;
  return typeof value === "number" && Number.isFinite(value) && value > 0 ? value : 0;
}
