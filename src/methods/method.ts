import type * as v from "valibot";
import type { App, Connection } from "../app.ts";
import type { Caller } from "../protocol/caller.ts";
import type { Role, Scope } from "../protocol/scope.ts";

/**
 * One RPC method, declared once: who may call it, its shape, its documentation and what it does. The dispatcher checks
 * role and scope, parses `params`, and turns the outcome into a response; the client is typed from the same table.
 */
export interface Method<
  N extends string = string,
  P extends v.GenericSchema = v.GenericSchema,
  R extends v.GenericSchema = v.GenericSchema,
> {
  readonly name: N;
  /** The scope it needs; `none` for what any connected caller may ask; a function where the parameters decide whether it is more than `operator.write`. */
  readonly scope: Scope | "none" | ScopeOf<v.InferOutput<P>>;
  /** Roles that may call it; operators alone when absent. */
  readonly roles?: readonly Role[];
  /** `required` and `optional` answer a repeated `idempotencyKey` from memory (protocol.md 6.1). */
  readonly idempotency?: "required" | "optional";
  /** Left out of `hello-ok.features.methods`, as the reference does for some (protocol.md 2.3). */
  readonly unlisted?: boolean;
  /** A sentence for the reference page. */
  readonly summary: string;
  readonly params: P;
  readonly result: R;
  run(call: Call<v.InferOutput<P>>): v.InferInput<R> | Prepared | Promise<v.InferInput<R> | Prepared>;
}

/** Chooses the scope. Written as a member so that the table's methods, each with parameters of its own, are `Method`s. */
type ScopeOf<P> = { choose(params: P): Scope | "none" }["choose"];

/** A request on its way through a method. */
export interface Call<P> {
  readonly app: App;
  readonly params: P;
  readonly caller: Caller;
  /** The caller's connection, for what belongs to it: subscriptions, second responses. */
  readonly connection: Connection;
  /** Aborted when the connection closes. */
  readonly signal: AbortSignal;
  /**
   * Sends this as a first response; what `run` answers is then the second one, under the same id (protocol.md 6.2). Once
   * at most, and not from a method with `idempotency`, whose answer others may be given too.
   */
  readonly accept: (payload: object) => void;
}

/** A result that is already JSON text, for answers that many callers get and that rarely change. */
export class Prepared {
  readonly json: string;
  constructor(json: string) {
    this.json = json;
  }
}

/** A method as it is written down: its shapes are functions, so that a start makes none of them. */
type Declared<N extends string, P extends v.GenericSchema, R extends v.GenericSchema> = Omit<
  Method<N, P, R>,
  "params" | "result"
> & {
  readonly params: () => P;
  readonly result: () => R;
};

/** Declares a method; keeps the exact types of its schemas for the client. */
export function method<const N extends string, P extends v.GenericSchema, R extends v.GenericSchema>(
  declared: Declared<N, P, R>,
): Method<N, P, R> {
  let [params, result]: [P?, R?] = [];
  return {
    ...declared,
    get params() {
      return (params ??= declared.params());
    },
    get result() {
      return (result ??= declared.result());
    },
  };
}
