import * as v from "valibot";
import type { Files } from "../../src/host/host.ts";
import type { Tool, ToolResult } from "../../src/tools/tool.ts";
import { createMemoryFiles, type MemoryFiles } from "../support/memory-files.ts";

export const workspace = "/home/me/clawd";

/** A disk with a workspace that has these files. */
export function workspaceWith(files: Readonly<Record<string, string>> = {}): MemoryFiles {
  const disk = createMemoryFiles();
  disk.putFolder(workspace);
  for (const [name, text] of Object.entries(files)) disk.put(`${workspace}/${name}`, text);
  return disk;
}

/** Calls a tool as a model would: what it sends is parsed first. */
export async function call(
  tool: Tool,
  params: unknown,
  { files, at = workspace, signal = new AbortController().signal }: { files: Files; at?: string; signal?: AbortSignal },
): Promise<ToolResult> {
  return tool.run(v.parse(tool.params, params), {
    signal,
    files,
    workspace: at,
    closed: ["/home/me/.openclaw", "/home/me/clawd/config.json"],
    sessionKey: "agent:main:main",
    agentId: "main",
    status: async () => "all is well",
    progress: () => undefined,
  });
}

/** The text that the model reads. */
export function textOf(result: ToolResult): string {
  return result.content.map((part) => (part.type === "text" ? part.text : `<${part.mimeType}>`)).join("\n");
}

/** The message of what a call rejects with; fails when it does not. */
export async function refusal(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  throw new Error("the call was not refused");
}
