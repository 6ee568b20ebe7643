import { Failure } from "../kit/error.ts";
import { isObject, type JsonObject } from "../kit/json.ts";
import { mapValues } from "./parse.ts";
import type { Path } from "./path.ts";

/** One change that leads from one value to another; undefined removes. A list's next index appends. */
export interface Change {
  readonly path: Path;
  readonly value: unknown;
}

/** The smallest changes that make `after` of `before`. Lists grow at their end or are replaced as a whole. */
export function differences(before: unknown, after: unknown, path: Path = []): readonly Change[] {
  if (isObject(before) && isObject(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
      (key) => own(before, key) !== undefined || own(after, key) !== undefined,
    );
    return keys.flatMap((key) => differences(own(before, key), own(after, key), [...path, key]));
  }
  if (Array.isArray(before) && Array.isArray(after) && after.length >= before.length && before.length > 0) {
    const list: readonly unknown[] = before;
    return after.flatMap((item: unknown, index) => differences(list[index], item, [...path, index]));
  }
  return same(before, after) ? [] : [{ path, value: after }];
}

/** Whether two JSON values are equal, whatever the order of their keys. */
export function same(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, index) => same(item, b[index]));
  if (isObject(a) && isObject(b)) {
    const keys = Object.keys(a);
    return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && same(a[key], b[key]));
  }
  return Object.is(a, b) || a === b;
}

/** What a JSON merge patch makes of a value (RFC 7396): null deletes, lists replace. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const out: JsonObject = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete out[key];
    else out[key] = mergePatch(own(out, key), value);
  }
  return out;
}

/** A copy of the value with one path set, or removed with undefined; objects on the way are made. */
export function withValue(root: unknown, path: Path, value: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  if (Array.isArray(root)) {
    if (!/^\d+$/.test(String(step)) || Number(step) > root.length) {
      throw new Failure(
        "invalid-request",
        `config path: "${step}" is not an item of a list of ${root.length}; use a number up to ${root.length}`,
      );
    }
    const index = Number(step);
    const list: readonly unknown[] = root;
    const item = withValue(list[index], rest, value);
    return item === undefined ? list.filter((_, at) => at !== index) : list.toSpliced(index, 1, item);
  }
  const before = isObject(root) ? root : typeof step === "number" ? [] : {};
  if (Array.isArray(before)) return withValue(before, path, value);
  const child = withValue(own(before, step), rest, value);
  if (child === undefined) {
    const { [step]: _, ...others } = before;
    return others;
  }
  return Object.hasOwn(before, step)
    ? mapValues(before, (present, key) => (key === step ? child : present))
    : { ...before, [step]: child };
}

function own(object: JsonObject, key: string | number): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}
