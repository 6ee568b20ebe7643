import { clientOptions } from "../cli/options.ts";
import { at, listAt, numberAt, textAt } from "../cli/pick.ts";
import { logLine, showLine } from "../cli/log-line.ts";
import { ask } from "../cli/reach.ts";
import { Failure } from "../kit/error.ts";
import { atLeast } from "../kit/log.ts";
import { command, type CommandContext } from "./command.ts";

const options = {
  ...clientOptions,
  limit: { value: "<n>", description: "How many lines at most.", number: { min: 1, max: 5000 }, default: 200 },
  "max-bytes": {
    value: "<n>",
    description: "How many bytes of the file at most.",
    number: { min: 1, max: 1_000_000 },
    default: 250_000,
  },
  follow: { description: "Go on with what is written from now on." },
  interval: {
    value: "<ms>",
    description: "How often to look, with --follow.",
    number: { min: 50, max: 3_600_000 },
    default: 1000,
  },
  plain: { description: "The lines as they are in the file." },
} as const;

type Context = CommandContext<typeof options>;

/** Shows the gateway's log, asked for over its own connection, so that it works from elsewhere too. */
export const logs = command({
  path: ["logs"],
  summary: "Show the gateway's log.",
  options,
  examples: [
    { command: "logs --follow", description: "Go on until interrupted." },
    { command: "logs --limit 50 --json", description: "One JSON object a line." },
  ],
  async run(context) {
    let cursor = await first(context);
    while (context.options.follow && !context.signal.aborted) {
      if (!(await pause(context))) break;
      cursor = await next(context, cursor);
    }
    return 0;
  },
});

async function first(context: Context): Promise<number | undefined> {
  const { output, program } = context;
  try {
    const tail = await readTail(context, undefined);
    const file = textAt(tail, "file") ?? "";
    if (output.json) {
      output.data(
        { type: "meta", file, cursor: numberAt(tail, "cursor"), size: numberAt(tail, "size") },
        { line: true },
      );
    } else if (!context.options.plain) output.print(`Log file: ${file}`);
    return show(context, tail);
  } catch (error) {
    const failure = Failure.from(error);
    if (failure.code !== "failed" && failure.code !== "timeout") throw failure;
    throw new Failure("failed", "Gateway not reachable. Is it running and accessible?", {
      hints: [failure.message, ...failure.hints, `Hint: run \`${program} doctor\`.`],
      cause: failure,
    });
  }
}

/** While following, a gateway that is away for a while (a restart) is waited for. */
async function next(context: Context, cursor: number | undefined): Promise<number | undefined> {
  try {
    return show(context, await readTail(context, cursor));
  } catch (error) {
    const failure = Failure.from(error);
    if (!failure.retryable) throw failure;
    notice(context, `${failure.message}; trying again`);
    return cursor;
  }
}

function readTail(context: Context, cursor: number | undefined): Promise<unknown> {
  const { limit, "max-bytes": maxBytes } = context.options;
  const params = { limit, maxBytes, ...(cursor === undefined ? {} : { cursor }) };
  return ask(context, "logs.tail", params, { scopes: ["operator.read"] });
}

function show(context: Context, tail: unknown): number | undefined {
  if (at(tail, "reset") === true) notice(context, "the log file was rotated");
  if (at(tail, "truncated") === true) notice(context, "older lines are left out; raise --limit or --max-bytes");
  for (const raw of listAt(tail, "lines")) if (typeof raw === "string") line(context, raw);
  return numberAt(tail, "cursor");
}

function line({ output, options: { plain }, global }: Context, raw: string): void {
  const parsed = logLine(raw);
  const threshold = global["log-level"];
  if (threshold && parsed && !atLeast(parsed.level, threshold)) return;
  if (output.json) output.data(parsed ? { type: "log", ...parsed, raw } : { type: "raw", raw }, { line: true });
  else output.print(showLine(plain ? undefined : parsed, raw, output.style));
}

function notice({ output }: Context, message: string): void {
  if (output.json) output.data({ type: "notice", message }, { line: true });
  else output.warn(message);
}

async function pause({ host, options: { interval }, signal }: Context): Promise<boolean> {
  try {
    await host.clock.sleep(interval, signal);
    return true;
  } catch (error) {
    if (signal.aborted) return false; // interrupted: the usual end of following
    throw error;
  }
}
