import { openConfig } from "../config/file.ts";
import type { ConfigSnapshot, ConfigStore } from "../config/config.ts";
import type { Config } from "../config/schema.ts";
import type { Flavour } from "../host/flavour.ts";
import { forceFreePortAndWait } from "../host/free-port.ts";
import type { Host, PortOwner } from "../host/host.ts";
import { setting, tildify, type Paths } from "../host/paths.ts";
import { Failure } from "../kit/error.ts";
import type { Level } from "../kit/log.ts";
import { DEFAULT_PORT, DEV_PORT } from "./defaults.ts";
import { bootstrapDev, resetDev } from "./dev-profile.ts";
import { decideExposure, type Exposure, type ExposureRequest, type Refusal } from "./exposure.ts";
import { createGatewayLogs, type GatewayLogs } from "./logs.ts";
import { claimState } from "./ownership.ts";
import { otherProfileHolds, portInUse } from "./port-conflict.ts";
import { serveGateway, type Listening, type Serving } from "./serving.ts";
import { logFreedPort } from "./startup-log.ts";
import type { WireLogStyle } from "./wire-log.ts";

export interface ForegroundFlags {
  readonly exposure: ExposureRequest["flags"];
  readonly port: number | undefined;
  readonly allowUnconfigured: boolean;
  readonly dev: boolean;
  readonly reset: boolean;
  readonly force: boolean;
  readonly verbose: boolean;
  readonly wsLog: WireLogStyle;
  readonly claudeCli: boolean;
  readonly json: boolean;
  readonly logLevel: Level | undefined;
}

export interface Place {
  readonly host: Host;
  readonly flavour: Flavour;
  readonly paths: Paths;
  readonly program: string;
}

/**
 * Everything between the command line and an open socket: makes the dev profile, reads the configuration, refuses what
 * is unsafe, frees the port, takes the state folder. Answers what to open the gateway with, and how to serve it then.
 */
export async function prepareGateway(place: Place, flags: ForegroundFlags) {
  const { host, flavour, paths, program } = place;
  const logs = createGatewayLogs(host, { ...flags, level: flags.logLevel });
  const { log } = logs;
  if (flags.reset) await resetDev(host, flavour, paths);
  if (flags.dev) for (const line of await bootstrapDev(host, paths)) log.info(line);

  const config = await openConfig(host, flavour, paths, log.child("config"));
  const snapshot = config.current();
  logs.configure(snapshot.value.logging);
  refuseUnready(place, snapshot, flags.allowUnconfigured);
  const expose = (): Exposure | Refusal => decideExposure(exposureRequest(place, flags, config));
  const exposure = expose();
  if ("lines" in exposure) throw new Failure("config", exposure.lines[0] ?? "", { hints: exposure.lines.slice(1) });

  const logFile = logs.toFile(snapshot.value.logging.file ?? paths.log);
  try {
    for (const note of exposure.notes) log.warn(note);
    for (const { path, message } of snapshot.issues) log.warn(`config: ${path || "<root>"}: ${message}`);
    for (const key of snapshot.unknownKeys) log.warn(`config: ${key} is not a known key; kept and ignored`);
    const port = await choosePort(place, flags, snapshot.value, (line) => log.info(line));
    const ended = flags.force ? await freePort(host, port, log) : [];
    const ownership = await claimState(host, {
      state: paths.state,
      port,
      program,
      command: commandLine(program, host.args),
      ended: ended.map(({ pid }) => pid),
    });
    let serving: Serving | undefined;
    const { verbose, wsLog } = flags;
    return {
      options: {
        host,
        flavour,
        paths,
        config,
        log,
        port,
        expose,
        verbose,
        wsLog,
        owner: () => ownership.owner(),
        onRestartRequest: (reason: string) => serving?.restart(reason),
      },
      /** Serves the open gateway until a signal ends it; answers the exit status. */
      async serve(gateway: Listening): Promise<number> {
        const around = { host, flavour, paths, config, lan: exposure.lan, logs, logFile, ownership };
        try {
          serving = await serveGateway(around, gateway);
        } catch (error) {
          await gateway.close("gateway failed to start");
          throw error;
        }
        return serving.ended;
      },
      /** Undoes the preparation when the gateway could not be opened or served; answers what to tell. */
      async abandon(error: unknown): Promise<Failure> {
        await ownership.release();
        await logs.close();
        const failure = Failure.from(error);
        return failure.code === "conflict" ? portInUse(host, port, program) : failure;
      },
    };
  } catch (error) {
    await logs.close();
    throw error;
  }
}

function refuseUnready({ host, paths, program }: Place, snapshot: ConfigSnapshot, allowUnconfigured: boolean): void {
  const file = tildify(host, paths.config);
  const [unsafe] = snapshot.unsafe;
  if (unsafe)
    throw new Failure("config", `Gateway start blocked: ${unsafe.path}: ${unsafe.message}`, {
      hints: [...snapshot.unsafe.slice(1).map(({ path, message }) => `- ${path}: ${message}`), `File: ${file}`],
    });
  if (allowUnconfigured) return;
  if (!snapshot.exists)
    throw new Failure(
      "config",
      `Missing config. Run \`${program} setup\` or set gateway.mode=local (or pass --allow-unconfigured).`,
    );
  const { mode } = snapshot.value.gateway;
  if (mode === "local") return;
  throw new Failure(
    "config",
    `Gateway start blocked: set gateway.mode=local (current: ${mode ?? "unset"}) or pass --allow-unconfigured.`,
    {
      hints: [
        `Set up:          ${program} onboard`,
        `Or by hand:      {"gateway":{"mode":"local"}} in ${file}`,
        `Or just a try:   ${program} gateway --allow-unconfigured`,
      ],
    },
  );
}

function exposureRequest({ host, flavour }: Place, flags: ForegroundFlags, config: ConfigStore): ExposureRequest {
  return {
    flags: flags.exposure,
    environment: {
      token: setting(host, flavour, "GATEWAY_TOKEN"),
      password: setting(host, flavour, "GATEWAY_PASSWORD"),
    },
    config: config.current().value.gateway,
    interfaces: host.net.interfaces(),
    envPrefix: flavour.envPrefixes[0] ?? "",
  };
}

/** Flag, environment, configuration; a dev profile that was told nothing makes way for another profile's gateway. */
async function choosePort(
  { host, flavour, paths }: Place,
  flags: ForegroundFlags,
  config: Config,
  say: (line: string) => void,
): Promise<number> {
  const told = flags.port ?? portFromEnvironment(setting(host, flavour, "GATEWAY_PORT"));
  const port = told ?? config.gateway.port;
  const mayMove = flags.dev && !flags.force && told === undefined && port === DEFAULT_PORT;
  if (!mayMove || !(await otherProfileHolds(host, paths, port))) return port;
  say(`dev: port ${port} belongs to the gateway of another profile; using ${DEV_PORT}`);
  return DEV_PORT;
}

function portFromEnvironment(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = /^\d{1,5}$/.test(text.trim()) ? Number(text) : 0;
  if (port >= 1 && port <= 65_535) return port;
  throw new Failure("usage", `Invalid port ${JSON.stringify(text)} in GATEWAY_PORT (use a number from 1 to 65535)`);
}

async function freePort(host: Host, port: number, log: GatewayLogs["log"]): Promise<readonly PortOwner[]> {
  const freed = await forceFreePortAndWait(host, port);
  logFreedPort(log, port, freed);
  return freed.killed;
}

/** What others are told of this process; its secrets are nobody else's business. */
function commandLine(program: string, args: readonly string[]): string {
  const secret = /^--(token|password)$/;
  return [program, ...args.map((arg, at) => (secret.test(args[at - 1] ?? "") ? "***" : arg))]
    .join(" ")
    .replace(/(--(?:token|password)=)\S+/g, "$1***");
}
