import type { App } from "../app.ts";
import { metricsRoutes } from "./metrics.ts";
import { pageRoutes } from "./page.ts";
import { probeRoutes } from "./probes.ts";
import { hooksAt } from "./hooks.ts";
import type { Door, Route } from "./route.ts";

/** Everything that answers HTTP, in one table: the first that has the path. */
export const routes: readonly Route[] = [...probeRoutes, ...metricsRoutes, ...pageRoutes];

/** The way in at a path that the configuration decides; undefined where there is none. */
export function doorAt(app: App, path: string): Door | undefined {
  return app.networks.webhook(path) ?? hooksAt(app, path);
}

export { hooksRefused } from "./hooks.ts";
