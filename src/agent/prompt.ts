import type { Config } from "../config/schema.ts";
import type { Host } from "../host/host.ts";
import { isObject } from "../kit/json.ts";
import type { ModelSpec, ThinkingLevel } from "../providers/provider.ts";
import { toolSpecs } from "../tools/index.ts";
import type { Tool } from "../tools/tool.ts";
import { projectContext, type InjectedFile } from "./prompt-context.ts";
import { sections } from "./prompt-sections.ts";
import type { Agent } from "./roster.ts";
import type { TemplateName } from "./templates.ts";
import type { WorkspaceFiles } from "./workspace-files.ts";

/** Everything that a system prompt is made of. */
export interface PromptInput {
  readonly host: Pick<Host, "hostname" | "osVersion" | "runtimeVersion">;
  readonly workspaceFiles: WorkspaceFiles;
  readonly config: Config;
  readonly agent: Agent;
  /** The agent's folder, as an absolute path. */
  readonly workspace: string;
  readonly sessionKey: string;
  readonly model: ModelSpec;
  readonly thinking: ThinkingLevel;
  readonly tools: readonly Tool[];
  /** `minimal` is for helpers of an agent, `none` leaves a single line. */
  readonly mode: "full" | "minimal" | "none";
  /** More instructions, for this run. */
  readonly extra?: string | undefined;
  /** Milliseconds since 1970. Only the date goes into the prompt, so that providers can cache it. */
  readonly now: number;
  readonly timeZone: string;
  /** Model references by alias. */
  readonly aliases: ReadonlyMap<string, string>;
}

/** What the prompt is made of, in characters (cli.md 8.5). A type, so that it passes for any JSON object. */
export type PromptReport = {
  readonly workspaceDir: string;
  readonly bootstrapMaxChars: number;
  readonly systemPrompt: {
    readonly chars: number;
    readonly projectContextChars: number;
    readonly nonProjectContextChars: number;
  };
  readonly injectedWorkspaceFiles: readonly InjectedFile[];
  readonly tools: readonly { readonly name: string; readonly schemaChars: number }[];
};

/** The system prompt for a run: how to work here, then the person's own files. */
export async function buildPrompt(input: PromptInput): Promise<{ text: string; report: PromptReport }> {
  const { bootstrapMaxChars } = input.config.agents.defaults;
  const files = await input.workspaceFiles.load(input.workspace, fileNames[input.mode]);
  const context = projectContext(files, bootstrapMaxChars);
  const text = [...sections(input, channelsOf(input.config)), context.text, input.extra?.trim() ?? ""]
    .filter(Boolean)
    .join("\n\n");
  return {
    text,
    report: {
      workspaceDir: input.workspace,
      bootstrapMaxChars,
      systemPrompt: {
        chars: text.length,
        projectContextChars: context.text.length,
        nonProjectContextChars: text.length - context.text.length,
      },
      injectedWorkspaceFiles: context.files,
      tools: toolSpecs(input.tools).map(({ name, parameters }) => ({
        name,
        schemaChars: JSON.stringify(parameters).length,
      })),
    },
  };
}

const fileNames = {
  full: ["AGENTS.md", "SOUL.md", "TOOLS.md", "IDENTITY.md", "USER.md", "HEARTBEAT.md", "BOOTSTRAP.md"],
  minimal: ["AGENTS.md", "TOOLS.md"],
  none: [],
} as const satisfies Record<PromptInput["mode"], readonly TemplateName[]>;

/** Names of the chat networks that are set up and not switched off. */
function channelsOf(config: Config): readonly string[] {
  return Object.entries(config.channels)
    .filter(([name, value]) => name !== "defaults" && isObject(value) && value["enabled"] !== false)
    .map(([name]) => name);
}
