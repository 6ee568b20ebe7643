import { Failure } from "../kit/error.ts";
import { textOf, type Message, type ToolCallPart } from "../session/message.ts";
import type { NewEntry } from "../session/transcript.ts";
import type { ToolResult } from "../tools/tool.ts";
import { ask, type Answer } from "./ask.ts";
import { firstLine } from "./clip.ts";
import { callsOf } from "./context.ts";
import { createDraft } from "./draft.ts";
import { abortFailure } from "./interrupt.ts";
import type { OpenRun } from "./open-run.ts";
import type { Progress } from "./progress.ts";
import { createRepeatGuard, repeats, type RepeatGuard } from "./repeat-guard.ts";
import { askerOf, createRequests, type Requests } from "./requests.ts";
import { addUsage } from "../session/message.ts";
import { resultMessage } from "./tool-result.ts";
import { runRound } from "./tool-round.ts";

/**
 * Asks the model, runs the tools that it calls, and asks again, until it has answered. Each answer, and the results of
 * each round of tools, are on the disk before anything follows from them. Throws what ends the run.
 */
export async function converse(run: OpenRun, progress: Progress): Promise<void> {
  const guard = createRepeatGuard();
  const requests = createRequests(run, progress);
  run.input.emit({ type: "phase", phase: "starting_model" });
  for (let round = 1; ; round++) {
    const last = round > MOST_ROUNDS;
    const answer = await nextAnswer(run, progress, { round, requests: requests(last ? lastWord : undefined) });
    const calls = callsOf(answer.message);
    if (calls.length === 0) return;
    const refusal = answer.cutOff ? CUT_OFF : last ? NO_MORE_ROUNDS : undefined;
    const { results, steered } =
      refusal === undefined
        ? await runTools(run, answer, calls)
        : { results: calls.map(() => refused(refusal)), steered: [] };
    const stuck = await recordRound(run, progress, { calls, results, steered, guard });
    if (run.input.signal.aborted) throw abortFailure(run.input.signal);
    if (last) throw new Failure("failed", `stopped after ${MOST_ROUNDS} rounds of tools without an answer`);
    if (stuck) throw new Failure("failed", stuckText(stuck));
  }
}

/** Rounds of tools in one run. */
const MOST_ROUNDS = 50;
const CUT_OFF = "skipped: your answer reached its longest length here. Make the call again, with less at once.";
const NO_MORE_ROUNDS = "skipped: this run may not use tools any more.";
const lastWord = `[You have used all ${MOST_ROUNDS} rounds of tools of this turn. Do not call tools now: answer with what you have, and say what is unfinished.]`;

/** Asks for the next answer and records it. */
async function nextAnswer(
  run: OpenRun,
  progress: Progress,
  { round, requests }: { round: number; requests: Requests },
): Promise<Answer> {
  const { input, conversation } = run;
  const { runId, emit } = input;
  const draft = createDraft(emit, `${runId}:${round}`);
  progress.draft = draft;
  const answer = await ask(run.asking, { ...askerOf(run), ...requests, draft, emit });
  const { message, warning } = answer;
  await conversation.append([{ type: "message", message, runId }]);
  progress.draft = undefined;
  const { limits } = await run.frame(answer.route.model);
  conversation.note({ contextTokens: limits.window });
  progress.message = message;
  progress.usage = addUsage(progress.usage, message.usage);
  const text = textOf(message);
  if (text.trim() !== "") progress.texts.push(text);
  if (warning !== undefined) progress.warnings.add(warning);
  emit({ type: "usage", usage: progress.usage });
  return answer;
}

/** Runs the calls of an answer, unless a message comes meanwhile that steers the run. */
async function runTools(
  run: OpenRun,
  { route }: Answer,
  calls: readonly ToolCallPart[],
): Promise<{ results: readonly ToolResult[]; steered: readonly Message[] }> {
  const { deps, input, workspace } = run;
  const frame = await run.frame(route.model);
  const steered: Message[] = [];
  const results = await runRound({
    calls,
    tools: frame.tools,
    signal: input.signal,
    clock: deps.host.clock,
    emit: input.emit,
    media: deps.media,
    context: {
      ...run.toolParts,
      workspace,
      closed: [deps.paths.state, deps.paths.config],
      sessionKey: input.sessionKey,
      agentId: input.agentId,
      status: () => Promise.resolve(run.status(frame, route.profileId)),
    },
    interrupted() {
      // A message that steers a run which is ending would stay without an answer.
      if (!input.signal.aborted) steered.push(...(input.steer?.() ?? []));
      return steered.length > 0;
    },
  });
  return { results, steered };
}

interface Round {
  readonly calls: readonly ToolCallPart[];
  readonly results: readonly ToolResult[];
  readonly steered: readonly Message[];
  readonly guard: RepeatGuard;
}

/** Writes what came of a round at once, however the run goes on. Answers the call that the model cannot get away from. */
async function recordRound(
  { deps, input, conversation }: OpenRun,
  progress: Progress,
  { calls, results, steered, guard }: Round,
): Promise<ToolCallPart | undefined> {
  const now = deps.host.clock.now();
  const messages = calls.map((call, index) =>
    resultMessage(call, results[index] ?? refused("there is no result"), now),
  );
  const { results: checked, stuck } = guard.round(calls, messages);
  const entries = [...checked, ...steered].map((message): NewEntry => ({
    type: "message",
    message,
    runId: input.runId,
  }));
  await conversation.append(entries);
  const failed = messages.findLast(({ isError }) => isError);
  if (failed) progress.toolFailure = `${firstLine(failed.toolName, 60)}: ${firstLine(textOf(failed), 200)}`;
  return stuck;
}

function refused(text: string): ToolResult {
  return { content: [{ type: "text", text }], isError: true };
}

function stuckText({ name }: ToolCallPart): string {
  return `stopped: the model called ${firstLine(name, 60)} ${repeats.stop} times in a row with the same arguments and the same result`;
}
