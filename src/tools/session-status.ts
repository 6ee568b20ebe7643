import { parameters, tool } from "./tool.ts";

/** Tells the model how its own session is. */
export const sessionStatus = tool({
  name: "session_status",
  summary: "See this session's model, context and queue, and the time",
  description: "Shows how this session is: time, model, how full the context is, thinking level, queue.",
  effect: "read",
  params: parameters({}),
  run: async (_, context) => ({ content: [{ type: "text", text: await context.status() }] }),
});
