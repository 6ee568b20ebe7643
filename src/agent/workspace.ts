import type { Files, Host, Processes } from "../host/host.ts";
import { join } from "../host/paths.ts";
import { devTemplates, templates, type TemplateName } from "./templates.ts";

const always = ["AGENTS.md", "SOUL.md", "TOOLS.md", "IDENTITY.md", "USER.md"] as const satisfies TemplateName[];

/**
 * Makes the agent's folder and the files that are missing in it; what is there stays as it is. A person's workspace
 * that is brand new also gets the first-run ritual (BOOTSTRAP.md) and a git repository; one for development does not.
 * Answers whether the workspace is new.
 */
export async function ensureWorkspace(
  host: { readonly files: Files; readonly processes?: Pick<Processes, "run"> | undefined },
  folder: string,
  kind: "person" | "dev",
): Promise<boolean> {
  const { files, processes } = host;
  const found = new Set(await files.list(folder));
  const isNew = !isLivedIn(found);
  await files.makeFolder(folder);
  for (const name of names(kind, isNew)) {
    // To try to make what is there is a file written and flushed for nothing, and this runs before every answer.
    if (found.has(name)) continue;
    const text = (kind === "dev" ? devTemplates[name] : undefined) ?? templates[name];
    await files.create(join(folder, name), text);
  }
  // History is a convenience: a machine without git (127) has the same workspace.
  if (isNew && kind === "person") await processes?.run("git", ["init", "--quiet", folder], { timeoutMs: 5000 });
  return isNew;
}

function names(kind: "person" | "dev", isNew: boolean): readonly TemplateName[] {
  if (kind === "dev") return always;
  // The ritual first: a set-up that is cut off after it still finds a new workspace the next time.
  return isNew ? ["BOOTSTRAP.md", ...always, "HEARTBEAT.md"] : [...always, "HEARTBEAT.md"];
}

/** A folder with any of our files has been lived in: its first conversation is over, even when some were deleted. */
function isLivedIn(found: ReadonlySet<string>): boolean {
  return [...always, "HEARTBEAT.md", "MEMORY.md", "memory"].some((name) => found.has(name));
}

/** Makes the folder of the main agent's transcripts; answers its path. */
export async function ensureSessions({ files }: Pick<Host, "files">, state: string): Promise<string> {
  const folder = join(state, "agents", "main", "sessions");
  await files.makeFolder(folder);
  return folder;
}
