import type { Flavour } from "../host/flavour.ts";
import { basename, join, type Paths } from "../host/paths.ts";
import { VERSION } from "../kit/version.ts";
import { SECRETS_FILE, SECRETS_VARIABLE } from "./secrets.ts";
import type { Scope, ServiceManager, ServiceNames, ServiceUnit } from "./service.ts";

/** Everything that decides what a gateway's service looks like. */
export interface UnitFacts {
  readonly kind: ServiceManager["kind"];
  readonly flavour: Flavour;
  readonly paths: Paths;
  readonly names: ServiceNames;
  readonly scope: Scope;
  readonly home: string;
  /** Executable and leading arguments. */
  readonly program: readonly string[];
  readonly port: number;
  /** `PATH` of the service. */
  readonly path: string;
  readonly secrets: Readonly<Record<string, string>>;
  readonly user: string | undefined;
  readonly drainMs: number;
  readonly notifies: boolean;
  readonly backsOff: boolean;
}

/** The unit of one profile's gateway. Pure: the same facts make the same unit. */
export function gatewayUnit(facts: UnitFacts): ServiceUnit {
  const { flavour, paths, names, scope, home, program, port, secrets } = facts;
  const logs = join(paths.state, "logs");
  const version = `v${VERSION}`;
  const about = paths.profile === "" ? version : `profile: ${paths.profile}, ${version}`;
  return {
    names,
    scope,
    description: `${flavour.title} Gateway (${about})`,
    program: [...program, "gateway", "--port", String(port)],
    environment: environmentOf(facts),
    secrets,
    secretsFile: join(paths.state, SECRETS_FILE),
    home,
    stateFolder: paths.state,
    user: scope === "system" ? facts.user : undefined,
    logFile: join(logs, "gateway.log"),
    errorFile: join(logs, "gateway.err.log"),
    drainMs: facts.drainMs,
    notifies: facts.notifies,
    backsOff: facts.backsOff,
  };
}

function environmentOf(facts: UnitFacts): Readonly<Record<string, string>> {
  const { kind, flavour, paths, names, home, path, port, secrets } = facts;
  const [prefix = ""] = flavour.envPrefixes;
  const named = {
    launchd: { LAUNCHD_LABEL: names.launchd },
    systemd: { SYSTEMD_UNIT: names.systemd },
    schtasks: { WINDOWS_TASK_NAME: names.schtasks },
  }[kind];
  const own: Readonly<Record<string, string>> = {
    GATEWAY_PORT: String(port),
    ...named,
    SERVICE_MARKER: flavour.id,
    SERVICE_KIND: "gateway",
    SERVICE_VERSION: VERSION,
    ...(paths.profile === "" ? {} : { PROFILE: paths.profile }),
    ...(isSelfEvident(facts) ? {} : { STATE_DIR: paths.state, CONFIG_PATH: paths.config }),
    ...(Object.keys(secrets).length > 0 ? { [SECRETS_VARIABLE]: join(paths.state, SECRETS_FILE) } : {}),
  };
  return {
    HOME: home,
    PATH: path,
    ...Object.fromEntries(Object.entries(own).map(([name, value]) => [prefix + name, value])),
  };
}

/**
 * Whether the program would find this state folder without being told. A program by another name than its flavour's
 * looks which folders are there, and must not come to another answer once it is a service.
 */
function isSelfEvident({ flavour, paths, home, program }: UnitFacts): boolean {
  const state = join(home, flavour.stateFolder);
  const name = basename((program.at(-1) ?? "").replaceAll("\\", "/")).replace(/\.(js|ts|mjs|exe|cmd)$/, "");
  return name === flavour.id && paths.state === state && paths.config === join(state, flavour.configFile);
}
