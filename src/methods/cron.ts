import * as v from "valibot";
import { agentsOf } from "../agent/roster.ts";
import { publicJob } from "../cron/job.ts";
import { jobEntries, jobPatch } from "../cron/job-input.ts";
import type { Cron } from "../cron/cron.ts";
import { countParam, textParam } from "../flow/params.ts";
import { Failure } from "../kit/error.ts";
import { method } from "./method.ts";

const job = v.looseObject({ id: v.string(), name: v.string(), enabled: v.boolean() });
const idEntries = {
  id: v.pipe(v.optional(textParam), v.description("The job's id.")),
  jobId: v.pipe(v.optional(textParam), v.description("The same, in an older spelling.")),
};
const page = { total: countParam, offset: countParam, limit: countParam, hasMore: v.boolean() };
const limit = v.optional(v.pipe(countParam, v.minValue(1), v.maxValue(200)), 50);
const offset = v.optional(countParam, 0);

export const cronMethods = [
  method({
    name: "cron.list",
    scope: "operator.read",
    summary: "Scheduled jobs, by when they run next.",
    params: () =>
      v.object({
        includeDisabled: v.pipe(v.optional(v.boolean(), false), v.description("Also those that are switched off.")),
        enabled: v.optional(v.picklist(["all", "enabled", "disabled"])),
        agentId: v.optional(textParam),
        query: v.pipe(v.optional(v.string()), v.description("Words in the name or description.")),
        limit,
        offset,
      }),
    result: () => v.looseObject({ jobs: v.array(job), ...page, nextOffset: v.nullable(countParam) }),
    async run({ app, params }) {
      const { includeDisabled, enabled = includeDisabled ? "all" : "enabled", agentId, query = "", ...range } = params;
      const words = query.trim().toLowerCase();
      const found = (await app.cron.list()).filter(
        (each) =>
          (enabled === "all" || each.enabled === (enabled === "enabled")) &&
          (agentId === undefined || (each.agentId ?? agentsOf(app.config.current().value)[0].id) === agentId) &&
          `${each.name} ${each.description ?? ""}`.toLowerCase().includes(words),
      );
      const { items, ...rest } = paged(found, range);
      return { jobs: items.map((each) => shown(each)), ...rest };
    },
  }),
  method({
    name: "cron.get",
    scope: "operator.read",
    summary: "One scheduled job.",
    params: () => v.object(idEntries),
    result: () => job,
    run: async ({ app, params }) => shown(await app.cron.get(idOf(params))),
  }),
  method({
    name: "cron.status",
    scope: "operator.read",
    summary: "Whether jobs run when they are due, and when the next is.",
    params: () => v.object({}),
    result: () =>
      v.object({
        enabled: v.boolean(),
        storePath: v.string(),
        jobs: countParam,
        nextWakeAtMs: v.nullable(v.number()),
      }),
    async run({ app: { cron, paths } }) {
      const jobs = (await cron.list()).filter(({ enabled }) => enabled);
      const [next] = jobs;
      return {
        enabled: cron.enabled,
        storePath: `${paths.state}/cron/jobs.json`,
        jobs: jobs.length,
        nextWakeAtMs: next?.state.nextRunAtMs ?? null,
      };
    },
  }),
  method({
    name: "cron.add",
    scope: "operator.admin",
    summary: "Makes a scheduled job.",
    params: () => v.object(jobEntries),
    result: () => job,
    run: async ({ app, params }) => shown(await app.cron.add(params)),
  }),
  method({
    name: "cron.update",
    scope: "operator.admin",
    summary: "Changes a scheduled job; null takes a value away.",
    params: () => v.object({ ...idEntries, patch: jobPatch }),
    result: () => job,
    run: async ({ app, params }) => shown(await app.cron.update(idOf(params), params.patch)),
  }),
  method({
    name: "cron.remove",
    scope: "operator.admin",
    summary: "Removes a scheduled job and the list of its runs.",
    params: () => v.object(idEntries),
    result: () => v.object({ ok: v.boolean(), removed: v.boolean() }),
    run: async ({ app, params }) => ({ ok: true, removed: await app.cron.remove(idOf(params)) }),
  }),
  method({
    name: "cron.run",
    scope: "operator.admin",
    summary: "Runs a job: now, or only when it is due.",
    params: () => v.object({ ...idEntries, mode: v.optional(v.picklist(["force", "due", "if-enabled"]), "force") }),
    result: () =>
      v.object({
        ok: v.boolean(),
        enqueued: v.optional(v.boolean()),
        ran: v.optional(v.boolean()),
        runId: v.optional(v.string()),
        reason: v.optional(v.string()),
        processInstanceId: v.string(),
      }),
    async run({ app: { cron, info }, params }) {
      const id = idOf(params);
      const { mode } = params;
      const answer = { ok: true, processInstanceId: info.bootId };
      if (mode === "if-enabled" && !(await cron.get(id)).enabled) return { ...answer, ran: false, reason: "disabled" };
      const begun = await cron.run(id, mode === "due" ? "due" : "force");
      return begun.begun
        ? { ...answer, enqueued: true, runId: begun.runId }
        : { ...answer, ran: false, reason: begun.reason };
    },
  }),
  method({
    name: "cron.runs",
    scope: "operator.read",
    summary: "What became of runs, newest first; the newest 200 of each job are kept.",
    params: () =>
      v.object({
        ...idEntries,
        scope: v.pipe(v.optional(v.picklist(["job", "all"])), v.description("One job's, or those of all.")),
        runId: v.optional(textParam),
        status: v.optional(v.picklist(["all", "ok", "error", "skipped"]), "all"),
        sortDir: v.optional(v.picklist(["asc", "desc"]), "desc"),
        limit,
        offset,
      }),
    result: () =>
      v.object({
        entries: v.array(v.looseObject({ ts: v.number(), jobId: v.string(), action: v.string() })),
        ...page,
        nextOffset: v.nullable(countParam),
      }),
    async run({ app, params }) {
      const { id = params.jobId, runId, status, sortDir, ...range } = params;
      if (id === undefined && params.scope === "job") idOf(params);
      const all = await app.cron.runs(params.scope === "all" ? undefined : id);
      const found = all.filter(
        (run) => (status === "all" || run.status === status) && (runId === undefined || run.runId === runId),
      );
      const { items, ...rest } = paged(sortDir === "asc" ? found.toReversed() : found, range);
      return { entries: items, ...rest };
    },
  }),
] as const;

function idOf({ id, jobId }: { readonly id?: string | undefined; readonly jobId?: string | undefined }): string {
  const named = id ?? jobId;
  if (named !== undefined) return named;
  throw new Failure("invalid-request", "id is missing: name the job, as cron.list has it");
}

function shown(each: Awaited<ReturnType<Cron["get"]>>) {
  return { ...publicJob(each), name: each.name, enabled: each.enabled };
}

function paged<T>(all: readonly T[], { limit: most, offset: from }: { limit: number; offset: number }) {
  const items = all.slice(from, from + most);
  const end = from + items.length;
  const hasMore = end < all.length;
  return { items: [...items], total: all.length, offset: from, limit: most, hasMore, nextOffset: hasMore ? end : null };
}
