import { toJsonSchema } from "@valibot/to-json-schema";
import type { ToolSpec } from "../providers/provider.ts";
import { browser } from "./browser.ts";
import { cron } from "./cron.ts";
import { edit } from "./edit.ts";
import { memoryGet, memorySearch } from "./memory.ts";
import { message } from "./message.ts";
import { read } from "./read.ts";
import { sessionStatus } from "./session-status.ts";
import type { Tool } from "./tool.ts";
import { write } from "./write.ts";

/** Every built-in tool. */
export const tools: readonly Tool[] = [
  read,
  write,
  edit,
  memorySearch,
  memoryGet,
  browser,
  cron,
  message,
  sessionStatus,
];

/** The tools as a model is told of them. */
export function toolSpecs(tools: readonly Tool[]): readonly ToolSpec[] {
  return tools.map(({ name, description, params }) => {
    // Output: what a model reads is the canonical spelling, after aliases were taken in.
    const { $schema: _, ...parameters } = toJsonSchema(params, { typeMode: "output" });
    return { name, description, parameters };
  });
}
