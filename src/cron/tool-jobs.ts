import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import { uuid } from "../kit/ids.ts";
import type { Sessions } from "../session/sessions.ts";
import type { ToolJobs, ToolUser } from "../tools/tool.ts";
import type { Cron } from "./cron.ts";
import { publicJob, type Job } from "./job.ts";
import { jobEntries, jobPatch, type JobInput, type JobPatch } from "./job-input.ts";
import type { SystemEvents } from "./system-events.ts";

export interface ToolJobsOptions {
  readonly cron: Cron;
  readonly events: Pick<SystemEvents, "add">;
  readonly sessions: Pick<Sessions, "get">;
  /** The full key of the agent's main session. */
  readonly mainKey: string;
  /** Whose job one is that names no agent. */
  readonly defaultAgentId: string;
  wake(sessionKey: string): void;
}

/**
 * Scheduled jobs as far as an agent may use them from a session: from its main session all of its own, from any other
 * one those that were made there. What it makes can tell nobody whom its answers there do not reach (threat F).
 * Undefined for sessions of hooks: what came in from outside leaves nothing behind that goes on by itself.
 */
export function toolJobs(options: ToolJobsOptions, user: ToolUser): ToolJobs | undefined {
  const { cron, events, sessions, mainKey, defaultAgentId } = options;
  if (/^agent:[^:]+:hook:/.test(user.sessionKey)) return undefined;
  const isMain = user.sessionKey === mainKey;

  function isOwn({ agentId = defaultAgentId, sessionKey }: Job): boolean {
    return agentId === user.agentId && (isMain || sessionKey === user.sessionKey);
  }

  async function own(id: string | undefined): Promise<Job> {
    if (id === undefined) throw new Failure("invalid-request", "id is missing: list has the ids of jobs");
    const job = (await cron.list()).find((each) => each.id === id);
    if (job && isOwn(job)) return job;
    throw new Failure("not-found", `there is no job ${JSON.stringify(id.slice(0, 100))} here: list has the ids`);
  }

  /** Throws `forbidden` for what would reach somebody else than whoever is in this session. */
  function checkReach({ sessionTarget, delivery }: Pick<JobPatch, "sessionTarget" | "delivery">): void {
    if (sessionTarget === "main" && !isMain)
      throw new Failure("forbidden", "sessionTarget main is for jobs made in the main session: write isolated");
    const { channel = "last", to } = delivery ?? {};
    if (delivery?.mode !== "announce" || (channel === "last" && to === undefined)) return;
    const here = sessions.get(user.sessionKey)?.delivery;
    if (here && channel === here.channel && (to ?? here.to) === here.to) return;
    throw new Failure("forbidden", "delivery names another chat than this one: leave channel and to out");
  }

  return {
    async act({ action, id, job, patch, text, mode }) {
      if (action === "status") return { enabled: cron.enabled, jobs: (await cron.list()).filter(isOwn).length };
      if (action === "list") return { jobs: (await cron.list()).filter(isOwn).map(publicJob) };
      if (action === "add") {
        const input = parsed(jobInput, { wakeMode: "now", ...job }, "job");
        checkReach(input);
        return publicJob(await cron.add({ ...input, agentId: user.agentId, sessionKey: user.sessionKey }));
      }
      if (action === "wake") {
        if (text === undefined || text.trim() === "") throw new Failure("invalid-request", "text is missing");
        await events.add({ id: `wake:${uuid()}`, sessionKey: user.sessionKey, text, now: mode === "now" });
        if (mode === "now") options.wake(user.sessionKey);
        return { ok: true };
      }
      const { id: known } = await own(id);
      if (action === "remove") return { removed: await cron.remove(known) };
      if (action === "run") return cron.run(known, "force");
      if (action === "runs") return { runs: (await cron.runs(known)).slice(0, SHOWN) };
      const { agentId: _, sessionKey: __, ...changes } = parsed(jobPatch, patch ?? {}, "patch");
      checkReach(changes);
      return publicJob(await cron.update(known, changes));
    },
  };
}

const SHOWN = 20;
const jobInput: v.GenericSchema<unknown, JobInput> = v.object(jobEntries);

function parsed<T>(schema: v.GenericSchema<unknown, T>, value: unknown, what: string): T {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = [what, ...(issue.path ?? []).map(({ key }) => String(key))].join(".");
  throw new Failure("invalid-request", `${path}: ${issue.message}`);
}
