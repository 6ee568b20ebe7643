import * as v from "valibot";
import { isObject, type JsonObject } from "../kit/json.ts";
import type { ConfigIssue } from "./config.ts";
import type { Finding } from "./environment.ts";
import { closeDoors, isGuarded } from "./guard.ts";
import { legacyPaths } from "./legacy.ts";
import { entriesOf, mapValues } from "./parse.ts";
import { formatPath, type Path, valueAt } from "./path.ts";
import { redactAt } from "./redact.ts";
import { type Config, configSchema } from "./schema.ts";
import { bare, childOf, knownKeys, metadataOf, type Shape, shapeOf } from "./shape.ts";

/** What validation makes of a configuration: always a whole, usable value, and what it had to leave out. */
export interface Validated {
  readonly value: Config;
  readonly issues: readonly ConfigIssue[];
  readonly warnings: readonly ConfigIssue[];
  readonly unknownKeys: readonly string[];
  readonly disabled: readonly { readonly section: string; readonly issue: ConfigIssue }[];
  readonly unsafe: readonly ConfigIssue[];
}

/** Sections without which there is no gateway: their wrong keys take defaults, and nothing is switched off. */
const essential: ReadonlySet<string> = new Set(["gateway", "logging", "agents", "env", "commands", "session"]);
/** Sections that configure one part for each of their members. */
const families: readonly Path[] = [["channels"], ["models", "providers"]];

/**
 * Takes every wrong value out of the configuration, so that the smallest thing that holds it has its default, and says
 * what it took. `known` are values already found to be wrong; `written` is `source` before `${ENV}` was put in. Where a guarded value is wrong, the doors close.
 */
export function validate(source: unknown, known: readonly Finding[] = [], written: unknown = source): Validated {
  const asWritten = showAsWritten(written);
  const findings: Finding[] = [...known];
  const root: JsonObject = isObject(source) ? structuredClone(source) : {};
  if (source !== undefined && !isObject(source)) {
    findings.push({
      path: [],
      message: `the file holds ${shown(asWritten(source))}; make it an object: { gateway: { mode: "local" } }`,
    });
  }
  for (const { path } of distinct(known).toReversed()) remove(root, path);
  let value = takeOutWrong(root, findings, asWritten);
  const legacy = legacyKeys();
  const unsafe = findings.filter(({ path }) => isGuarded(path));
  if (unsafe.length > 0) value = v.parse(configSchema, closeDoors(root, findings));
  return {
    value,
    issues: findings.map(issueOf),
    warnings: legacyWarnings(source, legacy),
    unknownKeys: unknownKeys(shapeOf(configSchema), source, legacy),
    disabled: disabledParts(findings),
    unsafe: unsafe.map(issueOf),
  };
}

function takeOutWrong(root: JsonObject, findings: Finding[], asWritten: (value: unknown) => unknown): Config {
  for (;;) {
    const result = v.safeParse(configSchema, root);
    if (result.success) return result.output;
    const wrong = result.issues.map((issue) => {
      const path = (issue.path ?? []).map((item) => item.key as string | number);
      return findingOf(issue, path, asWritten(valueAt(root, path)));
    });
    findings.push(...distinct(wrong));
    // Backwards: taking an item out of a list must not move those still to be taken out.
    for (let { path } of distinct(wrong).toReversed()) {
      // What is missing and must be there takes its holder along.
      while (!remove(root, path)) path = path.slice(0, -1);
    }
  }
}

/** The first finding of each path. */
function distinct(findings: readonly Finding[]): readonly Finding[] {
  const byPath = new Map<string, Finding>();
  for (const finding of findings) {
    const path = formatPath(finding.path);
    if (!byPath.has(path)) byPath.set(path, finding);
  }
  return [...byPath.values()];
}

/** Removes a value, or puts what its schema says a wrong one counts as; false when nothing was there. */
function remove(root: JsonObject, path: Path): boolean {
  const step = path.at(-1);
  if (step === undefined) {
    for (const key of Object.keys(root)) delete root[key];
    return true;
  }
  const holder = valueAt(root, path.slice(0, -1));
  if (Array.isArray(holder) && Number(step) < holder.length) {
    holder.splice(Number(step), 1);
    return true;
  }
  if (!isObject(holder) || !Object.hasOwn(holder, step)) return false;
  const closed = metadataOf(shapeAt(path) ?? { type: "unknown" }).whenWrong;
  if (closed === undefined) delete holder[step];
  else holder[step] = closed;
  return true;
}

function shapeAt(path: Path): Shape | undefined {
  let shape: Shape | undefined = shapeOf(configSchema);
  for (const step of path) shape = shape && childOf(shape, step);
  return shape;
}

/** What the environment gave is not repeated, which may be a secret that was put in the wrong place. */
function showAsWritten(written: unknown): (value: unknown) => unknown {
  const texts = new Set<string>();
  const collect = (value: unknown): void => {
    if (typeof value === "string") texts.add(value);
    else for (const [, child] of entriesOf(value)) collect(child);
  };
  collect(written);
  const show = (value: unknown): unknown =>
    typeof value === "string" && !texts.has(value) ? "${...}" : mapValues(value, show);
  return show;
}

function findingOf(issue: v.BaseIssue<unknown>, path: Path, given: unknown): Finding {
  const options = bare(shapeAt(path) ?? { type: "unknown" }).options?.filter((option) => typeof option === "string");
  const allowedValues = options && options.length > 0 ? options : undefined;
  if (given === undefined) return { path, message: `is missing; set it to ${expectation(issue, allowedValues)}` };
  return {
    path,
    message: `is ${shown(redactAt(path, given))}; set it to ${expectation(issue, allowedValues)}, or remove it`,
    allowedValues,
  };
}

function expectation(issue: v.BaseIssue<unknown>, allowed: readonly string[] | undefined): string {
  if (allowed)
    return allowed.length === 1 ? `"${allowed[0]}"` : `one of ${allowed.map((value) => `"${value}"`).join(", ")}`;
  if (!issue.message.startsWith("Invalid ")) return issue.message;
  const words: Readonly<Record<string, string>> = {
    boolean: "true or false",
    string: "a text in quotes",
    number: "a number",
    Array: "a list",
    Object: "an object",
  };
  return (
    words[issue.expected ?? ""] ??
    (issue.type === "loose_object" || issue.type === "record" ? "an object" : "a text in quotes")
  );
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

function issueOf({ path, message, allowedValues }: Finding): ConfigIssue {
  return { path: formatPath(path), message, ...(allowedValues && { allowedValues }) };
}

function disabledParts(findings: readonly Finding[]): Validated["disabled"] {
  const parts = new Map<string, ConfigIssue>();
  for (const finding of findings) {
    const [section] = finding.path;
    if (section === undefined || essential.has(String(section))) continue;
    const family = families.find((prefix) => prefix.every((step, index) => finding.path[index] === step));
    const part = formatPath(finding.path.slice(0, family ? family.length + 1 : 1));
    if (!parts.has(part)) parts.set(part, issueOf(finding));
  }
  return [...parts].map(([section, issue]) => ({ section, issue }));
}

function unknownKeys(shape: Shape, value: unknown, legacy: LegacyKeys, path: Path = []): readonly string[] {
  const known = isObject(value) ? knownKeys(shape) : undefined;
  return entriesOf(value).flatMap(([step, child]) => {
    const here = [...path, step];
    if (known && !known.has(String(step))) return legacy.has(formatPath(here)) ? [] : [formatPath(here)];
    const below = childOf(shape, step);
    return below ? unknownKeys(below, child, legacy, here) : [];
  });
}

/** Keys of older versions that nothing reads any more, with what to use now. */
type LegacyKeys = ReadonlyMap<string, string>;

/** Of a section that is old as a whole it is the section: `routing`, not each key in it. */
function legacyKeys(): LegacyKeys {
  const places = new Map<string, Set<string>>();
  for (const [from, to] of legacyPaths()) {
    if (from.includes("[")) continue; // in each item of a list that is still read
    const [first = "", ...rest] = from.split(".");
    const whole = !knownKeys(shapeOf(configSchema))?.has(first);
    const key = whole ? first : from;
    const place = whole && rest.length > 0 ? (to.split(/[.[]/)[0] ?? to) : to;
    places.set(key, (places.get(key) ?? new Set()).add(place));
  }
  return new Map([...places].map(([key, found]) => [key, [...found].sort().join(", ")]));
}

function legacyWarnings(source: unknown, legacy: LegacyKeys): readonly ConfigIssue[] {
  return [...legacy]
    .filter(([path]) => valueAt(source, path.split(".")) !== undefined)
    .map(([path, now]) => ({ path, message: `Config uses "${path}". This key is ignored; use "${now}" instead.` }));
}
