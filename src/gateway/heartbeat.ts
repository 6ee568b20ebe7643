import type { Heartbeat } from "../app.ts";

/** The heartbeat's switch and its last event. Nothing beats until an agent runs here, so there is no event yet. */
export function createHeartbeat(): Heartbeat {
  return { enabled: true, last: () => null };
}
