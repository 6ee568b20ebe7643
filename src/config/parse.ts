import { Failure } from "../kit/error.ts";
import { isObject, parseJson, type JsonObject } from "../kit/json.ts";
import { forbiddenKeys, formatPath, type Path } from "./path.ts";

/** Deeper values are refused, so that nothing here can exhaust the stack. */
const maxDepth = 100;

/** The largest configuration file, in characters; an included one counts by itself. */
export const maxFileSize = 2 * 1024 * 1024;

/**
 * The value of a JSON5 text. The JSON5 parser is loaded only for what is not plain JSON, which is most of the time
 * of reading a file. A Failure `config` says where the text is wrong.
 */
export async function parseConfig(text: string): Promise<unknown> {
  if (text.length > maxFileSize)
    throw new Failure("config", `the file is larger than ${maxFileSize} characters; split it with $include`);
  const value = parseJson(text) ?? (await parseJson5(text));
  checkKeys(value, []);
  return value;
}

async function parseJson5(text: string): Promise<unknown> {
  const { default: json5 } = await import("json5");
  try {
    return json5.parse<unknown>(text);
  } catch (error) {
    throw new Failure("config", `JSON5 parse failed: ${String(error)}; correct the file there`, { cause: error });
  }
}

function checkKeys(value: unknown, path: Path): void {
  if (path.length > maxDepth)
    throw new Failure(
      "config",
      `${formatPath(path.slice(0, 5))}… is nested deeper than ${maxDepth} levels; make it flatter`,
    );
  for (const [key, child] of entriesOf(value)) {
    if (typeof key === "string" && forbiddenKeys.has(key)) {
      throw new Failure("config", `${formatPath([...path, key])} is a key that is not allowed; rename or remove it`);
    }
    checkKeys(child, [...path, key]);
  }
}

/** What an object or array holds, with its keys or indexes; nothing for any other value. */
export function entriesOf(value: unknown): readonly (readonly [string | number, unknown])[] {
  if (Array.isArray(value)) return value.map((item: unknown, index) => [index, item] as const);
  return isObject(value) ? Object.entries(value) : [];
}

/** A copy of a JSON value with every object and array rebuilt by `change`, innermost first. */
export function mapValues(value: unknown, change: (child: unknown, step: string | number) => unknown): unknown {
  if (Array.isArray(value)) return value.map((item: unknown, index) => change(item, index));
  if (!isObject(value)) return value;
  const out: JsonObject = {};
  for (const [key, child] of Object.entries(value)) out[key] = change(child, key);
  return out;
}
