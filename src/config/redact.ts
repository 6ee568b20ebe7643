import { Failure } from "../kit/error.ts";
import { isObject } from "../kit/json.ts";
import { isSecretKey, redact, REDACTED } from "../kit/redact.ts";
import { mapValues } from "./parse.ts";
import { formatPath, type Path } from "./path.ts";
import { configSchema } from "./schema.ts";
import { childOf, metadataOf, type Shape, shapeOf } from "./shape.ts";

/** Key names that hold secrets beyond those the log knows; sections without a schema are judged by names alone. */
const moreSecretKeys =
  /(secret|access|encrypt(ion)?|signing|service|session|auth)[_-]?key$|(credential|passphrase|bearer|cookie|nsec|pass|jwt)s?$/i;

/**
 * The value with every secret in it replaced by REDACTED, wherever else it stands as well. It must be a configuration, or
 * have the shape of one.
 */
export function redactConfig(value: unknown): unknown {
  const place = { shape: shapeOf(configSchema), secret: false };
  return hide(redactIn(value, place), new Set(secretsIn(value, place)));
}

/** One value of a configuration, redacted as what lies at that path. */
export function redactAt(path: Path, value: unknown): unknown {
  let place: Place = { shape: shapeOf(configSchema), secret: false };
  for (const step of path) place = below(place, step);
  return redactIn(value, place);
}

interface Place {
  readonly shape: Shape | undefined;
  /** Everything from here down is secret. */
  readonly secret: boolean;
}

function redactIn(value: unknown, place: Place): unknown {
  if (typeof value === "string") return place.secret && value !== "" ? REDACTED : redactText(value);
  if (typeof value !== "object" || value === null) return place.secret && typeof value === "number" ? REDACTED : value;
  return mapValues(value, (child, step) => {
    const next = below(place, step);
    // `maxTokens: 4096` is a count; a secret made of digits only stands under a name in the singular.
    if (typeof child === "number" && !place.secret && /tokens$/i.test(String(step))) return child;
    return redactIn(child, next);
  });
}

/** The texts that stand where secrets do. Short ones are words that stand elsewhere too. */
function secretsIn(value: unknown, place: Place): readonly string[] {
  if (typeof value === "string") return place.secret && value.length >= LEAST ? [value] : [];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) =>
    secretsIn(child, below(place, Array.isArray(value) ? Number(key) : key)),
  );
}

const LEAST = 16;

function hide(value: unknown, secrets: ReadonlySet<string>): unknown {
  if (typeof value === "string") return secrets.has(value) ? REDACTED : value;
  return typeof value === "object" && value !== null ? mapValues(value, (child) => hide(child, secrets)) : value;
}

function below(place: Place, step: string | number): Place {
  const shape = place.shape && childOf(place.shape, step);
  const declared = shape !== undefined && metadataOf(shape).secret === true;
  const named = shape === undefined && typeof step === "string" && (isSecretKey(step) || moreSecretKeys.test(step));
  return { shape, secret: place.secret || declared || named };
}

/** A text that is not a secret as a whole: user and password of a URL go, and anything that looks like a known key. */
function redactText(text: string): string {
  const withoutUser = text.replace(/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/?#@]+@/gi, `$1${REDACTED}@`);
  return redact(withoutUser) === withoutUser ? withoutUser : REDACTED;
}

/** The file's text if nothing in it is secret, comments included; null otherwise. */
export function redactRaw(raw: string | null, parsed: unknown): string | null {
  if (raw === null || redact(raw) !== raw || redactText(raw) !== raw) return null;
  return JSON.stringify(redactConfig(parsed)) === JSON.stringify(parsed) ? raw : null;
}

/**
 * What a client sent back, with the present value wherever it left the redacted one. A Failure names a path where
 * REDACTED stands for nothing. List items are matched by `id`, others by their place.
 */
export function restoreSecrets(given: unknown, present: unknown): unknown {
  return restore(given, present, redactConfig(present), []);
}

function restore(given: unknown, present: unknown, hidden: unknown, path: Path): unknown {
  if (typeof given === "string" && given.includes(REDACTED)) {
    if (given === hidden) return present;
    throw new Failure(
      "invalid-request",
      `invalid config: ${formatPath(path)}: ${REDACTED} stands for a present value, and there is none; give the value itself`,
      { details: { issues: [{ path: formatPath(path), message: `${REDACTED} stands for no present value` }] } },
    );
  }
  return mapValues(given, (child, step) => {
    const place = placeOf(child, step, present);
    return restore(child, at(present, place), at(hidden, place), [...path, step]);
  });
}

function placeOf(child: unknown, step: string | number, present: unknown): string | number {
  if (!Array.isArray(present) || !isObject(child) || typeof child["id"] !== "string") return step;
  const index = present.findIndex((item) => isObject(item) && item["id"] === child["id"]);
  return index < 0 ? present.length : index;
}

function at(value: unknown, step: string | number): unknown {
  return isObject(value) || Array.isArray(value)
    ? (value as Readonly<Record<string | number, unknown>>)[step]
    : undefined;
}
