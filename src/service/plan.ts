import type { Flavour } from "../host/flavour.ts";
import type { Host } from "../host/host.ts";
import { basename, setting, type Paths } from "../host/paths.ts";
import { Failure } from "../kit/error.ts";
import { optionIn } from "./command-line.ts";
import { serviceNames } from "./names.ts";
import { ownRuntime, runtimes, serviceProgram, type Runtime, type ServiceProgram } from "./program.ts";
import { servicePath } from "./search-path.ts";
import type { InstalledService, RenderedFile, Scope, ServiceManager, ServiceUnit } from "./service.ts";
import { gatewayUnit } from "./unit.ts";

/** What would be installed now. */
export interface ServicePlan {
  readonly unit: ServiceUnit;
  readonly files: readonly RenderedFile[];
  readonly installed: InstalledService | undefined;
  readonly port: PlannedPort;
  readonly warnings: readonly string[];
}

/** The port that the service is told to listen on, and who said so. */
export interface PlannedPort {
  readonly port: number;
  /** Such as `--port`, `gateway.port`, or `as installed`. */
  readonly source: string;
}

export interface PlanOptions {
  readonly flavour: Flavour;
  readonly paths: Paths;
  readonly manager: ServiceManager;
  readonly scope: Scope;
  /** What the configuration says; no port unless one is written there. */
  readonly configured: {
    readonly port?: number | undefined;
    readonly token?: string | undefined;
    readonly password?: string | undefined;
  };
  /** What the command line says. */
  readonly flags?: {
    readonly port?: number | undefined;
    readonly runtime?: Runtime | undefined;
    readonly token?: string | undefined;
  };
  /** Where a gateway listens that nobody told anything. */
  readonly usualPort: number;
  /** How long the gateway may take to finish what it does when it is told to end. */
  readonly drainMs: number;
  /** The account of a system service. */
  readonly user?: string | undefined;
}

/** Looks at this machine and answers the service that `install` would make of this profile's gateway. Changes nothing. */
export async function planService(host: Host, options: PlanOptions): Promise<ServicePlan> {
  const { flavour, paths, manager, scope, flags = {} } = options;
  const names = serviceNames(host, flavour, paths);
  const [installed, abilities, path] = await Promise.all([
    manager.installed(names, scope),
    manager.abilities(),
    servicePath(host),
  ]);
  const { program, warnings } = await programOf(host, flags.runtime, installed);
  const port = portOf(host, options, installed);
  const unit = gatewayUnit({
    kind: manager.kind,
    flavour,
    paths,
    names,
    scope,
    home: host.home,
    program,
    port: port.port,
    path,
    secrets: secretsOf(host, options, installed),
    user: options.user,
    drainMs: options.drainMs,
    ...abilities,
  });
  return { unit, files: await manager.render(unit), installed, port, warnings };
}

/**
 * Without a wish, the runtime that is installed stays when it starts this very program: whoever asked for it once is not
 * told of a difference by each command that happens to run under another.
 */
async function programOf(
  host: Host,
  runtime: Runtime | undefined,
  installed: InstalledService | undefined,
): Promise<ServiceProgram> {
  const own = await serviceProgram(host, runtime);
  const before = basename((installed?.program[0] ?? "").replaceAll("\\", "/")).replace(/\.exe$/, "");
  const other = runtimes.find((each) => each === before);
  if (runtime !== undefined || !installed || other === undefined || other === ownRuntime(host)) return own;
  try {
    const kept = await serviceProgram(host, other);
    return kept.program.every((word, at) => word === installed.program[at]) ? kept : own;
  } catch (error) {
    // Gone, or too old by now: then it does differ, and that is what is to be said.
    if (Failure.from(error).code === "internal") throw error;
    return own;
  }
}

/** A port that was given to an earlier `install` alone stays: clients know it by now, and nobody took it back. */
function portOf(host: Host, options: PlanOptions, installed: InstalledService | undefined): PlannedPort {
  const { flavour, flags, configured, usualPort } = options;
  const said: readonly (readonly [port: number | undefined, source: string])[] = [
    [flags?.port, "--port"],
    [portHere(host, flavour), `${flavour.envPrefixes[0] ?? ""}GATEWAY_PORT`],
    [configured.port, "gateway.port"],
    [installed && installedPort(installed), "as installed"],
  ];
  const [port = usualPort, source = "default"] = said.find(([each]) => each !== undefined) ?? [];
  return { port, source };
}

function portHere(host: Host, flavour: Flavour): number | undefined {
  const text = setting(host, flavour, "GATEWAY_PORT");
  if (text === undefined) return undefined;
  const port = /^\d{1,5}$/.test(text.trim()) ? Number(text) : 0;
  if (port >= 1 && port <= 65_535) return port;
  throw new Failure("usage", `Invalid port ${JSON.stringify(text)} in GATEWAY_PORT (use a number from 1 to 65535)`);
}

/**
 * What the service must be told because nothing else tells it: the token of the command line, or credentials that only
 * this environment knows. What an earlier installation was given stays, until the configuration has credentials.
 */
function secretsOf(
  host: Host,
  { flavour, flags, configured }: PlanOptions,
  installed: InstalledService | undefined,
): Readonly<Record<string, string>> {
  const [prefix = ""] = flavour.envPrefixes;
  if (flags?.token !== undefined) return { [`${prefix}GATEWAY_TOKEN`]: flags.token };
  if (configured.token !== undefined || configured.password !== undefined) return {};
  const here = (["GATEWAY_TOKEN", "GATEWAY_PASSWORD"] as const).flatMap((name) => {
    const value = setting(host, flavour, name);
    return value === undefined ? [] : [[prefix + name, value] as const];
  });
  return here.length > 0 ? Object.fromEntries(here) : (installed?.secrets ?? {});
}

/** The port that an installed service was told to listen on. */
function installedPort({ program }: InstalledService): number | undefined {
  const text = optionIn(program, "port");
  const port = text !== undefined && /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? port : undefined;
}
