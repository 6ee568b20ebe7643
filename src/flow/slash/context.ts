import type { PromptReport } from "../../agent/prompt.ts";
import { quoted } from "./arguments.ts";
import type { SlashCommand } from "./slash.ts";

export const context: SlashCommand = {
  name: "context",
  summary: "Show what the model is given before the conversation.",
  category: "status",
  usage: "list|detail",
  scope: "operator.write",
  async run({ args, row, context }) {
    const wanted = args.toLowerCase();
    if (wanted === "") return { reply: explanation };
    if (wanted !== "list" && wanted !== "detail")
      return { reply: `Unrecognized context view ${quoted(args)}. Valid views: list, detail.` };
    const report = await context.promptReport(row);
    if (!report)
      return { reply: "What the model is given is not known: no model can be asked now. /model status says why." };
    const { systemPrompt, injectedWorkspaceFiles, tools } = report;
    const lines = [
      "🧠 Context breakdown",
      `Workspace: ${report.workspaceDir}`,
      `Most characters of a file: ${report.bootstrapMaxChars}`,
      "Sandbox: off",
      `System prompt: ${size(systemPrompt.chars)}, project context ${size(systemPrompt.projectContextChars)}`,
      "",
      "Workspace files:",
      ...injectedWorkspaceFiles.map(fileLine),
      "",
      ...(wanted === "list" ? [toolTotal(tools)] : ["Tools:", ...tools.map(toolLine), toolTotal(tools)]),
    ];
    return { reply: lines.join("\n") };
  },
};

const explanation = [
  "🧠 /context",
  "Before each message the model reads a system prompt, files of the workspace and the descriptions of its tools.",
  "/context list: how large each part is",
  "/context detail: the same with every tool",
].join("\n");

/** Four characters make about one token. */
function size(chars: number): string {
  return `${chars} chars (~${Math.ceil(chars / 4)} tokens)`;
}

function fileLine({
  name,
  missing,
  truncated,
  rawChars,
  injectedChars,
}: PromptReport["injectedWorkspaceFiles"][number]): string {
  if (missing) return `- ${name}: MISSING`;
  return `- ${name}: ${truncated ? "TRUNCATED" : "OK"}, raw ${size(rawChars)}, injected ${size(injectedChars)}`;
}

function toolLine({ name, schemaChars }: PromptReport["tools"][number]): string {
  return `- ${name}: schema ${size(schemaChars)}`;
}

function toolTotal(tools: PromptReport["tools"]): string {
  return `Tools: ${tools.length}, schemas ${size(tools.reduce((sum, { schemaChars }) => sum + schemaChars, 0))}`;
}
