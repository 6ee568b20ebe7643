import { agentsOf, workspaceOf } from "../agent/roster.ts";
import { ensureWorkspace } from "../agent/workspace.ts";
import { join, tildify } from "../host/paths.ts";
import type { Check, CheckContext, Finding } from "./check.ts";

/** The folders that the agents work in. */
export const workspace: Check = {
  id: "workspace",
  title: "Workspace",
  async look(context) {
    const { host, paths, config } = context;
    const { value } = config.snapshot;
    if (value.gateway.mode === "remote" || !config.snapshot.exists) return [];
    const folders = [...new Set(agentsOf(value).map((agent) => workspaceOf(agent, value, { host, paths })))];
    const found = await Promise.all(folders.map((folder) => look(context, folder)));
    return found.flat();
  },
};

async function look({ host, wishes }: CheckContext, folder: string): Promise<Finding[]> {
  const stat = await host.files.stat(folder);
  const shown = tildify(host, folder);
  if (!stat)
    return [
      {
        code: "workspace-missing",
        level: "warning",
        message: `The workspace ${shown} does not exist: agents have nowhere to work.`,
        path: folder,
        fix: {
          question: `Create ${shown} with its first files?`,
          async apply() {
            await ensureWorkspace(host, folder, "person");
            return `Created the workspace ${shown}.`;
          },
        },
      },
    ];
  if (stat.kind !== "folder")
    return [
      {
        code: "workspace-not-a-folder",
        level: "error",
        message: `The workspace ${shown} is not a folder.`,
        path: folder,
      },
    ];
  if (!wishes.workspaceSuggestions || (await host.files.stat(join(folder, ".git")))) return [];
  return [
    {
      code: "workspace-not-in-git",
      level: "info",
      message: `${shown} has no history: a git repository brings back what an agent overwrote.`,
      path: folder,
      command: `git init ${shown}`,
    },
  ];
}
