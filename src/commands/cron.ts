import { ahead, jobCells, jobHead } from "../cli/cron-view.ts";
import { ago, span } from "../cli/format.ts";
import { columns } from "../cli/layout.ts";
import { clientOptions } from "../cli/options.ts";
import { at, listAt, numberAt, textAt } from "../cli/pick.ts";
import { ask, type ReachContext } from "../cli/reach.ts";
import { exit, Failure } from "../kit/error.ts";
import { command, type CommandContext } from "./command.ts";

const read = { scopes: ["operator.read"] };
const admin = { scopes: ["operator.admin"] };
const id = { name: "id", description: "The job's id, from `cron list`." };

/** Says whether jobs run, and when the next one does. */
export const cronStatus = command({
  path: ["cron", "status"],
  summary: "Show whether jobs run when they are due.",
  options: clientOptions,
  examples: [{ command: "cron status", description: "How many there are, and when the next one runs." }],
  async run(context) {
    const { output, host } = context;
    const status = await ask(context, "cron.status", {}, read);
    if (output.json) {
      output.data(status);
      return exit.ok;
    }
    const next = numberAt(status, "nextWakeAtMs");
    output.print(
      columns([
        ["Jobs run", at(status, "enabled") === true ? "yes" : "no"],
        ["Jobs", String(numberAt(status, "jobs") ?? 0)],
        ["Next", next === undefined ? "-" : ahead(next, host.clock.now())],
        ["Kept in", textAt(status, "storePath") ?? "-"],
      ]),
    );
    return exit.ok;
  },
});

/** Lists the scheduled jobs. */
export const cronList = command({
  path: ["cron", "list"],
  summary: "List scheduled jobs, by when they run next.",
  options: { all: { description: "Also those that are switched off." }, ...clientOptions },
  examples: [{ command: "cron list --all", description: "Every job, with the ids for the other commands." }],
  guides: ["automation"],
  async run(context) {
    const { output, host, options } = context;
    const list = await ask(context, "cron.list", { includeDisabled: options.all, limit: 200, offset: 0 }, read);
    const jobs = listAt(list, "jobs");
    if (output.json) output.data(list);
    else if (jobs.length === 0) output.print("No cron jobs.");
    else output.print(columns([[...jobHead], ...jobs.map((job) => jobCells(job, host.clock.now()))]));
    const more = (numberAt(list, "total") ?? 0) - jobs.length;
    if (more > 0) output.warn(`${more} more: --json has pages`);
    return exit.ok;
  },
});

/** Lists what became of runs. */
export const cronRuns = command({
  path: ["cron", "runs"],
  summary: "List what became of runs, newest first.",
  options: {
    id: { value: "<id>", description: "Only this job's." },
    limit: { value: "<n>", description: "How many at most.", number: { min: 1, max: 200 }, default: 50 },
    ...clientOptions,
  },
  examples: [{ command: "cron runs --id <id> --limit 5", description: "The last five runs of a job." }],
  async run(context) {
    const { output, host, options } = context;
    const list = await ask(context, "cron.runs", { id: options.id, limit: options.limit }, read);
    const runs = listAt(list, "entries");
    if (output.json) output.data(list);
    else if (runs.length === 0) output.print("No runs.");
    else {
      const rows = runs.map((run) => [
        ago(host.clock.now(), numberAt(run, "runAtMs") ?? numberAt(run, "ts")),
        textAt(run, "jobName") ?? textAt(run, "jobId") ?? "-",
        textAt(run, "status") ?? "-",
        span(numberAt(run, "durationMs") ?? 0),
        (textAt(run, "error") ?? textAt(run, "summary") ?? "").slice(0, 80),
      ]);
      output.print(columns([["When", "Job", "Status", "Took", "What"], ...rows]));
    }
    return exit.ok;
  },
});

/** Begins a run of a job. */
export const cronRun = command({
  path: ["cron", "run"],
  summary: "Run a job when it is due, or with --force now.",
  positionals: [id],
  options: { force: { description: "Whatever the time, and also when it is switched off." }, ...clientOptions },
  examples: [{ command: "cron run <id> --force", description: "Try a job without waiting for its time." }],
  async run(context) {
    const { output, options } = context;
    const answer = await ask(context, "cron.run", { id: first(context), mode: options.force ? "force" : "due" }, admin);
    if (output.json) output.data(answer);
    const begun = at(answer, "enqueued") === true;
    if (!output.json && begun) output.print(`✓ Running ${textAt(answer, "runId") ?? first(context)}.`);
    if (!output.json && !begun) output.warn(notRun[textAt(answer, "reason") ?? ""] ?? "the job was not run");
    return begun ? exit.ok : exit.failed;
  },
});

const notRun: Readonly<Record<string, string>> = {
  "already-running": "the job is running already",
  "not-due": "the job is not due: give --force to run it now",
};

/** Removes a job. */
export const cronRemove = command({
  path: ["cron", "rm"],
  summary: "Remove a job and the list of its runs.",
  positionals: [id],
  options: clientOptions,
  examples: [{ command: "cron rm <id>", description: "With an id from `cron list`." }],
  async run(context) {
    const answer = await ask(context, "cron.remove", { id: first(context) }, admin);
    if (at(answer, "removed") !== true) throw new Failure("not-found", `there is no job ${first(context)}`);
    return done(context, answer, `Removed ${first(context)}.`);
  },
});

/** Switches a job on. */
export const cronEnable = command({
  path: ["cron", "enable"],
  summary: "Switch a job on.",
  positionals: [id],
  options: clientOptions,
  examples: [{ command: "cron enable <id>", description: "With an id from `cron list --all`." }],
  run: (context) => change(context, true),
});

/** Switches a job off. */
export const cronDisable = command({
  path: ["cron", "disable"],
  summary: "Switch a job off; it is kept.",
  positionals: [id],
  options: clientOptions,
  examples: [{ command: "cron disable <id>", description: "With an id from `cron list`." }],
  run: (context) => change(context, false),
});

type IdContext = Pick<CommandContext, "args"> & ReachContext;

async function change(context: IdContext, enabled: boolean): Promise<number> {
  const job = await ask(context, "cron.update", { id: first(context), patch: { enabled } }, admin);
  return done(context, job, `${enabled ? "Enabled" : "Disabled"} ${textAt(job, "name") ?? first(context)}.`);
}

function done({ output }: IdContext, answer: unknown, text: string): number {
  if (output.json) output.data(answer);
  else output.print(`✓ ${text}`);
  return exit.ok;
}

function first({ args: [value = ""] }: Pick<CommandContext, "args">): string {
  return value;
}
