import type { Config } from "../config/schema.ts";
import type { ModelRequest, ModelSpec, ThinkingLevel, ToolSpec } from "../providers/provider.ts";
import type { Media } from "../session/media.ts";
import type { Message } from "../session/message.ts";
import type { Entry } from "../session/transcript.ts";
import type { Tool } from "../tools/tool.ts";
import { toMessages } from "./context.ts";
import { fit } from "./fit.ts";
import { answerTokens, type Limits } from "./limits.ts";
import { pictureLimits, withPictures } from "./pictures.ts";
import { prune } from "./prune.ts";
import { messageTokens } from "./tokens.ts";

/** What stays the same in all requests of a run to one model. */
export interface Frame {
  readonly model: ModelSpec;
  readonly system: string;
  readonly tools: readonly Tool[];
  readonly specs: readonly ToolSpec[];
  readonly thinking: ThinkingLevel;
  /** Tokens of all this. */
  readonly tokens: number;
  readonly limits: Limits;
}

export interface RequestParts {
  readonly frame: Frame;
  readonly entries: readonly Entry[];
  readonly config: Config;
  readonly media: Pick<Media, "load">;
  readonly cacheKey: string;
  /** Tokens that messages may take, when less than the window has room for. */
  readonly room?: number | undefined;
  /** Said to the model at the end of this request alone. */
  readonly remark?: Message | undefined;
}

/** The request that asks a model to go on with a conversation. */
export async function requestOf(parts: RequestParts): Promise<ModelRequest> {
  const { frame, entries, config, media, cacheKey, remark } = parts;
  const { model, system, specs, thinking, limits } = frame;
  const said = [...toMessages(entries), ...(remark ? [remark] : [])];
  const pruned = prune(said, config.agents.defaults.contextPruning, limits.window);
  const room = Math.min(parts.room ?? limits.window, limits.window - limits.reserve - frame.tokens);
  const fitted = fit(pruned, room);
  const tokens = frame.tokens + fitted.reduce((sum, message) => sum + messageTokens(message), 0);
  return {
    model,
    system,
    messages: await withPictures(fitted, media, { sees: model.images, ...pictureLimits }),
    tools: specs,
    thinking,
    maxTokens: answerTokens(limits, model, tokens),
    temperature: model.temperature,
    cacheKey,
  };
}
