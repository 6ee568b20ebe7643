import type * as v from "valibot";
import type { methods } from "../methods/index.ts";

// The table is read as types only: a wrong name or parameter does not compile, and nothing of the server is loaded.
type Table = typeof methods;
type AnyMethod = Table extends readonly (infer M)[] ? M : Table[keyof Table];
type Named<N> = Extract<AnyMethod, { readonly name: N }>;
type Schema<M, K extends string> = M extends { readonly [key in K]: infer S extends v.GenericSchema } ? S : never;

/** The name of a method that a gateway of this version has. */
export type MethodName = AnyMethod extends { readonly name: infer N extends string } ? N : never;

/** What the method takes. */
export type ParamsOf<N extends MethodName> = v.InferInput<Schema<Named<N>, "params">>;

/** What the method answers. A gateway of another version may answer otherwise: readers check what they show. */
export type ResultOf<N extends MethodName> = v.InferOutput<Schema<Named<N>, "result">>;
