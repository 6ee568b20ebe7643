import type { Served } from "../../src/host/socket.ts";
import { createHandlers, type Handlers } from "./handlers.ts";

export type { Handlers };

/**
 * The gateway as what `Bun.serve` is given: `Bun.serve(handlers(gateway))`, or its `fetch(request, server)` for some
 * paths of a server whose `websocket` it is. A larger body than `limits.maxBody` is for `maxRequestBodySize`.
 */
export function handlers(served: Served): Handlers {
  return createHandlers(served.limits, served.fetch);
}
