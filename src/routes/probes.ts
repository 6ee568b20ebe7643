import type { Route, RouteCall } from "./route.ts";

const methods = ["GET", "HEAD"] as const;

/** Is the process alive and its loop turning? Answers to anybody, and says nothing else (protocol.md 9). */
const live = ({ request }: RouteCall): Response => json(request, 200, { ok: true, status: "live" });

/**
 * Should this gateway be sent work? 503 while a part that must work has failed or is still starting. Callers on this
 * machine, and others with the gateway's secret, also learn which, and the state of every part.
 */
async function ready(call: RouteCall): Promise<Response> {
  const { app, request, from } = call;
  const proves = !from.local && /^bearer\b/i.test(request.headers.get("authorization") ?? "");
  const refusal = proves ? await call.authorize() : undefined;
  if (refusal) return refusal;
  const parts = app.health.parts();
  const failing = parts.filter(({ state }) => state === "failed" || state === "starting").map(({ part }) => part);
  const body =
    from.local || proves
      ? { ready: failing.length === 0, failing, uptimeMs: Math.round(app.clock.now() - app.info.startedAt), parts }
      : { ready: failing.length === 0 };
  return json(request, failing.length === 0 ? 200 : 503, body);
}

export const probeRoutes: readonly Route[] = [
  { path: "/health", methods, summary: "Liveness.", handle: live },
  { path: "/healthz", methods, summary: "Liveness.", handle: live },
  {
    path: "/ready",
    methods,
    summary: "Readiness, with the state of each part for local and authenticated callers.",
    handle: ready,
  },
  {
    path: "/readyz",
    methods,
    summary: "Readiness, with the state of each part for local and authenticated callers.",
    handle: ready,
  },
];

function json(request: Request, status: number, body: unknown): Response {
  return new Response(request.method === "HEAD" ? null : JSON.stringify(body), {
    status,
    headers: { "content-type": "application/json; charset=utf-8", "cache-control": "no-store" },
  });
}
