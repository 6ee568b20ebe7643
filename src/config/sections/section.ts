import * as v from "valibot";

/**
 * What a change of a key needs: `live` is read on the next use, `part` restarts the part that it configures, `restart`
 * the whole gateway, `none` nothing.
 */
export type Effect = "live" | "part" | "restart" | "none";

/** What a key's schema says beside its shape: whether it holds a secret, and what a wrong value or a change means. */
export interface KeyMetadata {
  /** Replaced by REDACTED wherever a client can read it. */
  readonly secret?: boolean;
  /** Stands for a wrong value where the default would be more open than what the writer may have meant. */
  readonly whenWrong?: string | boolean;
  /** Holds for everything below that does not say otherwise. */
  readonly reload?: Effect;
}

/** A text that is not blank and never leaves the machine: a token, a password, an API key. */
export const secret = v.pipe(
  v.string("a text in quotes"),
  v.regex(/\S/, "a text that is not blank"),
  v.metadata({ secret: true } satisfies KeyMetadata),
);

/** A text that is not blank. */
export const text = v.pipe(v.string("a text in quotes"), v.regex(/\S/, "a text that is not blank"));

/** A TCP port that can be listened on. */
export const port = v.pipe(
  v.number(portText()),
  v.integer(portText()),
  v.minValue(1, portText()),
  v.maxValue(65_535, portText()),
);

/** A whole number from `least` up. */
export function whole(least: number) {
  const expected = `a whole number from ${least} up`;
  return v.pipe(v.number(expected), v.integer(expected), v.minValue(least, expected));
}

/** A number that is not negative. */
export function amount() {
  return v.pipe(v.number("a number from 0 up"), v.minValue(0, "a number from 0 up"));
}

/** A section that no part reads yet: known, and kept as it is. */
export function opaque(help: string, reload: Effect) {
  return v.pipe(v.optional(v.unknown()), v.description(help), v.metadata({ reload } satisfies KeyMetadata));
}

function portText(): string {
  return "a port number from 1 to 65535";
}
