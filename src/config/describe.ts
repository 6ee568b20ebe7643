import { isObject, type JsonObject } from "../kit/json.ts";
import { formatPath, parsePath, type Path } from "./path.ts";
import { reloadKind } from "./reload.ts";
import { configSchema } from "./schema.ts";
import { actions, bare, childOf, helpOf, metadataOf, type Shape, shapeOf } from "./shape.ts";

/** How an editor shows a key (protocol: `config.schema`). */
export interface Hint {
  readonly label: string;
  readonly help?: string;
  readonly sensitive?: boolean;
}

/** A key with everything that its one literal says, for references and help. */
export interface KeyDescription {
  /** `*` stands for any name or index. */
  readonly path: string;
  readonly type: string;
  readonly help: string;
  readonly default?: unknown;
  readonly allowedValues?: readonly string[];
  readonly secret: boolean;
  readonly reload: "restart" | "hot" | "none";
}

const own = shapeOf(configSchema);

/** The JSON Schema of the file (draft 2020-12). */
export function jsonSchema(whole = own): JsonObject {
  return { $schema: "https://json-schema.org/draft/2020-12/schema", ...schemaOf(whole) };
}

/** Labels and help for every key, by path. */
export function uiHints(whole = own): Readonly<Record<string, Hint>> {
  return Object.fromEntries(walk(whole, []).map(([path, shape]) => [formatPath(path), hintOf(path, shape)]));
}

/** Every key of the configuration in the order of the schema. */
export function describeKeys(whole = own): readonly KeyDescription[] {
  return walk(whole, []).map(([path, shape]) => {
    const { type, enum: allowed, default: initial } = schemaOf(shape);
    const written = formatPath(path);
    return {
      path: written,
      type: typeof type === "string" ? type : "any",
      help: helpOf(shape) ?? "",
      ...(initial !== undefined && !isObject(initial) && { default: initial }),
      ...(Array.isArray(allowed) && { allowedValues: allowed as readonly string[] }),
      secret: metadataOf(shape).secret === true,
      reload: reloadKind(written),
    };
  });
}

export interface Lookup {
  readonly path: string;
  readonly schema: JsonObject;
  readonly reloadKind: "restart" | "hot" | "none";
  readonly hint: Hint;
  readonly hintPath: string;
  readonly children: readonly {
    readonly key: string;
    readonly path: string;
    readonly type?: string;
    readonly required: boolean;
    readonly hasChildren: boolean;
    readonly reloadKind: "restart" | "hot" | "none";
    readonly hint: Hint;
    readonly hintPath: string;
  }[];
}

/** One key and its direct children; undefined when the schema does not know the path. */
export function lookUp(path: string, whole = own): Lookup | undefined {
  const steps = parsePath(path);
  let shape: Shape | undefined = whole;
  for (const step of steps) shape = shape && childOf(shape, step);
  if (!shape) return undefined;
  const { properties: _, ...schema } = schemaOf(shape);
  const written = formatPath(steps);
  return {
    path: written,
    schema,
    reloadKind: reloadKind(written),
    hint: hintOf(steps, shape),
    hintPath: written,
    children: childrenOf(shape).map(([key, child]) => {
      const below = formatPath([...steps, key]);
      const { type } = schemaOf(child);
      return {
        key,
        path: below,
        ...(typeof type === "string" && { type }),
        required: child.type !== "optional",
        hasChildren: childrenOf(child).length > 0,
        reloadKind: reloadKind(below),
        hint: hintOf([...steps, key], child),
        hintPath: below,
      };
    }),
  };
}

function walk(shape: Shape, path: Path): readonly (readonly [Path, Shape])[] {
  return childrenOf(shape).flatMap(([key, child]) => {
    const below = [...path, key];
    return [...(helpOf(child) === undefined ? [] : [[below, child] as const]), ...walk(child, below)];
  });
}

function childrenOf(shape: Shape): readonly (readonly [string, Shape])[] {
  const inner = bare(shape);
  if (inner.entries) return Object.entries(inner.entries);
  const many = childOf(inner, "*");
  if (many) return [["*", many]];
  const object = inner.options?.find((option) => typeof option !== "string" && option.entries);
  return object === undefined || typeof object === "string" ? [] : childrenOf(object);
}

function hintOf(path: Path, shape: Shape): Hint {
  const help = helpOf(shape);
  return {
    label: path.map(title).join(" "),
    ...(help !== undefined && { help }),
    ...(metadataOf(shape).secret && { sensitive: true }),
  };
}

/** `allowedOrigins` as `Allowed Origins`. */
function title(step: string | number): string {
  const words = String(step).replace(/([a-z\d])([A-Z])/g, "$1 $2");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function schemaOf(shape: Shape): JsonObject {
  const help = helpOf(shape);
  return {
    ...typeOf(bare(shape)),
    ...limitsOf(shape),
    ...(help !== undefined && { description: help }),
    ...(shape.default !== undefined && { default: shape.default }),
  };
}

function typeOf(shape: Shape): JsonObject {
  if (shape.entries) {
    const required = Object.entries(shape.entries).flatMap(([key, child]) => (child.type === "optional" ? [] : [key]));
    return {
      type: "object",
      properties: Object.fromEntries(Object.entries(shape.entries).map(([key, child]) => [key, schemaOf(child)])),
      ...(required.length > 0 && { required }),
      additionalProperties: true,
    };
  }
  if (shape.type === "array" && shape.item) return { type: "array", items: schemaOf(shape.item) };
  if (shape.type === "record" && shape.value) return { type: "object", additionalProperties: schemaOf(shape.value) };
  if (shape.type === "picklist") return { type: "string", enum: shape.options };
  if (shape.type === "union")
    return { anyOf: (shape.options ?? []).flatMap((option) => (typeof option === "string" ? [] : schemaOf(option))) };
  return shape.type === "unknown" ? {} : { type: shape.type };
}

function limitsOf(shape: Shape): JsonObject {
  const out: JsonObject = {};
  for (const { type, requirement } of actions(shape)) {
    if (type === "integer") out["type"] = "integer";
    if (type === "min_value") out["minimum"] = requirement;
    if (type === "max_value") out["maximum"] = requirement;
    if (type === "regex" && requirement instanceof RegExp) out["pattern"] = requirement.source;
    if (type === "starts_with") out["pattern"] = `^${String(requirement)}`;
    if (type === "ipv4") out["format"] = "ipv4";
  }
  return out;
}
