import * as v from "valibot";
import type { App, Connection } from "../app.ts";
import { Failure } from "../kit/error.ts";
import { isObject } from "../kit/json.ts";
import { Prepared, type Method } from "../methods/method.ts";
import { explain } from "../protocol/explain.ts";
import type { Request } from "../protocol/frame.ts";
import { allows, type Scope } from "../protocol/scope.ts";
import type { Dedupe } from "./dedupe.ts";

export interface Dispatcher {
  /**
   * Runs a request and answers the payload's JSON text, at once when the method answers at once. Throws, or rejects
   * with, what went wrong. A method of two responses gives the first one to `accept`.
   */
  run(request: Request, connection: Connection, { signal, accept }: RunOptions): string | Promise<string>;
}

export interface RunOptions {
  readonly signal: AbortSignal;
  readonly accept: (json: string) => void;
}

/** The one door to every method: name, role, scope, parameters, in this order (threat F). */
export function createDispatcher(app: App, methods: readonly Method[], dedupe: Dedupe): Dispatcher {
  const table = new Map(methods.map((method) => [method.name, method]));
  return {
    run({ method: name, params: raw }, connection, { signal, accept }) {
      const method = table.get(name);
      if (!method) throw new Failure("invalid-request", `unknown method: ${name}`);
      const { caller } = connection;
      if (!(method.roles ?? ["operator"]).includes(caller.role)) {
        throw new Failure("invalid-request", `unauthorized role: ${caller.role}`, {
          details: { code: "UNAUTHORIZED_ROLE" },
        });
      }
      // Parameters may ask for more than this, never for less: nobody's are looked at before.
      requireScope(typeof method.scope === "string" ? method.scope : "operator.write", caller.scopes);
      const parsed = v.safeParse(method.params, isObject(raw) ? raw : {});
      if (!parsed.success) {
        throw new Failure("invalid-request", `invalid ${name} params: ${explain(parsed.issues)}`);
      }
      const params = parsed.output;
      if (typeof method.scope === "function") requireScope(method.scope(params), caller.scopes);
      const first = (payload: object) => accept(toJson(payload));
      const run = () => method.run({ app, params, caller, connection, signal, accept: first });
      const key = method.idempotency && isObject(params) ? params["idempotencyKey"] : undefined;
      if (typeof key === "string") {
        const owner = caller.deviceId ?? caller.client.instanceId ?? caller.connId;
        return dedupe.once(JSON.stringify([owner, name, key]), async () => toJson(await run()));
      }
      const result = run();
      return result instanceof Promise ? result.then(toJson) : toJson(result);
    },
  };
}

function requireScope(scope: Scope | "none", granted: ReadonlySet<string>): void {
  if (scope === "none" || allows(granted, scope)) return;
  throw new Failure("forbidden", `missing scope: ${scope}`, {
    details: { code: "MISSING_SCOPE", missingScope: scope, requiredScopes: [scope] },
  });
}

function toJson(result: unknown): string {
  return result instanceof Prepared ? result.json : (JSON.stringify(result) ?? "null");
}
