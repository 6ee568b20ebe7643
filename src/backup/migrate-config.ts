import { same, withValue } from "../config/differences.ts";
import { editText } from "../config/edit.ts";
import { resolveIncludes } from "../config/include.ts";
import { migrateLegacy } from "../config/legacy.ts";
import { mapValues, parseConfig } from "../config/parse.ts";
import { valueAt } from "../config/path.ts";
import { flavours } from "../host/flavour.ts";
import type { Files } from "../host/host.ts";
import { join, tildify } from "../host/paths.ts";
import { Failure } from "../kit/error.ts";
import type { Place } from "./plan.ts";

/** A configuration as this program wants it: old keys where they belong now, and paths that lead to the new folder. */
export interface ConvertedConfig {
  readonly from: string;
  readonly text: string;
  /** What was changed in it, such as `gateway.token → gateway.auth.token`. */
  readonly changes: readonly string[];
  readonly notes: readonly string[];
}

/** The configuration of a state folder, whatever its program was called when it was written. */
export async function findConfig(files: Files, source: string): Promise<string | undefined> {
  const names = new Set([...Object.values(flavours).map(({ configFile }) => configFile), "moltbot.json"]);
  for (const name of names) if ((await files.stat(join(source, name)))?.kind === "file") return join(source, name);
  return undefined;
}

/** Reads the configuration of another state folder, and turns it into one for this. Comments stay where they can. */
export async function convertConfig(
  place: Place,
  { source, file }: { readonly source: string; readonly file: string },
): Promise<ConvertedConfig> {
  const { files } = place.host;
  const text = (await files.read(file)) ?? "";
  const written = await parsed(text, file);
  const legacy = migrateLegacy(written);
  const moved = movedPaths(legacy.value, place, source);
  const workspace = await workspaceHint(place, source, moved.value);
  const value =
    workspace === undefined ? moved.value : withValue(moved.value, ["agents", "defaults", "workspace"], workspace);
  return {
    from: file,
    text: await textWith(text, written, value),
    changes: [
      ...legacy.moved,
      ...(moved.count > 0 ? [`${moved.count} paths: ${source} → ${place.paths.state}`] : []),
      ...(workspace === undefined ? [] : [`agents.defaults.workspace: ${workspace}`]),
    ],
    notes: await includeNotes(files, { written, file, source }),
  };
}

async function parsed(text: string, file: string): Promise<unknown> {
  try {
    return await parseConfig(text);
  } catch (error) {
    throw new Failure("config", `${file}: ${Failure.from(error).message}; then migrate again`, { cause: error });
  }
}

/** Values that are paths into the old folder lead into the new one. */
function movedPaths(value: unknown, { host, paths }: Place, source: string): { value: unknown; count: number } {
  const olds = [source, tildify(host, source)];
  let count = 0;
  const move = (child: unknown): unknown => {
    if (typeof child !== "string") return child;
    const old = olds.find((folder) => child === folder || child.startsWith(`${folder}/`));
    if (old === undefined) return child;
    count++;
    return paths.state + child.slice(old.length);
  };
  const deep = (child: unknown): unknown => mapValues(move(child), deep);
  return { value: deep(value), count };
}

/** The workspace that went without saying there, where another one goes without saying here. */
async function workspaceHint({ host, paths }: Place, source: string, value: unknown): Promise<string | undefined> {
  if (valueAt(value, ["agents", "defaults", "workspace"]) !== undefined) return undefined;
  const inside = (await host.files.stat(join(source, "workspace"))) && join(paths.state, "workspace");
  const usual = inside ? [inside] : ["clawd", "clawdbot"].map((name) => join(host.home, name));
  for (const folder of usual)
    if (folder === inside || (await host.files.stat(folder))) return folder === paths.workspace ? undefined : folder;
  return undefined;
}

async function textWith(text: string, before: unknown, after: unknown): Promise<string> {
  if (same(before, after)) return text;
  const edited = editText(text, before, after);
  if (edited !== undefined && same(await parsed(edited, "the converted configuration"), after)) return edited;
  return `${JSON.stringify(after, undefined, 2)}\n`;
}

async function includeNotes(
  files: Files,
  { written, file, source }: { readonly written: unknown; readonly file: string; readonly source: string },
): Promise<readonly string[]> {
  const included = await resolveIncludes(written, { files, file, roots: [source] });
  return [
    ...included.findings.map(({ message }) => message),
    ...included.files.map((each) => `${each} is included, and copied as it is: old keys in it are not moved.`),
  ];
}
