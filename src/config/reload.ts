import { configSchema, type Config } from "./schema.ts";
import type { Effect } from "./sections/section.ts";
import { parsePath } from "./path.ts";
import { childOf, metadataOf, type Shape, shapeOf } from "./shape.ts";

/** What a change at this written path needs, as the schema says; what it does not know goes with what holds it. */
export function effectOf(path: string): Effect {
  let effect: Effect = "restart";
  let shape: Shape | undefined = shapeOf(configSchema);
  for (const step of parsePath(path)) {
    shape = childOf(shape, step);
    if (!shape) break;
    effect = metadataOf(shape).reload ?? effect;
  }
  return effect;
}

/** The same in the words of the protocol. */
export function reloadKind(path: string): "restart" | "hot" | "none" {
  const effect = effectOf(path);
  return effect === "live" || effect === "part" ? "hot" : effect;
}

export type ReloadMode = Config["gateway"]["reload"]["mode"];

/**
 * The changed keys that a gateway restarts for: in mode `restart` each that needs anything, in `hot` and `off` none
 * unless whoever made the change asked for the restart.
 */
export function restartKeys(changedPaths: readonly string[], mode: ReloadMode, asked: boolean): readonly string[] {
  if (mode === "restart") return changedPaths.filter((path) => effectOf(path) !== "none");
  return mode === "hybrid" || asked ? changedPaths.filter((path) => effectOf(path) === "restart") : [];
}
