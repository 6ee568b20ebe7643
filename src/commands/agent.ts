import { createAnswerView } from "../cli/answer-view.ts";
import { cleanLines } from "../cli/layout.ts";
import { clientOptions } from "../cli/options.ts";
import { at, listAt, numberAt, stringAt, textAt } from "../cli/pick.ts";
import { adviceFor } from "../cli/run-advice.ts";
import type { RunNews } from "../cli/run-news.ts";
import { createSpinner } from "../cli/spinner.ts";
import { exit, Failure } from "../kit/error.ts";
import { uuid } from "../kit/ids.ts";
import type { JsonObject } from "../kit/json.ts";
import { runAgent } from "./agent-run.ts";
import { command, type CommandContext } from "./command.ts";

const { url, token, password, "tls-fingerprint": tlsFingerprint } = clientOptions;
const options = {
  message: { value: "<text>", description: "What to say; - reads it from standard input." },
  agent: { value: "<id>", description: "The agent; the default one when left out." },
  "session-key": { value: "<key>", description: "The session, such as main or agent:main:work." },
  "session-id": { value: "<id>", description: "The session, by its id." },
  to: { value: "<peer>", description: "The person whose direct conversation is meant, such as +15551234567." },
  thinking: { value: "<level>", description: "How hard to think: off, minimal, low, medium, high, xhigh." },
  model: { value: "<ref>", description: "The model for this message alone, as provider/model or an alias." },
  timeout: {
    value: "<seconds>",
    description: "End the run after so many seconds; the gateway's own limit when left out.",
    number: { min: 0, max: 2_000_000 },
  },
  deliver: { description: "Also send the answer to the chat that the session belongs to." },
  url,
  token,
  password,
  "tls-fingerprint": tlsFingerprint,
} as const;

type Context = CommandContext<typeof options>;

/** Gives an agent one message and prints its answer: as it comes on a terminal, whole in a pipe. */
export const agent = command({
  path: ["agent"],
  summary: "Give the agent a message and print its answer.",
  options,
  examples: [
    { command: 'agent --message "What is on today?"', description: "In the default agent's main session." },
    { command: "agent --session-key work --message - < notes.txt", description: "A text from a file." },
    { command: 'agent --message "Hello" --json', description: "The final object, for programs." },
  ],
  ownsSignals: true,
  async run(context) {
    const params = await paramsOf(context);
    const watch = createWatch(context);
    const interrupt = interruptible(context);
    try {
      const final = await runAgent(reachable(context, interrupt.signal), {
        params,
        patienceMs: patience(context.options.timeout),
        hear: watch.hear,
        lost: watch.lost,
      });
      watch.end();
      return answered(context, final, { watch, interrupted: interrupt.signal.aborted });
    } catch (error) {
      watch.end();
      throw explained(Failure.from(error), context);
    } finally {
      interrupt.forget();
    }
  },
});

async function paramsOf({ options: given, host }: Context): Promise<JsonObject & { idempotencyKey: string }> {
  const named = [given["session-key"], given["session-id"], given.to].filter((each) => each !== undefined);
  if (named.length > 1)
    throw new Failure("usage", "--session-key, --session-id and --to each name a session: give one of them");
  if (given.message === undefined)
    throw new Failure("usage", "--message is missing: give the text, or - to read it from standard input");
  const message = given.message === "-" ? await host.terminal.readInput() : given.message;
  if (message.trim() === "")
    throw new Failure("usage", `${given.message === "-" ? "standard input" : "--message"} is empty: nothing to say`);
  return {
    message,
    ...present({
      agentId: given.agent,
      sessionKey: given["session-key"],
      sessionId: given["session-id"],
      to: given.to,
      thinking: given.thinking,
      model: given.model,
      timeout: given.timeout,
    }),
    deliver: given.deliver,
    idempotencyKey: uuid(),
  };
}

function present(fields: Readonly<Record<string, string | number | undefined>>): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** The gateway ends the run in time; a while more for it to say so. */
function patience(seconds: number | undefined): number {
  return seconds ? (seconds + 60) * 1000 : 2_147_483_647;
}

function reachable(context: Context, signal: AbortSignal) {
  return { ...context, signal, options: { ...context.options, timeout: clientOptions.timeout.default } };
}

/** The first Ctrl-C stops the run, and its end is waited for; the second ends this at once. */
function interruptible({ host: { processes } }: Context): { readonly signal: AbortSignal; forget(): void } {
  const abort = new AbortController();
  const hear = (): void => (abort.signal.aborted ? processes.exit(exit.interrupted) : abort.abort());
  const undo = [processes.onSignal("SIGINT", hear), processes.onSignal("SIGTERM", hear)];
  return { signal: abort.signal, forget: () => undo.forEach((each) => each()) };
}

interface Watch {
  readonly hear: (news: RunNews) => void;
  readonly lost: (reason: Failure) => void;
  end(): void;
  /** The answer is on the screen. */
  readonly shown: boolean;
  /** What was said so far, for a gateway that cannot say it again. */
  readonly heard: string;
}

/** What a person sees while the agent works. */
function createWatch({ host, output }: Context): Watch {
  const streams = host.terminal.stdout.isTerminal && !output.json;
  const spinner = createSpinner(host, "asking the agent…");
  const view = createAnswerView({ write: (text) => output.raw(text), style: output.style, detailed: false });
  const parts = new Map<string, string>();
  let shown = false;
  // It would take the line of an answer away with it.
  const say = (text: string): void => {
    view.finish();
    spinner.label(text);
  };
  return {
    hear(news) {
      if (news.kind === "model") say(`thinking with ${news.name}…`);
      if (news.kind === "tool" && news.phase === "start") say(`running ${news.name}…`);
      if (news.kind === "waiting") say(news.reason);
      if (news.kind === "text") parts.set(news.part, news.text);
      if (!streams || news.kind !== "text" || news.text === "") return;
      spinner.hide();
      view.show(news);
      shown = true;
    },
    lost: (reason) => say(`${reason.message}; waiting for it to be back…`),
    end() {
      spinner.stop();
      view.finish();
    },
    get shown() {
      return shown;
    },
    get heard() {
      return [...parts.values()].join("\n\n");
    },
  };
}

interface Ended {
  readonly watch: Watch;
  readonly interrupted: boolean;
}

/** Prints what the run came to; answers the exit status. */
function answered({ host, output }: Context, final: unknown, { watch, interrupted }: Ended): number {
  const ok = textAt(final, "status") === "ok";
  if (output.json) output.data(final);
  else if (!watch.shown) {
    const texts = listAt(final, "result", "payloads").flatMap((payload) => stringAt(payload, "text") ?? []);
    const text = texts.join("\n\n") || watch.heard;
    // A program gets the text as it is; on a screen it must not move the cursor.
    if (text !== "") output.raw(`${host.terminal.stdout.isTerminal ? cleanLines(text) : text}\n`);
  }
  if (interrupted) return exit.interrupted;
  if (ok && !output.json && at(final, "result", "deliverySucceeded") === false) {
    const reason = textAt(final, "result", "deliveryStatus", "reason") ?? "no reason given";
    output.warn(`The answer was not delivered: ${reason}`);
  }
  if (ok) return exit.ok;
  const summary = textAt(final, "summary") ?? textAt(final, "status") ?? "no answer";
  if (!output.json) output.warn(`The run did not end by itself: ${summary}`);
  return summary === "aborted" ? exit.failed : exit.temporary;
}

/** The gateway's refusals and the provider's reasons, with what to do, and whether to try again as the exit status. */
function explained(failure: Failure, { program, options: given }: Context): Failure {
  const { details, message, retryable, retryAfterMs } = failure;
  // Those of reaching the gateway, and of what was typed, say it all.
  if (failure.hints.length > 0 || ["usage", "aborted", "config"].includes(failure.code)) return failure;
  const kind = textAt(details, "kind");
  const advice = adviceFor({
    program,
    kind,
    provider: textAt(details, "provider"),
    sessionKey: given["session-key"],
    retryAfterMs: retryAfterMs ?? numberAt(details, "retryAfterMs"),
  });
  const unknownAgent = message.includes("unknown agent id");
  return new Failure(retryable ? "unavailable" : "failed", message, {
    details,
    retryable,
    hints: unknownAgent ? [`See: ${program} gateway call agents.list`] : advice,
    cause: failure,
  });
}
