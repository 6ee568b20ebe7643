import * as v from "valibot";
import { Failure } from "../kit/error.ts";

/** A network's answer in the shape that it promised; with another one nobody knows what was done: a `timeout`. */
export function understood<const S extends v.GenericSchema>(
  schema: S,
  { label, answer }: { readonly label: string; readonly answer: unknown },
): v.InferOutput<S> {
  const parsed = v.safeParse(schema, answer);
  if (parsed.success) return parsed.output;
  throw new Failure("timeout", `${label} answered something that is not understood`);
}
