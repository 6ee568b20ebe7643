import type { Message, Usage } from "../session/message.ts";
import type { Entry } from "../session/transcript.ts";
import type { Question } from "./ask.ts";
import { compactConversation, firstKept } from "./compact.ts";
import type { OpenRun } from "./open-run.ts";
import { hasPicture } from "./pictures.ts";
import type { Progress } from "./progress.ts";
import { requestOf, type Frame } from "./request.ts";
import { addUsage } from "../session/message.ts";
import { contextTokens, entriesTokens, messageTokens } from "./tokens.ts";

export type Requests = Required<Pick<Question, "request" | "shrink">>;

/** Makes the run's requests, summing up the conversation when it has become too long for the model. */
export function createRequests(run: OpenRun, progress: Progress): (remark: string | undefined) => Requests {
  const { config, conversation, deps, input, row } = run;
  const { compaction } = config.agents.defaults;
  let compactions = 0;
  let cuts = 0;
  let sent = 0;
  let room: number | undefined;

  const compact = async ({ limits, tokens }: Frame, willRetry: boolean): Promise<boolean> => {
    const { entries } = conversation;
    const older = entries.slice(0, firstKept(entries, limits.keep) ?? 0);
    // Before a refusal, it must be worth it: what goes is longer than the summary that comes.
    const least = willRetry ? 0 : limits.summary;
    if (compactions >= compaction.maxAttempts || entriesTokens(older) <= least) return false;
    compactions++;
    const spent = (usage: Usage): void => void (progress.usage = addUsage(progress.usage, usage));
    input.emit({ type: "compaction", phase: "start", willRetry });
    try {
      return await compactConversation(run.asking, {
        conversation,
        limits,
        spent,
        mode: compaction.mode,
        keep: limits.keep,
        runId: input.runId,
        tokensBefore: contextTokens(entries, tokens),
        asker: askerOf(run),
      });
    } finally {
      input.emit({ type: "compaction", phase: "end", willRetry });
    }
  };
  return (remark) => ({
    async request(model) {
      const frame = await run.frame(model);
      progress.report = { ...frame.report, provider: model.provider, model: model.id };
      progress.asked = { api: model.api, provider: model.provider, model: model.id };
      const { window, reserve } = frame.limits;
      if (contextTokens(conversation.entries, frame.tokens) > window - reserve) await compact(frame, false);
      const request = await requestOf({
        frame,
        config,
        room,
        media: deps.media,
        entries: conversation.entries,
        cacheKey: row.sessionId,
        remark: remark === undefined ? undefined : remarkMessage(remark, deps.host.clock.now()),
      });
      sent = request.messages.reduce((sum, message) => sum + messageTokens(message), 0);
      return request;
    },
    async shrink(model) {
      if (await compact(await run.frame(model), true)) return true;
      if (cuts++ >= MOST_CUTS) return false;
      room = Math.floor(sent / 2);
      return true;
    },
  });
}

/** Who asks a model in this run, and which. */
export function askerOf({ input, conversation, row }: OpenRun) {
  return {
    agentId: input.agentId,
    sessionKey: input.sessionKey,
    row: conversation.row() ?? row,
    reference: input.model,
    images: asksWithPictures(conversation.entries),
    signal: input.signal,
  };
}

/** Whether there are pictures in what the last finished answer had not seen: those of long ago need no model that sees. */
function asksWithPictures(entries: readonly Entry[]): boolean {
  const answered = entries.findLastIndex(
    (entry) => entry.type === "message" && entry.message.role === "assistant" && entry.message.stopReason !== "toolUse",
  );
  return entries.slice(answered + 1).some((entry) => entry.type === "message" && hasPicture(entry.message));
}

/** After a refusal for length where nothing can be summed up, the next request is made half as long, so often. */
const MOST_CUTS = 2;

function remarkMessage(text: string, timestamp: number): Message {
  return { role: "user", content: [{ type: "text", text }], timestamp };
}
