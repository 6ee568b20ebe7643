import { metricsRoutes } from "./metrics.ts";
import { probeRoutes } from "./probes.ts";
import type { Route } from "./route.ts";

/** Everything that answers HTTP, in one table. */
export const routes: readonly Route[] = [...probeRoutes, ...metricsRoutes];
