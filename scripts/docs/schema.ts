import { toJsonSchema, type JsonSchema } from "@valibot/to-json-schema";
import type * as v from "valibot";

/** A schema as lines that a person reads: names, types, bounds, and what they say. */
export function shapeLines(schema: v.GenericSchema, side: "input" | "output"): readonly string[] {
  const converted = toJsonSchema(schema, {
    typeMode: side,
    errorMode: "ignore",
    // What only a function can check has no schema; where the protocol needs one, it is a whole object.
    overrideSchema: ({ valibotSchema }) => (valibotSchema.type === "custom" ? { type: "object" } : undefined),
  });
  // What is one of several shapes has each of them on lines of its own.
  const either = (converted.anyOf ?? []).map(subschema);
  if (!either.some(({ properties }) => properties)) return lines(converted, "");
  return either.flatMap((each, index) => [...(index === 0 ? [] : ["or"]), ...lines(each, "")]);
}

/** Whether it is an object of which nothing is known, not even a name. */
export function hasNoFields(schema: v.GenericSchema): boolean {
  return "entries" in schema && Object.keys(schema.entries ?? {}).length === 0;
}

/** A schema in one line. */
export function typeText(schema: JsonSchema): string {
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  const either = schema.anyOf ?? schema.oneOf;
  if (either) return [...new Set(either.map((each) => typeText(subschema(each))))].join(" | ");
  if (schema.allOf) return schema.allOf.map((each) => typeText(subschema(each))).join(" & ");
  if (schema.type === "array") return listOf(schema);
  if (schema.type === "object") return objectText(schema);
  if (schema.not) return "nothing";
  const type = typeof schema.type === "string" ? schema.type : "any";
  return [type, bounds(schema)].filter(Boolean).join(" ");
}

function lines(schema: JsonSchema, indent: string): readonly string[] {
  const entries = Object.entries(schema.properties ?? {});
  if (entries.length === 0) return [`${indent}${typeText(schema)}${note(schema)}`];
  const inside = `${indent}  `;
  return [
    `${indent}{`,
    ...entries.flatMap(([name, each]) => {
      const child = subschema(each);
      const optional = schema.required?.includes(name) === false;
      const [first = "", ...rest] = nested(child, inside);
      return [`${inside}${name}${optional ? "?" : ""}: ${first}`, ...rest];
    }),
    `${indent}}`,
  ];
}

/** The value of a property: objects, lists of them and nullable ones over several lines, everything else on one. */
function nested(schema: JsonSchema, indent: string): readonly string[] {
  if (schema.properties && Object.keys(schema.properties).length > 0) {
    const [, ...rest] = lines(schema, indent);
    return [`{${note(schema)}`, ...rest];
  }
  const item = schema.type === "array" ? subschema(schema.items) : undefined;
  if (item?.properties && Object.keys(item.properties).length > 0) {
    const rest = lines(item, indent).slice(1, -1);
    return [`{${note(schema)}`, ...rest, `${indent}}[]`];
  }
  return [`${typeText(schema)}${note(schema)}`];
}

function note({ description, default: preset }: JsonSchema): string {
  const notes = [
    ...(preset === undefined ? [] : [`Default: ${JSON.stringify(preset)}.`]),
    ...(description === undefined ? [] : [description]),
  ];
  return notes.length === 0 ? "" : `  # ${notes.join(" ")}`;
}

function listOf(schema: JsonSchema): string {
  const item = typeText(subschema(schema.items));
  const most = schema.maxItems === undefined ? "" : ` (at most ${schema.maxItems})`;
  return `${/[ |&]/.test(item) && !item.startsWith("{") ? `(${item})` : item}[]${most}`;
}

function objectText(schema: JsonSchema): string {
  const entries = Object.entries(schema.properties ?? {});
  if (entries.length > 0) {
    const fields = entries.map(([name, each]) => {
      const optional = schema.required?.includes(name) === false;
      return `${name}${optional ? "?" : ""}: ${typeText(subschema(each))}`;
    });
    return `{ ${fields.join(", ")} }`;
  }
  const more = schema.additionalProperties;
  if (typeof more === "object") return `{ [name]: ${typeText(more)} }`;
  return more === false ? "{}" : "object";
}

function bounds(schema: JsonSchema): string {
  const { minimum, maximum, minLength, maxLength } = schema;
  if (minimum !== undefined || maximum !== undefined) return `(${range(minimum, maximum)})`;
  // That a text is not empty goes without saying.
  if ((minLength ?? 0) <= 1 && maxLength === undefined) return "";
  return `(${range((minLength ?? 0) <= 1 ? undefined : minLength, maxLength)} characters)`;
}

function range(least: number | undefined, most: number | undefined): string {
  if (least === undefined) return `at most ${most}`;
  return most === undefined ? `from ${least}` : `${least} to ${most}`;
}

function subschema(value: unknown): JsonSchema {
  return typeof value === "object" && value !== null ? value : {};
}
