import type { Flavour } from "./flavour.ts";
import type { Host } from "./host.ts";
import type { SettingName } from "./settings.ts";

/** Where one profile of one flavour keeps its things. All absolute. */
export interface Paths {
  /** Empty for the main profile, `dev`, or the name given with `--profile`. */
  readonly profile: string;
  readonly state: string;
  readonly config: string;
  readonly workspace: string;
  readonly log: string;
}

/** The paths of a profile; `*_STATE_DIR` and `*_CONFIG_PATH` move them (cli.md 2.1). */
export function pathsOf(host: Pick<Host, "env" | "home" | "cwd">, flavour: Flavour, profile: string): Paths {
  const suffix = profile ? `-${profile}` : "";
  const state = absolute(host, setting(host, flavour, "STATE_DIR") ?? join(host.home, flavour.stateFolder + suffix));
  return {
    profile,
    state,
    config: absolute(host, setting(host, flavour, "CONFIG_PATH") ?? join(state, flavour.configFile)),
    workspace: join(host.home, flavour.workspace + suffix),
    log: join(state, "logs", "gateway.log"),
  };
}

/** An environment variable by its name without prefix (`GATEWAY_PORT`), this flavour's first; empty counts as unset. */
export function setting(host: Pick<Host, "env">, flavour: Flavour, name: SettingName): string | undefined {
  for (const prefix of flavour.envPrefixes) {
    const value = host.env[prefix + name];
    if (value !== undefined && value !== "") return value;
  }
  return undefined;
}

/** Joins with `/`, which every system accepts, and resolves `.` and `..`. */
export function join(...parts: readonly string[]): string {
  const joined = parts
    .filter((part) => part !== "")
    .join("/")
    .replaceAll("\\", "/");
  const out: string[] = [];
  for (const part of joined.split("/")) {
    if (part === "..") out.pop();
    else if (part !== "." && (part !== "" || out.length === 0)) out.push(part);
  }
  return out.join("/") || "/";
}

export function dirname(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf("/"), 1));
}

export function basename(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

export function isAbsolute(path: string): boolean {
  return path.startsWith("/") || /^[A-Za-z]:[\\/]/.test(path) || path.startsWith("\\\\");
}

/** `~` and relative paths made absolute. */
export function absolute(host: Pick<Host, "home" | "cwd">, path: string): string {
  if (path === "~" || path.startsWith("~/")) return join(host.home, path.slice(1));
  return isAbsolute(path) ? join(path) : join(host.cwd, path);
}

/** For people: the home folder as `~`. */
export function tildify(host: Pick<Host, "home">, path: string): string {
  return path === host.home || path.startsWith(`${host.home}/`) ? `~${path.slice(host.home.length)}` : path;
}
