import { Failure } from "../kit/error.ts";
import { isObject } from "../kit/json.ts";

/** A way into a JSON value: keys of objects and indexes of arrays. */
export type Path = readonly (string | number)[];

/** Keys that would reach into JavaScript itself; never accepted from outside. */
export const forbiddenKeys: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

/** The path as people write it: `agents.list[0].name`, and `groups["a.b"]` for a key that is not a plain word. */
export function formatPath(path: Path): string {
  let out = "";
  for (const step of path) {
    if (typeof step === "number") out += `[${step}]`;
    else if (/^[\w$*-]+$/.test(step)) out += out === "" ? step : `.${step}`;
    else out += `[${JSON.stringify(step)}]`;
  }
  return out;
}

/** The steps of a written path; a Failure says what is wrong with it. */
export function parsePath(text: string): Path {
  const steps: (string | number)[] = [];
  const step = /(?:^|\.)([^.[\]"]+)|\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]/gy;
  while (step.lastIndex < text.length) {
    const match = step.exec(text);
    if (!match)
      throw new Failure("invalid-request", `config path "${text}" is not a path; write it like agents.list[0].name`);
    const [, word, index, quoted] = match;
    steps.push(index !== undefined ? Number(index) : (word ?? (quoted ?? "").replace(/\\(.)/g, "$1")));
  }
  if (steps.length === 0) throw new Failure("invalid-request", "config path is empty; name a key such as gateway.port");
  const forbidden = steps.find((name) => typeof name === "string" && forbiddenKeys.has(name));
  if (forbidden !== undefined)
    throw new Failure("invalid-request", `config path "${text}" names ${forbidden}, which is not allowed`);
  return steps;
}

/** What lies at the path; undefined when nothing does. A number written as a word indexes an array. */
export function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const step of path) {
    if (Array.isArray(value)) value = value[Number(step)];
    else if (isObject(value) && Object.hasOwn(value, step)) value = value[step];
    else return undefined;
  }
  return value;
}

/** Whether `path` is `prefix` or lies below it. */
export function startsWith(path: Path, prefix: Path): boolean {
  return prefix.every((step, index) => path[index] === step);
}
