import { metricsRoutes } from "./metrics.ts";
import { pageRoutes } from "./page.ts";
import { probeRoutes } from "./probes.ts";
import type { Route } from "./route.ts";

/** Everything that answers HTTP, in one table: the first that has the path. */
export const routes: readonly Route[] = [...probeRoutes, ...metricsRoutes, ...pageRoutes];
