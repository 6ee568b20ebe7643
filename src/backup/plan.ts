import { agentsOf, workspaceOf } from "../agent/roster.ts";
import { openConfig } from "../config/file.ts";
import type { Flavour } from "../host/flavour.ts";
import type { Host } from "../host/host.ts";
import { basename, type Paths } from "../host/paths.ts";
import { Failure } from "../kit/error.ts";
import { createLogger } from "../kit/log.ts";
import { stateContents, workspaceContents, type Contents, type Skipped, type Source } from "./contents.ts";
import type { Asset } from "./manifest.ts";

export interface Place {
  readonly host: Host;
  readonly flavour: Flavour;
  readonly paths: Paths;
}

export interface BackupChoice {
  readonly includeWorkspace: boolean;
  readonly onlyConfig: boolean;
}

/** What goes into a backup, in the order in which it is copied. */
export interface BackupPlan {
  /** `archivePath` is below the archive's root here. */
  readonly assets: readonly Asset[];
  readonly files: readonly (Omit<Source, "name"> & { readonly path: string })[];
  readonly skipped: readonly Skipped[];
}

/** Looks what there is to back up. Changes nothing. */
export async function planBackup(place: Place, choice: BackupChoice): Promise<BackupPlan> {
  const { files } = place.host;
  const { paths } = place;
  // Where the file really is: a configuration may be a link into a folder that is under version control.
  const config = await files.realPath(paths.config);
  const stat = config === undefined ? undefined : await files.stat(config);
  const parts: Part[] = [];
  if (config !== undefined && stat?.kind === "file") {
    const name = basename(paths.config);
    const sources = [{ from: config, name, grows: false, executable: false, size: stat.size }];
    parts.push({ kind: "config", folder: paths.config, at: "payload/config", contents: { sources, skipped: [] } });
  }
  if (!choice.onlyConfig) {
    const workspaces = await workspacesOf(place, choice);
    const inside = workspaces.filter((folder) => folder.startsWith(`${paths.state}/`));
    // What is in the state folder is copied with it, when it is asked for.
    const without = [paths.config, ...(config === undefined ? [] : [config]), ...inside];
    const contents = await stateContents(files, paths.state, without);
    if (contents.sources.length > 0) parts.push({ kind: "state", folder: paths.state, at: "payload/state", contents });
    for (const folder of choice.includeWorkspace ? workspaces : []) {
      const at = `payload/workspace-${parts.length}`;
      parts.push({ kind: "workspace", folder, at, contents: await workspaceContents(files, folder) });
    }
  }
  if (parts.length === 0)
    throw new Failure("not-found", `there is nothing to back up: neither ${paths.config} nor ${paths.state} is there`);
  return {
    assets: parts.map(({ kind, folder, at }) => ({
      kind,
      sourcePath: folder,
      archivePath: kind === "config" ? `${at}/${basename(folder)}` : at,
    })),
    files: parts.flatMap(({ at, contents }) =>
      contents.sources.map(({ name, ...source }) => ({ ...source, path: `${at}/${name}` })),
    ),
    skipped: parts.flatMap(({ contents }) => contents.skipped),
  };
}

interface Part {
  readonly kind: Asset["kind"];
  readonly folder: string;
  readonly at: string;
  readonly contents: Contents;
}

/** The folders of all agents that are there. A configuration that cannot be read says nothing of them: that is refused. */
async function workspacesOf({ host, flavour, paths }: Place, { includeWorkspace }: BackupChoice) {
  const store = await openConfig(
    host,
    flavour,
    paths,
    createLogger(() => host.clock.now(), []),
  );
  const { value, issues } = store.current();
  const broken = issues.find(({ path }) => path === "");
  if (broken && includeWorkspace)
    throw new Failure("config", `${paths.config}: ${broken.message}. Which workspaces there are is not known.`, {
      hints: ["Without them: backup create --no-include-workspace", "Only that file: backup create --only-config"],
    });
  const folders = new Set(agentsOf(value).map((agent) => workspaceOf(agent, value, { host, paths })));
  const found: string[] = [];
  for (const folder of [...folders].toSorted()) {
    if (found.some((outer) => folder.startsWith(`${outer}/`))) continue;
    if (paths.state === folder || paths.state.startsWith(`${folder}/`))
      throw new Failure("config", `the workspace ${folder} holds the state folder ${paths.state}: move one of them`);
    if ((await host.files.stat(folder))?.kind === "folder") found.push(folder);
  }
  return found;
}
