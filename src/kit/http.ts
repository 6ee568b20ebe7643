import { isObject, parseJson } from "./json.ts";
import { Failure } from "./error.ts";
import { readStart, stopped, type Timers, webTimers } from "./stream.ts";

export interface Sending {
  readonly fetch: typeof fetch;
  readonly signal: AbortSignal;
  /** Longest wait for the answer's head, in milliseconds. */
  readonly headMs: number;
  readonly clock?: Timers | undefined;
}

/**
 * Sends a request and resolves with the head of its answer. Redirects are not followed: what goes with the request is
 * for this origin alone. Throws `aborted` by the signal, `timeout`, or what the network throws.
 */
export async function send(url: URL, init: RequestInit, sending: Sending): Promise<Response> {
  const { fetch, signal, headMs, clock = webTimers } = sending;
  if (signal.aborted) throw stopped(signal);
  const late = new AbortController();
  const disarm = clock.after(headMs, () => late.abort());
  try {
    return await fetch(url, { ...init, redirect: "manual", signal: AbortSignal.any([signal, late.signal]) });
  } catch (error) {
    if (signal.aborted) throw stopped(signal);
    if (late.signal.aborted) throw new Failure("timeout", `no answer within ${Math.round(headMs / 1000)} seconds`);
    throw error;
  } finally {
    disarm();
  }
}

/** What an answer says is wrong, as far as it can be understood. */
export interface Problem {
  /** HTTP's, absent in the middle of a stream. */
  readonly status?: number | undefined;
  /** The sender's own names of the error, the most exact first. */
  readonly types: readonly string[];
  readonly message: string;
  readonly retryAfterMs?: number | undefined;
}

const PROBLEM_BYTES = 64 * 1024;

/** Reads the body of an answer that refuses, the first 64 KB of it, and what its headers say about trying again. */
export async function readProblem(
  response: Response,
  { signal, now, clock }: { signal: AbortSignal; now: number; clock?: Timers | undefined },
): Promise<Problem> {
  const options = { signal, clock, idleMs: 10_000, maxBytes: PROBLEM_BYTES };
  const text = response.body
    ? await readStart(response.body, options).catch((error: unknown) => {
        if (signal.aborted) throw error;
        return ""; // the status says enough when the body breaks off
      })
    : "";
  const found = problemIn(parseJson(text) ?? text);
  return {
    ...found,
    status: response.status,
    retryAfterMs: retryAfter(response.headers, { status: response.status, now }) ?? found.retryAfterMs,
  };
}

/**
 * The problem in a parsed body or event, in any of the usual shapes: `{error: {type, code, status, message}}`,
 * `{error: "text"}`, `{message}`, a list with one of them, or plain text.
 */
export function problemIn(body: unknown): Problem {
  const whole = Array.isArray(body) ? (body[0] as unknown) : body;
  if (typeof whole === "string") return { types: [], message: plainText(whole) };
  if (!isObject(whole)) return { types: [], message: "" };
  const error = isObject(whole["error"]) ? whole["error"] : { ...whole, message: whole["error"] ?? whole["message"] };
  const details = Array.isArray(error["details"]) ? error["details"].filter(isObject) : [];
  const types = [...details.map((detail) => detail["reason"]), error["code"], error["type"], error["status"]];
  const message = error["message"] ?? whole["message"] ?? whole["detail"];
  const wait = details.map((detail) => detail["retryDelay"]).find((delay) => typeof delay === "string");
  return {
    types: types.flatMap((type) => (typeof type === "string" || typeof type === "number" ? [String(type)] : [])),
    message: typeof message === "string" ? message : "",
    retryAfterMs: wait === undefined ? undefined : capped(momentMs(wait, 0)),
  };
}

/** HTML error pages say little, and much. */
function plainText(text: string): string {
  return /^\s*</.test(text) ? (/<title>([^<]*)/i.exec(text)?.[1] ?? "") : text;
}

// Which budget ran out and when it is full again: OpenAI's and Groq's, OpenRouter's, Anthropic's names.
const resets = [
  ["x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"],
  ["x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"],
  ["x-ratelimit-remaining", "x-ratelimit-reset"],
  ["anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-requests-reset"],
  ["anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset"],
  ["anthropic-ratelimit-input-tokens-remaining", "anthropic-ratelimit-input-tokens-reset"],
  ["anthropic-ratelimit-output-tokens-remaining", "anthropic-ratelimit-output-tokens-reset"],
] as const;

/**
 * How long to wait before trying again, in milliseconds and an hour at most: `retry-after-ms`, `retry-after` (RFC 9110
 * 10.2.3), or with status 429 when the exhausted one of the sender's rate limits opens again.
 */
export function retryAfter(headers: Headers, { status, now }: { status: number; now: number }): number | undefined {
  const exact = headers.get("retry-after-ms");
  if (exact !== null && /^\d+(\.\d+)?$/.test(exact)) return capped(Number(exact));
  const given = headers.get("retry-after");
  if (given !== null) return capped(momentMs(given, now));
  if (status !== 429) return undefined;
  const waits = resets.flatMap(([remaining, reset]) => {
    const moment = headers.get(remaining) === "0" ? headers.get(reset) : null;
    const ms = moment === null ? undefined : capped(momentMs(moment, now));
    return ms === undefined ? [] : [ms];
  });
  return waits.length === 0 ? undefined : Math.max(...waits);
}

/** Seconds, a duration such as `6m0.5s` or `20ms`, a time since 1970 in seconds or milliseconds, or a date. */
function momentMs(text: string, now: number): number | undefined {
  const trimmed = text.trim();
  if (/^\d+(\.\d+)?$/.test(trimmed)) {
    const number = Number(trimmed);
    if (number > 1e12) return number - now;
    return number > 1e9 ? number * 1000 - now : number * 1000;
  }
  if (/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(trimmed)) {
    const parts = [...trimmed.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)];
    return parts.reduce((sum, [, amount, unit = "s"]) => sum + Number(amount) * (units[unit] ?? 0), 0);
  }
  const date = Date.parse(trimmed);
  return Number.isNaN(date) ? undefined : date - now;
}

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const MAX_RETRY_AFTER = 3_600_000;

function capped(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.ceil(Math.min(Math.max(ms, 0), MAX_RETRY_AFTER));
}
