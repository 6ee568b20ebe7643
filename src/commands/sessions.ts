import { ago } from "../cli/format.ts";
import { short } from "../kit/amounts.ts";
import { clean, cleanLines, columns } from "../cli/layout.ts";
import { clientOptions } from "../cli/options.ts";
import { at, listAt, numberAt, stringAt, textAt } from "../cli/pick.ts";
import { ask, type ReachContext } from "../cli/reach.ts";
import { saidIn } from "../cli/run-news.ts";
import { exit, Failure } from "../kit/error.ts";
import { command, type CommandContext } from "./command.ts";
import { rowCells, rowJson } from "./sessions-row.ts";

const scopes = ["operator.read"];
const admin = { scopes: ["operator.admin"] };
const key = { name: "key", description: "The session, such as main or agent:main:work." };
const agent = { value: "<id>", description: "Only this agent's sessions." };

/** Lists sessions, newest first. */
export const sessionsList = command({
  path: ["sessions", "list"],
  summary: "List sessions, newest first.",
  options: {
    active: {
      value: "<minutes>",
      description: "Only what changed within so many minutes.",
      number: { min: 1, max: 10_000_000 },
    },
    agent,
    search: { value: "<words>", description: "Only those with these words in their key or name." },
    limit: { value: "<n>", description: "How many at most.", number: { min: 1, max: 10_000 }, default: 100 },
    ...clientOptions,
  },
  examples: [
    { command: "sessions", description: "The newest hundred." },
    { command: "sessions --active 60 --json", description: "What was used in the last hour, for programs." },
  ],
  async run(context) {
    const { options: given, output, host } = context;
    const { active, agent: agentId, search, limit } = given;
    const list = await ask(context, "sessions.list", { activeMinutes: active, agentId, search, limit }, { scopes });
    const rows = listAt(list, "sessions");
    const now = host.clock.now();
    if (output.json) {
      output.data({
        path: at(list, "path") ?? null,
        count: rows.length,
        activeMinutes: active ?? null,
        sessions: rows.map((row) => rowJson(row, now)),
      });
      return exit.ok;
    }
    if (rows.length === 0) output.print("No sessions.");
    else output.print(columns([["Key", "Age", "Model", "Tokens", "Flags"], ...rows.map((row) => rowCells(row, now))]));
    const total = numberAt(list, "totalCount") ?? rows.length;
    if (total > rows.length) output.warn(`${total - rows.length} more: raise --limit`);
    return exit.ok;
  },
});

/** Shows one session and what was said in it last. */
export const sessionsShow = command({
  path: ["sessions", "show"],
  summary: "Show a session and what was said in it last.",
  positionals: [key],
  options: {
    limit: { value: "<n>", description: "How many messages at most.", number: { min: 1, max: 1000 }, default: 20 },
    ...clientOptions,
  },
  examples: [{ command: "sessions show main", description: "The default agent's main session." }],
  async run(context) {
    const { output, host, options: given } = context;
    const sessionKey = first(context);
    const history = await ask(context, "chat.history", { sessionKey, limit: given.limit }, { scopes });
    const info = at(history, "sessionInfo");
    if (stringAt(history, "sessionId") === undefined) throw unknown(context);
    if (output.json) {
      output.data(history);
      return exit.ok;
    }
    const [name = "", age = "", model = "", tokens = "", flags = ""] = rowCells(info, host.clock.now());
    output.print(output.style.bold([name, age, model, tokens, flags].filter(Boolean).join(" · ")));
    const messages = listAt(history, "messages");
    const total = numberAt(history, "totalMessages") ?? messages.length;
    if (total > messages.length) output.print(output.style.dim(`… ${total - messages.length} earlier`));
    for (const message of messages) for (const line of asLines(message)) output.print(line);
    return exit.ok;
  },
});

/** Finds words in what was said. */
export const sessionsSearch = command({
  path: ["sessions", "search"],
  summary: "Find words in what was said.",
  positionals: [{ name: "words", description: "What to look for; several words in quotes." }],
  options: {
    agent,
    limit: { value: "<n>", description: "How many at most.", number: { min: 1, max: 25 }, default: 10 },
    ...clientOptions,
  },
  examples: [{ command: 'sessions search "birthday cake"', description: "In all sessions." }],
  async run(context) {
    const { output, host, options: given } = context;
    const query = first(context);
    const params = { query, agentId: given.agent, limit: given.limit };
    const found = await ask(context, "sessions.search", params, { scopes });
    const rows = listAt(found, "results").map((hit) => [
      textAt(hit, "sessionKey") ?? "-",
      ago(host.clock.now(), numberAt(hit, "timestamp")),
      textAt(hit, "role") ?? "-",
      textAt(hit, "snippet") ?? "",
    ]);
    if (output.json) output.data(found);
    else if (rows.length === 0) output.print(`Nothing found for ${JSON.stringify(clean(query))}.`);
    else output.print(columns([["Session", "Age", "Role", "Text"], ...rows]));
    return exit.ok;
  },
});

/** Begins a session's conversation anew. */
export const sessionsReset = command({
  path: ["sessions", "reset"],
  summary: "Begin a session's conversation anew; the old one stays on the disk.",
  positionals: [key],
  options: clientOptions,
  examples: [{ command: "sessions reset main", description: "As /reset does in a chat." }],
  async run(context) {
    await known(context);
    const answer = await ask(context, "sessions.reset", { key: first(context) }, admin);
    return told(context, answer, `✓ Reset ${textAt(answer, "key") ?? first(context)}.`);
  },
});

/** Removes a session. */
export const sessionsDelete = command({
  path: ["sessions", "delete"],
  summary: "Remove a session; its transcript is set aside.",
  positionals: [key],
  options: { yes: { description: "Do not ask." }, ...clientOptions },
  examples: [{ command: "sessions delete work --yes", description: "Without a question, for scripts." }],
  async run(context) {
    const { host, options: given, output } = context;
    if (!given.yes) {
      if (!host.terminal.interactive || output.json)
        throw new Failure("usage", `deleting ${clean(first(context))} needs --yes where nobody can be asked`);
      const { confirmed } = await import("../cli/questions.ts");
      if (!(await confirmed(`Delete the session ${clean(first(context))}?`))) return exit.failed;
    }
    const answer = await ask(context, "sessions.delete", { key: first(context) }, admin);
    if (at(answer, "deleted") !== true) throw unknown(context);
    return told(context, answer, `✓ Deleted ${textAt(answer, "key") ?? first(context)}.`);
  },
});

/** Has the older part of a session summed up. */
export const sessionsCompact = command({
  path: ["sessions", "compact"],
  summary: "Sum up the older part of a session, so that the model reads less.",
  positionals: [key],
  options: {
    ...clientOptions,
    // A model writes the summary.
    timeout: { ...clientOptions.timeout, default: 300_000 },
  },
  examples: [{ command: "sessions compact main", description: "Nothing is lost from the transcript." }],
  async run(context) {
    const answer = await refusable(context, () => ask(context, "sessions.compact", { key: first(context) }, admin));
    const [before, after] = [numberAt(answer, "tokensBefore"), numberAt(answer, "tokensAfter")];
    const tokens = before === undefined ? "" : `: ${short(before)} → ${short(after ?? before)} tokens`;
    const name = textAt(answer, "key") ?? first(context);
    if (at(answer, "compacted") === true) return told(context, answer, `✓ Compacted ${name}${tokens}.`);
    return told(
      context,
      answer,
      `${name} was not compacted: ${textAt(answer, "reason") ?? "there is nothing to sum up"}`,
    );
  },
});

type Context = ReachContext & Pick<CommandContext, "args">;

function first({ args }: Pick<Context, "args">): string {
  return args[0] ?? "";
}

/** Throws unless there is such a session: a slip of the key must not begin a new one. */
async function known(context: Context): Promise<void> {
  const { session } = await ask(context, "sessions.describe", { key: first(context) }, { scopes });
  if (!session) throw unknown(context);
}

async function refusable<T>(context: Context, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw Failure.from(error).message.startsWith("No session found") ? unknown(context) : error;
  }
}

function unknown(context: Context): Failure {
  return new Failure("not-found", `No session found: ${clean(first(context))}`, {
    hints: [`See: ${context.program} sessions`],
  });
}

function told({ output }: Context, answer: unknown, text: string): number {
  if (output.json) output.data(answer);
  else output.print(text);
  return exit.ok;
}

function asLines(message: unknown): readonly string[] {
  const role = textAt(message, "role") ?? "unknown";
  const name = role === "toolResult" ? `tool ${textAt(message, "toolName") ?? ""}`.trim() : role;
  const text = saidIn(message) || textAt(message, "errorMessage") || "";
  return text === "" ? [] : ["", `${name}:`, cleanLines(text.trimEnd())];
}
