import * as v from "valibot";
import { agentsOf } from "../agent/roster.ts";
import { addressOfAgent, mainKeyOf } from "../flow/address.ts";
import { countParam, textParam } from "../flow/params.ts";
import { uuid } from "../kit/ids.ts";
import { method } from "./method.ts";

const states = ["queued", "running", "completed", "failed", "cancelled", "timed_out"] as const;
const state = v.picklist(states);

export const jobMethods = [
  method({
    name: "tasks.list",
    scope: "operator.read",
    summary: "Work that goes on unasked: the runs of scheduled jobs.",
    params: () =>
      v.object({
        agentId: v.optional(v.string()),
        sessionKey: v.optional(v.string()),
        status: v.optional(v.union([state, v.array(state)])),
        limit: v.optional(countParam, 50),
        cursor: v.optional(v.string()),
      }),
    result: () => v.object({ tasks: v.array(v.looseObject({ id: v.string() })) }),
    run({ app, params: { agentId, sessionKey, status, limit } }) {
      const wanted = status === undefined ? states : [status].flat();
      const tasks = app.cron.running().map(({ job, runId, startedAt }) => {
        const owner = job.agentId ?? agentsOf(app.config.current().value)[0].id;
        return {
          id: runId,
          kind: "cron",
          status: "running" as const,
          title: job.name,
          agentId: owner,
          runId,
          sessionKey: mainKeyOf(app, owner),
          sourceId: job.id,
          createdAt: startedAt,
          startedAt,
        };
      });
      const found = tasks.filter(
        (task) =>
          wanted.includes(task.status) &&
          (agentId === undefined || task.agentId === agentId) &&
          (sessionKey === undefined || task.sessionKey === sessionKey),
      );
      return { tasks: found.slice(0, limit) };
    },
  }),
  method({
    name: "wake",
    scope: "operator.write",
    summary: "Tells a session something: at once, or with its next turn.",
    params: () =>
      v.object({
        text: v.pipe(textParam, v.maxLength(4000), v.description("What it is told.")),
        mode: v.pipe(v.picklist(["now", "next-heartbeat"]), v.description("Whether a turn is made of it at once.")),
        sessionKey: v.pipe(v.optional(textParam), v.description("The session; the main one when left out.")),
        agentId: v.optional(textParam),
      }),
    result: () => v.object({ ok: v.boolean() }),
    async run({ app, params: { text, mode, sessionKey = "main", agentId } }) {
      const { key } = addressOfAgent(app, sessionKey, agentId);
      const now = mode === "now";
      await app.systemEvents.add({ id: `wake:${uuid()}`, sessionKey: key, text, now });
      if (now) app.heartbeat.wake(key);
      return { ok: true };
    },
  }),
] as const;
