import { type Code, Failure } from "../kit/error.ts";
import { type Problem, problemIn, readProblem } from "../kit/http.ts";
import { redact } from "../kit/redact.ts";
import type { ProviderCall } from "./provider.ts";

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
export function visible(text: string, length: number): string {
  const line = text
    .slice(0, 4 * length)
    .replace(/[\p{C}\p{Z}]+/gu, " ")
    .trim();
  return line.length > length ? `${line.slice(0, length).trimEnd()}…` : line;
}
