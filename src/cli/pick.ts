import { isObject } from "../kit/json.ts";
import { clean } from "./layout.ts";

// A gateway may be of another version, or hostile: what it answers is looked at, never trusted to have a shape.

/** What is at the end of these keys; undefined when anything on the way is missing. */
export function at(value: unknown, ...keys: readonly string[]): unknown {
  let current = value;
  for (const key of keys) current = isObject(current) && Object.hasOwn(current, key) ? current[key] : undefined;
  return current;
}

/** The text there exactly as it is; undefined when there is none or it is empty. */
export function stringAt(value: unknown, ...keys: readonly string[]): string | undefined {
  const found = at(value, ...keys);
  return typeof found === "string" && found !== "" ? found : undefined;
}

/** The text there, safe to print. */
export function textAt(value: unknown, ...keys: readonly string[]): string | undefined {
  const found = stringAt(value, ...keys);
  return found === undefined ? undefined : clean(found);
}

export function numberAt(value: unknown, ...keys: readonly string[]): number | undefined {
  const found = at(value, ...keys);
  return typeof found === "number" && Number.isFinite(found) ? found : undefined;
}

/** The list there; empty when there is none. */
export function listAt(value: unknown, ...keys: readonly string[]): readonly unknown[] {
  const found = at(value, ...keys);
  return Array.isArray(found) ? found : [];
}

/** The texts in the list there, joined for a table; `-` when there are none. */
export function wordsAt(value: unknown, ...keys: readonly string[]): string {
  const words = listAt(value, ...keys).filter((word) => typeof word === "string");
  return words.length > 0 ? clean(words.join(", ")) : "-";
}
