import type { App } from "../app.ts";
import type { Webhook } from "../channels/channel.ts";
import type { Locality } from "../gateway/locality.ts";

/** One HTTP path on the gateway's port. What is not declared here is 404. */
export interface Route {
  /** `/*` is every path that no other route has. */
  readonly path: string;
  readonly methods: readonly ("GET" | "HEAD" | "POST")[];
  readonly summary: string;
  handle(call: RouteCall): Response | Promise<Response>;
}

/** A way in below a path that is configured, for callers with a secret of its own. */
export interface Door extends Webhook {
  /** The refusal of a caller, by the head of the request alone; undefined for one who may come in. */
  admit?(request: Request): Promise<Response | undefined>;
}

export interface RouteCall {
  readonly app: App;
  readonly request: Request;
  readonly from: Locality;
  /** The refusal of a caller that does not prove itself by a bearer token or its proxy's word; undefined when it does. */
  authorize(): Promise<Response | undefined>;
}
