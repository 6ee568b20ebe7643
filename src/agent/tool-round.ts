import * as v from "valibot";
import type { Clock } from "../host/host.ts";
import { Failure } from "../kit/error.ts";
import { isInvalidArguments } from "../providers/provider-answer.ts";
import type { Media } from "../session/media.ts";
import type { ToolCallPart } from "../session/message.ts";
import type { Tool, ToolContext, ToolResult } from "../tools/tool.ts";
import { keptResult } from "./tool-result.ts";
import { limited, orAborted } from "./interrupt.ts";
import type { RunEvent } from "./runner.ts";

/** The calls of one answer, and what running them takes. */
export interface ToolRound {
  readonly calls: readonly ToolCallPart[];
  readonly tools: readonly Tool[];
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly emit: (event: RunEvent) => void;
  /** Where pictures are kept. */
  readonly media: Pick<Media, "save">;
  /** What tools are given beside their signal and their way to report progress. */
  readonly context: Omit<ToolContext, "signal" | "progress">;
  /** Asked after each call: a person's message came, what has not begun is left out. */
  interrupted(): boolean;
}

/**
 * Runs the calls of an answer. What only reads runs side by side, anything else alone and in order. Answers a result for
 * every call, in their order and as it is to be kept, whatever happens: an error is a result for the model to read.
 * Never rejects.
 */
export async function runRound(round: ToolRound): Promise<readonly ToolResult[]> {
  const results: ToolResult[] = [];
  let interrupted = false;
  const one = async (call: ToolCallPart, index: number): Promise<void> => {
    const reason = round.signal.aborted ? "the run was stopped" : interrupted ? "a new message came" : tooMany(index);
    results[index] = reason === undefined ? await runCall(round, call) : failed(`skipped: ${reason}`);
    interrupted ||= round.interrupted();
  };
  for (const group of groups(round)) {
    const waiting = group.values();
    // Workers share one iterator: each takes the next call when it is through with one.
    const worker = async (): Promise<void> => {
      for (const index of waiting) {
        const call = round.calls[index];
        if (call) await one(call, index);
      }
    };
    await Promise.all(Array.from({ length: Math.min(group.length, SIDE_BY_SIDE) }, worker));
  }
  return results;
}

const SIDE_BY_SIDE = 4;
const MOST_CALLS = 32;
const TIME_LIMIT_MS = 120_000;

/** Indexes of calls that may run side by side. */
function groups({ calls, tools }: ToolRound): readonly (readonly number[])[] {
  const out: number[][] = [];
  let reading: number[] | undefined;
  calls.forEach((call, index) => {
    const reads = tools.find(({ name }) => name === call.name)?.effect === "read";
    if (reads && reading) reading.push(index);
    else out.push((reading = [index]));
    if (!reads) reading = undefined;
  });
  return out;
}

function tooMany(index: number): string | undefined {
  return index < MOST_CALLS ? undefined : `an answer may make ${MOST_CALLS} calls; make this one in the next answer`;
}

async function runCall(round: ToolRound, call: ToolCallPart): Promise<ToolResult> {
  const { clock, emit } = round;
  const startedAt = clock.now();
  emit({ type: "tool-start", call, startedAt });
  const expired = (): Failure =>
    new Failure("timeout", `${call.name} took longer than ${TIME_LIMIT_MS / 1000} seconds and was stopped`);
  const limit = limited(clock, round.signal, { ms: TIME_LIMIT_MS, expired });
  let over = false;
  const progress = (partial: ToolResult): void => {
    if (!over) emit({ type: "tool-update", call, partial });
  };
  const context = { ...round.context, signal: limit.signal, progress };
  const given = await runTool(round, call, context).catch((error: unknown) => failed(reasonOf(error, limit.signal)));
  over = true;
  limit.dispose();
  const result = await keptResult(given, round.media);
  emit({ type: "tool-end", call, result, startedAt });
  return result;
}

async function runTool(round: ToolRound, call: ToolCallPart, context: ToolContext): Promise<ToolResult> {
  const tool = round.tools.find(({ name }) => name === call.name);
  if (!tool) {
    const known = round.tools.map(({ name }) => name).join(", ");
    return failed(
      `There is no tool ${JSON.stringify(call.name.slice(0, 100))}. ${known ? `Tools: ${known}.` : "You have no tools."}`,
    );
  }
  if (isInvalidArguments(call.arguments))
    return failed("The arguments of this call are not a JSON object, or were cut off. Make the call again.");
  const parsed = v.safeParse(tool.params, call.arguments);
  if (!parsed.success) return failed(`The arguments of this call are wrong. ${issuesText(parsed.issues)}`);
  return orAborted(tool.run(parsed.output, context), context.signal);
}

function issuesText(issues: readonly v.BaseIssue<unknown>[]): string {
  return issues
    .slice(0, 5)
    .map((issue) => `${v.getDotPath(issue) ?? "arguments"}: ${issue.message}`)
    .join("; ");
}

function reasonOf(error: unknown, signal: AbortSignal): string {
  const failure = Failure.from(error);
  const unsure = signal.aborted ? ". It may or may not have taken effect" : "";
  return failure.message + unsure;
}

function failed(text: string): ToolResult {
  return { content: [{ type: "text", text }], isError: true };
}
