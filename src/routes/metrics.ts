import { expositionFor, expositions } from "../kit/exposition.ts";
import type { Route, RouteCall } from "./route.ts";

/**
 * Metrics for a scraper, where the configuration says so. What is spent and how much goes on is nobody's business who has
 * not the gateway's secret, on this machine either (threat G).
 */
async function metrics(call: RouteCall): Promise<Response> {
  const { app, request } = call;
  if (!app.metrics) return new Response("Not Found", { status: 404 });
  const refusal = await call.authorize();
  if (refusal) return refusal;
  const format = expositionFor(request.headers.get("accept") ?? "");
  return new Response(request.method === "HEAD" ? null : app.metrics(format), {
    headers: { "content-type": expositions[format], "cache-control": "no-store", vary: "accept" },
  });
}

const methods = ["GET", "HEAD"] as const;
const summary = "Metrics, by `diagnostics.metrics.enabled`: Prometheus text, or OpenMetrics when asked for.";

export const metricsRoutes: readonly Route[] = [
  { path: "/metrics", methods, summary, handle: metrics },
  // Where the reference's plugin answers.
  { path: "/api/diagnostics/prometheus", methods, summary, handle: metrics },
];
