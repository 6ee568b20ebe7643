/**
 * What can go wrong, once: each code's name on the wire (protocol.md 5), HTTP status, exit status and whether trying
 * again may help. Everything that translates an error reads this table.
 */
export const codes = {
  "invalid-request": { wire: "INVALID_REQUEST", http: 400, exit: 1, retry: false },
  unauthorized: { wire: "INVALID_REQUEST", http: 401, exit: 1, retry: false },
  "rate-limited": { wire: "INVALID_REQUEST", http: 429, exit: 75, retry: true },
  forbidden: { wire: "FORBIDDEN", http: 403, exit: 1, retry: false },
  "not-paired": { wire: "NOT_PAIRED", http: 401, exit: 1, retry: false },
  "not-found": { wire: "INVALID_REQUEST", http: 404, exit: 1, retry: false },
  conflict: { wire: "INVALID_REQUEST", http: 409, exit: 1, retry: false },
  unavailable: { wire: "UNAVAILABLE", http: 503, exit: 75, retry: true },
  timeout: { wire: "UNAVAILABLE", http: 504, exit: 75, retry: true },
  aborted: { wire: "UNAVAILABLE", http: 499, exit: 130, retry: false },
  usage: { wire: "INVALID_REQUEST", http: 400, exit: 2, retry: false },
  config: { wire: "INVALID_REQUEST", http: 500, exit: 78, retry: false },
  failed: { wire: "UNAVAILABLE", http: 500, exit: 1, retry: false },
  internal: { wire: "UNAVAILABLE", http: 500, exit: 1, retry: false },
} as const satisfies Record<string, { wire: string; http: number; exit: number; retry: boolean }>;

export type Code = keyof typeof codes;

/** What each code says, for the reference. */
export const codeMeanings = {
  "invalid-request": "The request is wrong: its shape, a value in it, or what it asks for.",
  unauthorized: "The credential is missing or wrong.",
  "rate-limited": "Too many attempts: later ones may succeed.",
  forbidden: "Known, and not allowed: the scope or the role is missing.",
  "not-paired": "The device waits for the owner's approval.",
  "not-found": "What was named does not exist.",
  conflict: "Somebody else was faster, or something is in the way.",
  unavailable: "Not now: a part or another machine does not answer.",
  timeout: "No answer in time.",
  aborted: "Ended because somebody asked for it.",
  usage: "The command line is wrong.",
  config: "The configuration is wrong, or safety forbids what it says.",
  failed: "It was tried, and did not work.",
  internal: "A fault of this program: the log has the reason.",
} as const satisfies Record<Code, string>;

/** The process's exit statuses (cli.md 10.4). */
export const exit = { ok: 0, failed: 1, usage: 2, temporary: 75, config: 78, interrupted: 130 } as const;

/** What each status says, for the reference. */
export const exitMeanings = {
  ok: "Done, or ended as asked.",
  failed: "Failed.",
  usage: "Wrong usage: the command line is at fault.",
  temporary: "Temporary: try again.",
  config: "The configuration, or safety, forbids it: restarting will not help.",
  interrupted: "Interrupted.",
} as const satisfies Record<keyof typeof exit, string>;

export interface FailureOptions {
  /** Machine-readable part, sent to clients as `error.details`. Never a secret. */
  readonly details?: unknown;
  readonly cause?: unknown;
  /** Overrides the table's answer. */
  readonly retryable?: boolean;
  readonly retryAfterMs?: number | undefined;
  /** What to do about it, a line each: printed under the message by the command line. */
  readonly hints?: readonly string[];
}

/** The one error class: a code from the table and a message that says which value is wrong and what to do. */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly code: Code;
  readonly details: unknown;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly hints: readonly string[];

  constructor(code: Code, message: string, options: FailureOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details;
    this.retryable = options.retryable ?? codes[code].retry;
    this.retryAfterMs = options.retryAfterMs;
    this.hints = options.hints ?? [];
  }

  /** The same for those who are not to learn what broke inside: that is for the log (threat G). */
  shown(): Failure {
    if (this.code !== "internal") return this;
    return new Failure("internal", "internal error: the log of the gateway says which", { cause: this });
  }

  /** Any thrown value as a Failure; what is not one becomes `internal` with its text as the cause's. */
  static from(thrown: unknown): Failure {
    if (thrown instanceof Failure) return thrown;
    if (thrown instanceof Error && thrown.name === "AbortError")
      return new Failure("aborted", "aborted", { cause: thrown });
    return new Failure("internal", thrown instanceof Error ? thrown.message : String(thrown), { cause: thrown });
  }
}
