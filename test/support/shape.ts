/**
 * What a JSON value looks like, as JSON itself: the name of its type or several with `|` between them, an object of
 * shapes where `?` ends the names of those that may be absent, or a list of the shapes that its elements have. Elements
 * of different roles or types are different shapes: there `role` and `type` are `=` and their value. An object with the
 * one field `?` is an element that not every such list has.
 */
export type Shape = string | readonly Shape[] | { readonly [field: string]: Shape };

export function shapeOf(value: unknown): Shape {
  if (value === null) return "null";
  if (Array.isArray(value)) return value.map(elementShape).reduce<readonly Shape[]>(withElement, []);
  if (isRecord(value)) return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, shapeOf(each)]));
  return typeof value;
}

/** The shape that both fit. */
export function merge(one: Shape, other: Shape): Shape {
  if (isList(one) && isList(other)) return mergeLists(one, other);
  if (isFields(one) && isFields(other)) {
    const names = new Set([...Object.keys(one), ...Object.keys(other)].map(plain));
    return Object.fromEntries(
      [...names].map((name): [string, Shape] => {
        const [a, b] = [one[name] ?? one[`${name}?`], other[name] ?? other[`${name}?`]];
        const required = name in one && name in other;
        return [required ? name : `${name}?`, a && b ? merge(a, b) : (a ?? b ?? "null")];
      }),
    );
  }
  // What is null at times is a thing that may be absent: nothing more can be asked of it than of what it else is.
  if (one === "null" && typeof other !== "string") return other;
  if (other === "null" && typeof one !== "string") return one;
  return [...new Set([word(one), word(other)].flatMap((each) => each.split("|")))].toSorted().join("|");
}

/** Where a value does not have what the shape says, each as a path and what is wrong there. What it has more is no matter. */
export function differences(shape: Shape, value: unknown, path = ""): readonly string[] {
  if (typeof shape === "string") {
    const allowed = shape.split("|");
    if (allowed.includes("null") && (value === undefined || allowed.length === 1)) return [];
    const found = value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
    return allowed.includes(found) || shape.startsWith("=") ? [] : [`${path} is ${found} and not ${shape}`];
  }
  if (isList(shape)) {
    if (!Array.isArray(value)) return [`${path} is ${kindOf(value)} and not array`];
    return shape.flatMap((wanted) => {
      const each = always(wanted);
      const elements = value.filter((element) => isOf(each, element));
      const at = `${path}[${nameOf(each)}]`;
      if (elements.length === 0) return each === wanted ? [`${at} is missing`] : [];
      return [...new Set(elements.flatMap((element) => differences(each, element, at)))];
    });
  }
  if (!isRecord(value)) return [`${path} is ${kindOf(value)} and not object`];
  return Object.entries(shape).flatMap(([name, each]) => {
    const at = path === "" ? plain(name) : `${path}.${plain(name)}`;
    const field = value[plain(name)];
    if (field !== undefined || isNullable(each)) return differences(each, field, at);
    return name.endsWith("?") ? [] : [`${at} is missing`];
  });
}

const tags = ["role", "type"] as const;

function elementShape(value: unknown): Shape {
  const shape = shapeOf(value);
  if (!isFields(shape) || !isRecord(value)) return shape;
  const marks = tags.flatMap((tag): [string, Shape][] => {
    const mark = value[tag];
    return typeof mark === "string" ? [[tag, `=${mark}`]] : [];
  });
  return { ...shape, ...Object.fromEntries(marks) };
}

function withElement(list: readonly Shape[], element: Shape): readonly Shape[] {
  const known = list.find((each) => isAlike(each, element));
  return known === undefined ? [...list, element] : list.with(list.indexOf(known), merge(known, element));
}

function mergeLists(one: readonly Shape[], other: readonly Shape[]): readonly Shape[] {
  const all = [...one, ...other].map(always).reduce<readonly Shape[]>(withElement, []);
  return all.map((element) => {
    const isInBoth = [one, other].every((list) => list.some((each) => isAlike(each, element)));
    return isInBoth ? element : { "?": element };
  });
}

/** The shape of an element where it is. */
function always(element: Shape): Shape {
  return (isFields(element) && element["?"]) || element;
}

function isAlike(one: Shape, other: Shape): boolean {
  return !isFields(one) === !isFields(other) && nameOf(one) === nameOf(other);
}

/** What tells an element's shape from the others of its list. */
function nameOf(shape: Shape): string {
  if (!isFields(shape)) return "";
  return tags.flatMap((tag) => (typeof shape[tag] === "string" ? [shape[tag].slice(1)] : [])).join(" ");
}

function isOf(shape: Shape, value: unknown): boolean {
  if (!isFields(shape)) return true;
  return tags.every((tag) => {
    const mark = shape[tag];
    return typeof mark !== "string" || !mark.startsWith("=") || (isRecord(value) && value[tag] === mark.slice(1));
  });
}

function isNullable(shape: Shape): boolean {
  return typeof shape === "string" && shape.split("|").includes("null");
}

function isList(shape: Shape): shape is readonly Shape[] {
  return Array.isArray(shape);
}

function isFields(shape: Shape): shape is { readonly [field: string]: Shape } {
  return typeof shape === "object" && !Array.isArray(shape);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function word(shape: Shape): string {
  return typeof shape === "string" ? shape : isList(shape) ? "array" : "object";
}

function kindOf(value: unknown): string {
  return value === undefined ? "missing" : value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
}

function plain(name: string): string {
  return name.replace(/\?$/, "");
}
