import type * as v from "valibot";
import type { KeyMetadata } from "./sections/section.ts";

/** A schema as far as walking through it needs: its kind and what it is made of. */
export interface Shape {
  readonly type: string;
  readonly entries?: Readonly<Record<string, Shape>>;
  readonly item?: Shape;
  readonly value?: Shape;
  readonly wrapped?: Shape;
  readonly default?: unknown;
  readonly options?: readonly (Shape | string)[];
  readonly pipe?: readonly Part[];
}

interface Part {
  readonly kind: string;
  readonly type: string;
  readonly description?: string;
  readonly metadata?: KeyMetadata;
  readonly requirement?: unknown;
}

/** A valibot schema as a Shape: the library's own objects, seen through the few members that are used here. */
export function shapeOf(schema: v.GenericSchema): Shape {
  return schema;
}

/** The shape without `optional` around it. */
export function bare(shape: Shape): Shape {
  return shape.wrapped ? bare(shape.wrapped) : shape;
}

/** Every action of the shape's pipes, outermost first. */
export function actions(shape: Shape): readonly Part[] {
  const own = (shape.pipe ?? []).filter((part) => part.kind !== "schema").toReversed();
  return shape.wrapped ? [...own, ...actions(shape.wrapped)] : own;
}

export function helpOf(shape: Shape): string | undefined {
  return actions(shape).find((part) => part.type === "description")?.description;
}

export function metadataOf(shape: Shape): KeyMetadata {
  const found = actions(shape).flatMap((part) => part.metadata ?? []);
  return Object.assign({}, ...found.toReversed());
}

/** The shape below a key or index; undefined where the schema says nothing. `*` stands for any of many. */
export function childOf(shape: Shape, step: string | number): Shape | undefined {
  const inner = bare(shape);
  if (inner.entries) return Object.hasOwn(inner.entries, step) ? inner.entries[step] : undefined;
  if (inner.type === "array") return inner.item;
  if (inner.type === "record") return inner.value;
  const object = inner.options?.find((option) => typeof option !== "string" && option.entries);
  return object === undefined || typeof object === "string" ? undefined : childOf(object, step);
}

/** Whether the shape lists the keys it knows, so that any other is unknown. */
export function knownKeys(shape: Shape): ReadonlySet<string> | undefined {
  const inner = bare(shape);
  if (inner.entries) return new Set(Object.keys(inner.entries));
  const object = inner.options?.find((option) => typeof option !== "string" && option.entries);
  return object === undefined || typeof object === "string" ? undefined : knownKeys(object);
}
