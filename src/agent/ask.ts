import type { Clock } from "../host/host.ts";
import { Failure } from "../kit/error.ts";
import type { Logger } from "../kit/log.ts";
import { brokenOff, providerFailure, providerFailureOf, type FailureKind } from "../providers/provider-failure.ts";
import { invalidArguments } from "../providers/provider-answer.ts";
import type { Api, ModelRequest, ModelSpec, Provider } from "../providers/provider.ts";
import type { AssistantMessage } from "../session/message.ts";
import type { ModelObserver, ModelWatch } from "../observe/observer.ts";
import type { Accounts, Route, RouteInput } from "../model/accounts.ts";
import type { Budget } from "../budget/budget.ts";
import type { Draft } from "./draft.ts";
import { abortFailure, orAborted } from "./interrupt.ts";
import type { RunEvent } from "./runner.ts";
import { guessedUsage, mostUsage } from "./request-usage.ts";

/** What asking a model takes. */
export interface Asking {
  readonly clock: Clock;
  readonly log: Logger;
  readonly accounts: Accounts;
  readonly budget: Budget;
  readonly providers: Readonly<Record<Api, Provider>>;
  readonly fetch: typeof fetch;
  /** Told of each request. */
  readonly observer?: ModelObserver | undefined;
}

export interface Question extends RouteInput {
  readonly sessionKey: string;
  readonly signal: AbortSignal;
  readonly draft: Draft;
  readonly emit: (event: RunEvent) => void;
  /** The request for this model; asked for again before each try. */
  readonly request: (model: ModelSpec) => Promise<ModelRequest>;
  /** Makes the next request smaller, as this one was too long for the model; false when that cannot be done. */
  readonly shrink?: (model: ModelSpec) => Promise<boolean>;
}

export interface Answer {
  readonly message: AssistantMessage;
  readonly route: Route;
  /** It reached the longest answer, perhaps in the middle of a call. */
  readonly cutOff: boolean;
  /** A limit of the budget comes near. */
  readonly warning?: string | undefined;
}

/**
 * Asks one model after the other until one answers: each credential of the first, then its fallbacks. When all of them
 * are busy or out of reach for the moment, it waits and asks again. Throws why the signal aborted, the budget's refusal, or a Failure that names what was tried.
 */
export async function ask(asking: Asking, question: Question): Promise<Answer> {
  const { accounts } = asking;
  const { agentId, row, reference, images, signal } = question;
  const input: RouteInput = { agentId, row, reference, images };
  const routes = await orAborted(accounts.routes(input), signal);
  if (routes.length === 0) throw new Failure("config", await orAborted(accounts.explain(input), signal));

  const tries: Try[] = [];
  const ruledOut = new Set<string>();
  let left = routes;
  for (let round = 0; ; round++) {
    const busy: Try[] = [];
    for (const route of left) {
      if (ruledOut.has(nameOf(route.model))) continue;
      const outcome = await askRoute(asking, question, route);
      if ("message" in outcome) return outcome;
      tries.push(outcome);
      if (isPassing(outcome.kind)) busy.push(outcome);
      if (isAboutModel(outcome.kind)) ruledOut.add(nameOf(route.model));
    }
    left = busy.map(({ route }) => route).filter((route) => !ruledOut.has(nameOf(route.model)));
    if (left.length === 0 || !(await pause(asking, question, { round, busy }))) throw exhausted(tries);
  }
}

interface Try {
  readonly route: Route;
  readonly kind: FailureKind;
  readonly failure: Failure;
}

/** A stream that breaks off is repeated so often on the same route. */
const REPEATS = 2;
/** Rounds over everything that is only busy, with a pause before each. */
const ROUNDS = 5;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;

async function askRoute(asking: Asking, question: Question, route: Route): Promise<Answer | Try> {
  const { signal } = question;
  for (let breaks = 0; ;) {
    try {
      const answer = await askOnce(asking, question, route);
      await report(asking, route, { outcome: "ok" });
      return answer;
    } catch (error) {
      if (signal.aborted) throw abortFailure(signal);
      const failure = Failure.from(error);
      const kind = providerFailureOf(failure)?.kind;
      // The budget or the disk refused, or we are wrong ourselves: another model would not help.
      if (kind === undefined) throw failure;
      const { provider, id: model } = route.model;
      asking.log.warn("model did not answer", { provider, model, profile: route.profileId, kind, error: failure });
      await report(asking, route, { outcome: kind, retryAfterMs: failure.retryAfterMs });
      if (kind === "context_length" && (await question.shrink?.(route.model))) continue;
      if (isPassing(kind) && question.draft.begun && breaks++ < REPEATS) continue;
      return { route, kind, failure };
    }
  }
}

async function askOnce(asking: Asking, question: Question, route: Route): Promise<Answer> {
  const { agentId, sessionKey, signal, draft, emit } = question;
  const { model } = route;
  const request = await question.request(model);
  if (signal.aborted) throw abortFailure(signal);
  const maxUsage = mostUsage(request);
  const reservation = await asking.budget.reserve({
    agentId,
    sessionKey,
    provider: model.provider,
    model: model.id,
    maxUsage,
  });
  const watch = asking.observer?.asked({ agentId, sessionKey, model });
  let message: AssistantMessage | undefined;
  let thrown: unknown;
  try {
    emit({ type: "model", provider: model.provider, model: model.id });
    draft.begin();
    message = await stream(asking, { request, route, draft, signal, watch });
    draft.end();
    const cutOff = message.stopReason === "length";
    return { message: settled(message), route, cutOff, warning: reservation.warning };
  } catch (error) {
    thrown = error;
    throw error;
  } finally {
    // An answer that broke off was paid for as well: what it took is guessed, as nobody said.
    const counted = message && message.usage.totalTokens > 0 ? message.usage : undefined;
    const usage = counted ?? (draft.begun ? guessedUsage(request, draft.text) : undefined);
    watch?.ended({ thrown, message, usage });
    await reservation
      .settle(usage)
      .catch((error: unknown) => asking.log.warn("spending was not recorded, and counts in full", { error }));
  }
}

interface Streaming {
  readonly request: ModelRequest;
  readonly route: Route;
  readonly draft: Draft;
  readonly signal: AbortSignal;
  readonly watch: ModelWatch | undefined;
}

async function stream(asking: Asking, { request, route, draft, signal, watch }: Streaming): Promise<AssistantMessage> {
  const { model } = route;
  const { clock, fetch } = asking;
  const { headers } = route.endpoint;
  const endpoint = watch?.headers ? { ...route.endpoint, headers: { ...watch.headers, ...headers } } : route.endpoint;
  const call = { endpoint, signal, fetch, clock, now: () => clock.now() };
  const events = asking.providers[model.api].stream(request, call)[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await orAborted(events.next(), signal);
      if (next.done) break;
      draft.add(next.value);
      if (draft.letters > MOST_LETTERS) throw endless(model);
      if (next.value.type === "done") return next.value.message;
    }
  } catch (error) {
    if (signal.aborted || providerFailureOf(error)) throw error;
    // A dialect of ours stumbled over what it was sent: another model may be asked all the same.
    const { message } = Failure.from(error);
    const details = { kind: "unknown", provider: model.provider, model: model.id } as const;
    throw providerFailure(`${nameOf(model)} failed: ${message}`, details, { cause: error });
  } finally {
    // Not awaited: a stream that hangs would hold up the end of the run.
    events.return?.().catch((error: unknown) => asking.log.debug("a model's stream did not close", { error }));
  }
  throw brokenOff(call, { model: model.id });
}

/** Far more than any model writes in one answer: people are shown each as it grows, and it is kept in memory. */
const MOST_LETTERS = 4 * 1024 * 1024;

function endless({ provider, id }: ModelSpec): Failure {
  return providerFailure(`${provider}/${id} wrote more than ${MOST_LETTERS} letters and was stopped`, {
    kind: "format",
    provider,
    model: id,
  });
}

/**
 * An answer whose calls have an id each, as their results are told apart by it and not every model sees to that. One
 * that makes calls is a step on the way, whatever stopped it. What a call names is cut to what a name can be, and
 * arguments that are nested too deeply are none: runtimes parse what they cannot write again.
 */
function settled(message: AssistantMessage): AssistantMessage {
  const seen = new Set<string>();
  const content = message.content.map((part, index) => {
    if (part.type !== "toolCall") return part;
    const given = part.id.slice(0, MOST_ID);
    const id = given === "" || seen.has(given) ? `${given || "call"}_${index}` : given;
    seen.add(id);
    const name = part.name.slice(0, MOST_NAME).replace(/[\p{C}\p{Z}]/gu, "_");
    const args = isDeeper(part.arguments, MOST_DEPTH) ? invalidArguments("nested too deeply") : part.arguments;
    return { ...part, id, name, arguments: args };
  });
  const stopReason = seen.size > 0 ? "toolUse" : message.stopReason === "toolUse" ? "stop" : message.stopReason;
  return { ...message, content, stopReason };
}

/** Characters of a tool's name, and of a call's id: some servers carry more than an id in it. */
const MOST_NAME = 128;
const MOST_ID = 16 * 1024;
/** Levels of a call's arguments. */
const MOST_DEPTH = 64;

function isDeeper(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return depth === 0 || Object.values(value).some((inner) => isDeeper(inner, depth - 1));
}

async function report(
  { accounts, log }: Asking,
  route: Route,
  { outcome, retryAfterMs }: { outcome: "ok" | FailureKind; retryAfterMs?: number | undefined },
): Promise<void> {
  try {
    await accounts.report(route, outcome, retryAfterMs);
  } catch (error) {
    log.warn("the state of a credential was not saved", { profile: route.profileId, error });
  }
}

/** Waits until it is worth asking again; false when that is too long, or was done often enough. */
async function pause(
  { clock }: Asking,
  { signal, emit }: Question,
  { round, busy }: { round: number; busy: readonly Try[] },
): Promise<boolean> {
  const backoff = Math.round(FIRST_PAUSE_MS * 2 ** round * (1 + jitter()));
  const waits = busy.map(({ route, kind, failure }) => ({ ms: failure.retryAfterMs ?? backoff, route, kind }));
  const [soonest] = waits.sort((a, b) => a.ms - b.ms);
  if (!soonest || round >= ROUNDS || soonest.ms > LONGEST_PAUSE_MS) return false;
  const { ms, route, kind } = soonest;
  emit({ type: "waiting", reason: `${nameOf(route.model)}: ${reasons[kind]}`, ms });
  await orAborted(clock.sleep(ms, signal), signal);
  return true;
}

/** From 0 to 0.1, so that many who were refused together do not come back together. */
function jitter(): number {
  return (crypto.getRandomValues(new Uint8Array(1))[0] ?? 0) / 2550;
}

function isPassing(kind: FailureKind): boolean {
  return kind === "rate_limit" || kind === "overloaded" || kind === "network" || kind === "timeout";
}

/** Another credential for the same model would fare no better. */
function isAboutModel(kind: FailureKind): boolean {
  return kind === "refusal" || kind === "format" || kind === "no_model" || kind === "context_length";
}

const reasons: Readonly<Record<FailureKind, string>> = {
  auth: "the credential was refused",
  billing: "out of credit",
  rate_limit: "rate limited",
  overloaded: "overloaded",
  timeout: "no answer in time",
  network: "not reached, or cut off",
  context_length: "the conversation is too long for it",
  refusal: "declined to answer",
  format: "did not understand the request",
  no_model: "there is no such model",
  unknown: "failed",
};

/** One model's own words, or a line on each model that was tried. */
function exhausted(tries: readonly Try[]): Failure {
  const newest = new Map(tries.map((each) => [nameOf(each.route.model), each]));
  const last = tries.at(-1);
  if (!last) return new Failure("internal", "no model was asked");
  if (newest.size === 1) return last.failure;
  const list = [...newest].map(([name, { kind }]) => `${name}: ${reasons[kind]}`).join("; ");
  const waits = tries.flatMap(({ failure }) => failure.retryAfterMs ?? []);
  return new Failure(last.failure.code, `no model answered (${list})`, {
    details: providerFailureOf(last.failure),
    retryable: tries.some(({ failure }) => failure.retryable),
    cause: last.failure,
    ...(waits.length > 0 ? { retryAfterMs: Math.min(...waits) } : {}),
  });
}

function nameOf({ provider, id }: ModelSpec): string {
  return `${provider}/${id}`;
}
