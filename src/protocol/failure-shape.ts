import { codes, Failure } from "../kit/error.ts";
import type { Logger } from "../kit/log.ts";

/** A failure of one part of an answer that is a success as a whole. */
export interface FailureShape {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
}

/** What was thrown, in the protocol's words. What broke inside is for the log, and not for clients (threat G). */
export function failureShape(log: Logger, what: string, thrown: unknown): FailureShape {
  const { code, message, retryable } = Failure.from(thrown);
  if (code === "internal") log.error(`${what} failed`, { error: message });
  return { code: codes[code].wire, message: code === "internal" ? "internal error" : message, retryable };
}
