import { agentsOf, workspaceOf } from "../agent/roster.ts";
import { openConfig } from "../config/file.ts";
import { isLink } from "../host/link.ts";
import { flavours } from "../host/flavour.ts";
import type { Files } from "../host/host.ts";
import { dirname, join, tildify } from "../host/paths.ts";
import { Failure } from "../kit/error.ts";
import { createLogger } from "../kit/log.ts";
import { whileStopped } from "./own-state.ts";
import type { Place } from "./plan.ts";
import { throwAway, type Thrown } from "./trash.ts";

/** Something of this profile that may be thrown away. */
export interface Target {
  readonly path: string;
  readonly kind: "state" | "workspace" | "config" | "part";
  /** The folder that it must really lie in, whatever links are on the way. */
  readonly within?: string;
}

export type ResetScope = "config" | "config+creds+sessions" | "full";

/** What a reset throws away, as far as it is there. */
export async function resetTargets(place: Place, scope: ResetScope): Promise<readonly Target[]> {
  const { paths, host } = place;
  if (scope === "full") return [...(await stateTargets(place)), ...(await workspaceTargets(place))];
  const parts: string[] = [];
  if (scope === "config+creds+sessions") {
    parts.push(join(paths.state, "credentials"));
    for (const id of await host.files.list(join(paths.state, "agents")))
      for (const part of ["agent/auth-profiles.json", "agent/auth.json", "sessions"])
        parts.push(join(paths.state, "agents", id, part));
    // The index of the sessions, the inputs that wait for an answer in them, and where their words are found.
    for (const part of ["sessions", "runs", "search"]) parts.push(join(paths.state, part));
  }
  return present(place, [
    { path: paths.config, kind: "config" },
    ...parts.map((path): Target => ({ path, kind: "part", within: paths.state })),
  ]);
}

/** The state folder, and the configuration when it lies elsewhere. */
export async function stateTargets(place: Place): Promise<readonly Target[]> {
  const { state, config } = place.paths;
  const outside: Target[] = config.startsWith(`${state}/`) ? [] : [{ path: config, kind: "config" }];
  return present(place, [{ path: state, kind: "state" }, ...outside]);
}

/** The folders of all agents that the state folder does not hold. */
export async function workspaceTargets(place: Place): Promise<readonly Target[]> {
  const { host, flavour, paths } = place;
  const store = await openConfig(
    host,
    flavour,
    paths,
    createLogger(() => host.clock.now(), []),
  );
  const { value } = store.current();
  const folders = new Set(agentsOf(value).map((agent) => workspaceOf(agent, value, { host, paths })));
  const targets = [...folders].map((path): Target => ({ path, kind: "workspace" }));
  return present(place, targets);
}

async function present({ host }: Place, targets: readonly Target[]): Promise<readonly Target[]> {
  const found = await Promise.all(
    targets.map(async (target) => ((await host.files.stat(target.path)) ? [target] : [])),
  );
  return found.flat();
}

/**
 * Throws all of it away, one after the other, and tells of each. Refuses before the first when one of them is not
 * plainly this profile's own, or while a gateway runs.
 */
export async function throwAll(
  { host, paths }: Place,
  targets: readonly Target[],
  told: (target: Target, thrown: Thrown) => void,
): Promise<void> {
  await refuseStrange(host, targets);
  await whileStopped(host, paths.state, "remove this", async () => {
    for (const target of targets) {
      // What lay in a folder that went before is gone with it.
      if (await host.files.stat(target.path)) told(target, await throwAway(host, target.path));
    }
  });
}

/** Throws for what is not plainly a state folder or a workspace: a variable or a link may have made it mean something else. */
export async function refuseStrange(host: Place["host"], targets: readonly Target[]): Promise<void> {
  for (const { path, kind, within } of targets) {
    const refuse = (why: string): never => {
      throw new Failure("forbidden", `Refusing to remove ${tildify(host, path)}: ${why}.`, {
        hints: ["Nothing was removed. If you are sure, remove it by hand."],
      });
    };
    if (kind === "config" && (await host.files.stat(path))?.kind !== "file")
      refuse("the configuration is a file, and this is none");
    if (within !== undefined && (await leadsAway(host.files, path, within)))
      refuse("a link on the way to it leads somewhere else");
    if (kind === "config" || kind === "part") continue;
    if (`${host.home}/`.startsWith(`${path}/`) || path === "/" || path.split("/").filter(Boolean).length < 2)
      refuse("it holds far more than this program's own files");
    if (await isLink(host.files, path)) refuse("it is a link to somewhere else");
    const names = await host.files.list(path);
    const known = kind === "state" ? stateMarks : workspaceMarks;
    if (names.length > 0 && !names.some((name) => known.has(name))) refuse("nothing in it is of this program");
  }
}

async function leadsAway(files: Files, path: string, within: string): Promise<boolean> {
  const [folder, root] = await Promise.all([files.realPath(dirname(path)), files.realPath(within)]);
  if (folder === undefined || root === undefined) return false;
  return join(folder) !== join(root, dirname(path).slice(within.length));
}

const stateMarks: ReadonlySet<string> = new Set(
  ["agents", "devices", "identity", "sessions", "credentials", "runs", "config-history"].concat(
    Object.values(flavours).map(({ configFile }) => configFile),
  ),
);
const workspaceMarks: ReadonlySet<string> = new Set(
  "AGENTS.md SOUL.md TOOLS.md IDENTITY.md USER.md HEARTBEAT.md BOOTSTRAP.md MEMORY.md memory canvas".split(" "),
);
