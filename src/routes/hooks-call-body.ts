import * as v from "valibot";
import { thinkingLevels } from "../providers/provider.ts";

const words = v.pipe(v.string("a text"), v.trim(), v.nonEmpty("a text that is not blank"));
const short = v.pipe(words, v.maxLength(512, "512 characters at most"));
const wakeMode = v.optional(v.picklist(["now", "next-heartbeat"], "now or next-heartbeat"), "now");

/** What `POST /hooks/wake` takes. */
export const wakeBody = v.object({ text: v.pipe(words, v.maxLength(4000, "4000 characters at most")), mode: wakeMode });

/** What `POST /hooks/agent` takes, as the order that it is. */
export const agentBody = v.pipe(
  v.object({
    message: words,
    name: v.optional(v.pipe(words, v.maxLength(100, "100 characters at most")), "Hook"),
    agentId: v.optional(short),
    sessionKey: v.optional(short),
    deliver: v.optional(v.boolean("true or false"), true),
    channel: v.optional(short),
    to: v.optional(short),
    model: v.optional(short),
    thinking: v.optional(v.picklist(thinkingLevels, `one of ${thinkingLevels.join(", ")}`)),
    timeoutSeconds: v.optional(
      v.pipe(v.number("a number"), v.minValue(1, "1 at least"), v.maxValue(86_400, "86400 at most")),
    ),
  }),
  v.transform((body) => ({ action: "agent" as const, fromOutside: true, ...body })),
);

/** What an agent is to answer. */
export type AgentOrder = v.InferOutput<typeof agentBody>;

export interface WakeOrder {
  readonly action: "wake";
  readonly text: string;
  readonly mode: "now" | "next-heartbeat";
}
