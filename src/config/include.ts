import type { Files } from "../host/host.ts";
import { dirname, isAbsolute, join } from "../host/paths.ts";
import { Failure } from "../kit/error.ts";
import { isObject } from "../kit/json.ts";
import type { Finding } from "./environment.ts";
import { mapValues, maxFileSize, parseConfig } from "./parse.ts";
import { type Path, startsWith, valueAt } from "./path.ts";
import { redactAt } from "./redact.ts";

const maxNesting = 10;
/** Files read for one configuration: nesting alone would not bound lists of includes within each other. */
const maxFiles = 64;

/** The longest name of a file, in characters: what is longer is none on any system, and is not to be repeated in logs. */
const maxName = 1024;

/** A value with its `$include`s put in, and where they came from. */
export interface Included {
  readonly value: unknown;
  /** Every file that was read, by its real path. */
  readonly files: readonly string[];
  /** What each object that holds an `$include` took from other files. */
  readonly origins: readonly IncludeOrigin[];
  readonly findings: readonly Finding[];
}

export interface IncludeOrigin {
  /** Where the object with the `$include` is. */
  readonly path: Path;
  readonly files: readonly string[];
}

export interface IncludeContext {
  readonly files: Files;
  /** The file that holds the value. */
  readonly file: string;
  /** Folders that included files must really lie in, links followed (threat M). */
  readonly roots: readonly string[];
}

/**
 * Puts the files that `$include` names in the place of the objects that hold it (cli.md 2.1): a list is merged in
 * order, keys beside `$include` are merged last. One that fails is a finding, and only its own place goes without it.
 */
export async function resolveIncludes(value: unknown, context: IncludeContext): Promise<Included> {
  if (!mentionsInclude(value)) return { value, files: [], origins: [], findings: [] };
  const read = new Set<string>();
  const origins: IncludeOrigin[] = [];
  const findings: Finding[] = [];
  const main = (await context.files.realPath(context.file)) ?? context.file;
  const roots = await Promise.all(context.roots.map(async (root) => (await context.files.realPath(root)) ?? root));
  let budget = maxFiles;

  async function visit(child: unknown, path: Path, chain: readonly string[]): Promise<unknown> {
    if (!isObject(child) || !Object.hasOwn(child, "$include")) return visitChildren(child, path, chain);
    const { $include: wanted, ...siblings } = child;
    const own = await visitChildren(siblings, path, chain);
    try {
      const included = await readAll(wanted, path, chain);
      if (Object.keys(siblings).length === 0) return included;
      if (isObject(included)) return merge(included, own);
      throw new Failure(
        "config",
        "the included file is not an object, so no keys may stand beside $include; remove them",
      );
    } catch (error) {
      findings.push({ path, message: Failure.from(error).message });
      return own;
    }
  }

  async function visitChildren(value: unknown, path: Path, chain: readonly string[]): Promise<unknown> {
    const visited = new Map<string | number, unknown>();
    const steps: (readonly [string | number, unknown])[] = [];
    mapValues(value, (child, step) => steps.push([step, child]));
    for (const [step, child] of steps) visited.set(step, await visit(child, [...path, step], chain));
    return mapValues(value, (_, step) => visited.get(step));
  }

  async function readAll(wanted: unknown, path: Path, chain: readonly string[]): Promise<unknown> {
    const names = Array.isArray(wanted) ? (wanted as readonly unknown[]) : [wanted];
    const found: string[] = [];
    let merged: unknown;
    for (const [index, name] of names.entries()) {
      const { file, text } = await readOne(name, chain);
      found.push(file);
      const inner = await visit(await parseIncluded(text, file), path, [...chain, file]);
      merged = index === 0 ? inner : merge(merged, inner);
    }
    if (chain.length === 1) origins.push({ path, files: found });
    return merged;
  }

  async function readOne(name: unknown, chain: readonly string[]): Promise<{ file: string; text: string }> {
    if (typeof name !== "string" || name === "" || name.includes("\0") || name.length > maxName) {
      const given = (JSON.stringify(redactAt([], name)) ?? "missing").slice(0, 60);
      throw new Failure("config", `$include is ${given}; name a file, or a list of files, relative to this one`);
    }
    if (chain.length > maxNesting)
      throw new Failure("config", `$include "${name}" is nested deeper than ${maxNesting} files; flatten it`);
    if (budget-- <= 0)
      throw new Failure("config", `$include "${name}" is one file too many; at most ${maxFiles} are read`);
    const resolved = isAbsolute(name) ? join(name) : join(dirname(chain.at(-1) ?? main), name);
    const real = await inside(name, resolved);
    if (chain.includes(real))
      throw new Failure("config", `Circular include detected: ${[...chain, real].join(" -> ")}`);
    const stat = await context.files.stat(real);
    if (stat?.kind !== "file") throw new Failure("config", `$include "${name}" is not a file (resolved: ${resolved})`);
    if (stat.size > maxFileSize)
      throw new Failure("config", `$include "${name}" has ${stat.size} bytes; at most ${maxFileSize} are read`);
    const text = await context.files.read(real);
    if (text === undefined) throw missing(name, resolved);
    read.add(real);
    return { file: real, text };
  }

  /** The file's real path, once it is known to lie where files may be included from. */
  async function inside(name: string, resolved: string): Promise<string> {
    // What lies outside is refused before it is looked at, so that the answer does not tell what exists there.
    const lexical = [...roots, ...context.roots].some((root) => within(resolved, root));
    const real = lexical ? await context.files.realPath(resolved) : undefined;
    if (lexical && real === undefined) throw missing(name, resolved);
    if (real !== undefined && roots.some((root) => within(real, root))) return real;
    throw new Failure(
      "config",
      `$include "${name}" leads outside ${context.roots.join(" and ")}; move the file there or add its folder to OPENCLAW_INCLUDE_ROOTS`,
    );
  }

  return { value: await visit(value, [], [main]), files: [...read], origins, findings };
}

function mentionsInclude(value: unknown): boolean {
  if (isObject(value) && Object.hasOwn(value, "$include")) return true;
  return Object.values(isObject(value) || Array.isArray(value) ? value : {}).some(mentionsInclude);
}

function merge(under: unknown, over: unknown): unknown {
  if (!isObject(under) || !isObject(over)) return over;
  const out = { ...under };
  for (const [key, value] of Object.entries(over))
    out[key] = Object.hasOwn(under, key) ? merge(under[key], value) : value;
  return out;
}

async function parseIncluded(text: string, file: string): Promise<unknown> {
  try {
    return await parseConfig(text);
  } catch (error) {
    throw new Failure("config", `${file}: ${Failure.from(error).message}`, { cause: error });
  }
}

function within(path: string, root: string): boolean {
  return path === root || path.startsWith(root.endsWith("/") ? root : `${root}/`);
}

function missing(name: string, resolved: string): Failure {
  return new Failure("config", `Failed to read include file: ${name} (resolved: ${resolved})`);
}

/** The files that the value at a path comes from, when an `$include` brought it; undefined when it is the file's own. */
export function includedFrom(
  path: Path,
  loaded: { readonly parsed: unknown; readonly source: unknown; readonly origins: readonly IncludeOrigin[] },
): readonly string[] | undefined {
  const origin = loaded.origins.find((candidate) => startsWith(path, candidate.path));
  if (!origin) return undefined;
  const key = path[origin.path.length];
  if (key === undefined) return origin.files;
  const own = valueAt(loaded.parsed, [...origin.path, key]) !== undefined;
  return own || valueAt(loaded.source, [...origin.path, key]) === undefined ? undefined : origin.files;
}
