import { isObject, type JsonObject, parseJson } from "../kit/json.ts";
import type { Usage } from "../session/message.ts";
import type { Cost } from "./provider.ts";

/** Tokens and what they cost by the model's prices; anything but a positive number counts as none. */
export function usageOf(
  prices: Cost,
  counts: { input: unknown; output: unknown; cacheRead?: unknown; cacheWrite?: unknown },
): Usage {
  const tokens = (count: unknown): number =>
    typeof count === "number" && Number.isFinite(count) && count > 0 ? Math.round(count) : 0;
  const [input, output] = [tokens(counts.input), tokens(counts.output)];
  const [cacheRead, cacheWrite] = [tokens(counts.cacheRead), tokens(counts.cacheWrite)];
  const cost = {
    input: (input * prices.input) / 1e6,
    output: (output * prices.output) / 1e6,
    cacheRead: (cacheRead * prices.cacheRead) / 1e6,
    cacheWrite: (cacheWrite * prices.cacheWrite) / 1e6,
  };
  return {
    input,
    output,
    cacheRead,
    cacheWrite,
    totalTokens: input + output + cacheRead + cacheWrite,
    cost: { ...cost, total: cost.input + cost.output + cost.cacheRead + cost.cacheWrite },
  };
}

const INVALID = "__invalid";

/** A call's arguments from their JSON text, no text meaning none; `invalidArguments` when it is no object. */
export function argumentsOf(raw: string): JsonObject {
  const value = raw.trim() === "" ? {} : parseJson(raw);
  return isObject(value) ? value : invalidArguments(raw);
}

/** Stands for arguments that are not an object in JSON: the start of what the model wrote, for it to be told. */
export function invalidArguments(raw: string): JsonObject {
  return { [INVALID]: raw.slice(0, 2000) };
}

/** Whether a call's arguments are `invalidArguments`: the tool must not run. */
export function isInvalidArguments(args: JsonObject): boolean {
  return Object.keys(args).length === 1 && typeof args[INVALID] === "string";
}

/** The count under a key of what a provider sent; 0 when there is none or nothing sensible. */
export function countIn(object: unknown, key: string): number {
  const value = isObject(object) ? object[key] : undefined;
  return typeof value === "number" && Number.isFinite(value) && value > 0 ? value : 0;
}
