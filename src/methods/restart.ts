import * as v from "valibot";
import type { App } from "../app.ts";
import { addressOf } from "../flow/address.ts";
import { keyParam } from "../flow/params.ts";
import { maxNote } from "../flow/restart-notes.ts";
import { Failure } from "../kit/error.ts";
import { method } from "./method.ts";

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const text = v.pipe(v.string(), v.maxLength(500));
const preflight = v.object({
  safe: v.boolean(),
  counts: v.object({
    queueSize: count,
    pendingReplies: count,
    embeddedRuns: count,
    activeTasks: count,
    totalActive: count,
  }),
  blockers: v.array(v.object({ kind: v.string(), count, message: v.string() })),
  summary: v.string(),
});

export const restartMethods = [
  method({
    name: "gateway.restart.preflight",
    scope: "operator.read",
    summary: "What a restart would wait for.",
    params: () => v.object({}),
    result: () => preflight,
    run: ({ app }) => preflightOf(app),
  }),
  method({
    name: "gateway.restart.request",
    scope: "operator.admin",
    summary: "Restarts the gateway in its process. Running turns may end first; whoever connects meanwhile waits.",
    params: () =>
      v.object({
        reason: v.pipe(v.optional(text), v.description("A word for the log.")),
        target: v.pipe(
          v.optional(v.looseObject({ pid: v.number(), port: v.optional(v.number()) })),
          v.description("The process that is meant: any other refuses."),
        ),
        sessionKey: v.pipe(v.optional(keyParam), v.description("The session that asks; it is told after the restart.")),
        note: v.pipe(
          v.optional(v.pipe(v.string(), v.maxLength(maxNote))),
          v.description("What that session is told too."),
        ),
        skipDeferral: v.pipe(
          v.optional(v.boolean()),
          v.description("Accepted; running turns have their time all the same."),
        ),
      }),
    result: () =>
      v.object({
        ok: v.boolean(),
        status: v.picklist(["scheduled", "deferred"]),
        preflight,
        restart: v.object({ ok: v.boolean(), pid: v.number(), delayMs: count, mode: v.string() }),
      }),
    async run({ app, params: { reason, target, sessionKey, note }, caller }) {
      const { restart } = app;
      if (!restart)
        throw new Failure("unavailable", "this gateway is a part of another program: restart that", {
          retryable: false,
        });
      const { pid, port } = app.info;
      if (target && (target.pid !== pid || (target.port ?? port) !== port))
        throw new Failure("conflict", `this gateway is pid ${pid} on port ${port}, not the one that is to restart`);
      if (sessionKey !== undefined) {
        const { key } = addressOf(app, sessionKey);
        await app.tellAfterRestart({ sessionKey: key, by: "gateway.restart.request", note });
      }
      const before = preflightOf(app);
      // The answer goes out first.
      app.clock.after(0, () => restart(`restart asked for by ${caller.client.id}${reason ? `: ${reason}` : ""}`));
      return {
        ok: true,
        status: before.safe ? ("scheduled" as const) : ("deferred" as const),
        preflight: before,
        restart: { ok: true, pid, delayMs: 0, mode: "in-process" },
      };
    },
  }),
] as const;

/** Only turns that run hold a restart up: what waits for its turn is on the disk. */
function preflightOf({ turns }: App): v.InferOutput<typeof preflight> {
  const { running, queued } = turns.load;
  return {
    safe: running === 0,
    counts: { queueSize: queued, pendingReplies: 0, embeddedRuns: running, activeTasks: 0, totalActive: running },
    blockers:
      running === 0 ? [] : [{ kind: "embedded-run", count: running, message: `${running} running turn(s) end first` }],
    summary: running === 0 ? "safe to restart now" : `a restart waits for ${running} running turn(s)`,
  };
}
