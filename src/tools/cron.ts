import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import { parameters, tool } from "./tool.ts";

const record = v.record(v.string(), v.unknown());

/** Schedules work: reminders, questions at a time, things to look after. */
export const cron = tool({
  name: "cron",
  summary: "Schedule reminders and recurring work",
  description: [
    "Scheduled jobs of this agent. status, list, add (job), update (id, patch), remove (id), run (id), runs (id), wake (text, mode).",
    "A job is {name, schedule, sessionTarget, payload, delivery?, wakeMode?, enabled?}.",
    'schedule: {kind:"at", at:"2026-12-24T18:00:00Z"} once, {kind:"every", everyMs}, or {kind:"cron", expr:"0 7 * * 1-5", tz:"Europe/Vienna"}.',
    'sessionTarget "main" with payload {kind:"systemEvent", text} tells the main session, as a reminder; write the text so that it makes sense then.',
    'sessionTarget "isolated" with payload {kind:"agentTurn", message} has the message answered in a session of its own; delivery {mode:"announce"} sends the answer to this chat, {mode:"none"} to nobody.',
    "session_status tells the time now.",
  ].join("\n"),
  effect: "write",
  needs: "jobs",
  params: parameters(
    {
      action: v.pipe(
        v.picklist(["status", "list", "add", "update", "remove", "run", "runs", "wake"]),
        v.description("What to do."),
      ),
      id: v.pipe(v.optional(v.pipe(v.string(), v.maxLength(200))), v.description("The job, as list has it.")),
      job: v.pipe(v.optional(record), v.description("The job to add.")),
      patch: v.pipe(v.optional(record), v.description("What of the job is to be other.")),
      text: v.pipe(v.optional(v.pipe(v.string(), v.maxLength(4000))), v.description("What wake tells this session.")),
      mode: v.pipe(
        v.optional(v.picklist(["now", "next-heartbeat"]), "now"),
        v.description("Whether wake makes a turn of it at once, or tells it with the next one."),
      ),
    },
    { jobId: "id", data: "job" },
  ),
  async run({ action, ...given }, { jobs }) {
    if (!jobs) throw new Failure("unavailable", "there are no scheduled jobs in this session");
    const details = await jobs.act({ action, ...given });
    return { content: [{ type: "text", text: JSON.stringify(details) }], details };
  },
});
