import { Failure } from "../kit/error.ts";
import type { Logger } from "../kit/log.ts";
import type { Clock } from "../host/host.ts";
import { noUsage, type AssistantMessage, type Usage } from "../session/message.ts";
import type { Conversation } from "./conversation.ts";
import { isSilent, SILENT, type Draft } from "./draft.ts";
import { abortFailure } from "./interrupt.ts";
import type { RunInput, RunOutcome } from "./runner.ts";

/** How far a run has come, for when it ends, however it ends. */
export interface Progress {
  usage: Usage;
  /** Texts of the answers so far. */
  readonly texts: string[];
  /** The last answer in full. */
  message?: AssistantMessage;
  /** The model that was asked last. */
  asked: Pick<AssistantMessage, "api" | "provider" | "model">;
  /** The answer that is being streamed. */
  draft?: Draft | undefined;
  /** What was wrong with the last tool that failed, in a line. */
  toolFailure?: string | undefined;
  conversation?: Conversation;
  report?: Readonly<Record<string, unknown>>;
  readonly warnings: Set<string>;
}

export function createProgress(): Progress {
  return { usage: noUsage, texts: [], asked: { api: "", provider: "", model: "" }, warnings: new Set() };
}

/** The outcome of a run that came to its end. */
export function finished(progress: Progress): RunOutcome {
  const payloads = payloadsOf(progress);
  const nothing = progress.texts.length === 0 && progress.toolFailure !== undefined;
  return {
    ...outcomeOf(progress),
    status: "ok",
    payloads: nothing ? [{ text: `⚠️ ${progress.toolFailure}` }] : payloads,
    stopReason: progress.message?.stopReason ?? "stop",
  };
}

/**
 * The outcome of a run that something ended: a person, its deadline, or a failure. The transcript gets what there is of
 * the answer, with the reason. At the end of the gateway it does not, as the run goes on after it. Never rejects.
 */
export async function endedBy(
  error: unknown,
  { deps, input, progress }: { deps: Ending; input: RunInput; progress: Progress },
): Promise<RunOutcome> {
  const { aborted } = input.signal;
  const failure = aborted ? abortFailure(input.signal) : Failure.from(error);
  const shown = failure.shown();
  const outcome = { ...outcomeOf(progress), payloads: payloadsOf(progress), error: shown };
  if (aborted && failure.code === "unavailable") return { ...outcome, status: "aborted", stopReason: "aborted" };
  const stopReason = aborted ? "aborted" : "error";
  const message: AssistantMessage = {
    role: "assistant",
    content: partial(progress.draft),
    ...progress.asked,
    usage: noUsage,
    stopReason,
    errorMessage: shown.message.slice(0, 1000),
    timestamp: deps.host.clock.now(),
  };
  if (!aborted) deps.log.warn("a run failed", { run: input.runId, session: input.sessionKey, error: failure });
  try {
    await progress.conversation?.append([{ type: "message", message, runId: input.runId }]);
  } catch (unwritten) {
    deps.log.error("the end of a run was not written", { run: input.runId, error: unwritten });
  }
  const status = !aborted ? "error" : failure.code === "timeout" ? "timeout" : "aborted";
  return { ...outcome, status, stopReason, message };
}

interface Ending {
  readonly host: { readonly clock: Clock };
  readonly log: Logger;
}

function outcomeOf({ usage, asked, message, report, warnings }: Progress) {
  return {
    usage,
    provider: asked.provider,
    model: asked.model,
    ...(message ? { message } : {}),
    ...(report ? { promptReport: report } : {}),
    ...(warnings.size > 0 ? { warnings: [...warnings] } : {}),
  };
}

function payloadsOf({ texts }: Progress): RunOutcome["payloads"] {
  return texts.filter((text) => !isSilent(text)).map((text) => ({ text }));
}

function partial(draft: Draft | undefined): AssistantMessage["content"] {
  const text = draft?.text ?? "";
  return SILENT.startsWith(text.trim()) ? [] : [{ type: "text", text }];
}
