import { openConfig } from "../config/file.ts";
import type { ConfigIssue, ConfigSnapshot } from "../config/config.ts";
import type { Config } from "../config/schema.ts";
import type { Flavour } from "../host/flavour.ts";
import { forceFreePortAndWait } from "../host/free-port.ts";
import type { Host, PortOwner } from "../host/host.ts";
import { absolute, join, setting, tildify, type Paths } from "../host/paths.ts";
import { exit, Failure } from "../kit/error.ts";
import type { Level } from "../kit/log.ts";
import { createTailscale } from "../tailscale/tailscale.ts";
import { DEFAULT_PORT, DEV_PORT } from "./defaults.ts";
import { bootstrapDev, resetDev } from "./dev-profile.ts";
import { loadEncryption } from "./encryption.ts";
import { capErrorFile, printsToFile } from "./error-file.ts";
import { decideExposure, type Exposure, type ExposureRequest, type Refusal } from "./exposure.ts";
import { createGatewayLogs, type GatewayLogs } from "./logs.ts";
import { claimState } from "./ownership.ts";
import { createPublishing, type PublishWish } from "./publishing.ts";
import { recordStart, type Starts, type StartsOptions } from "./starts.ts";
import { otherProfileHolds, portInUse } from "./port-conflict.ts";
import { serveGateway, type Listening, type Serving } from "./serving.ts";
import { logFreedPort } from "./startup-log.ts";
import type { WireLogStyle } from "./wire-log.ts";

export interface ForegroundFlags {
  readonly exposure: ExposureRequest["flags"];
  readonly tailscaleResetOnExit: boolean;
  readonly port: number | undefined;
  readonly allowUnconfigured: boolean;
  readonly dev: boolean;
  readonly reset: boolean;
  readonly force: boolean;
  readonly verbose: boolean;
  readonly wsLog: WireLogStyle;
  readonly claudeCli: boolean;
  readonly rawStream: boolean;
  readonly rawStreamPath: string | undefined;
  readonly json: boolean;
  readonly logLevel: Level | undefined;
}

/** How long a process that is broken may take to say so. */
const crashMs = 2000;

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
  const toFile = printsToFile(host, flavour);
  if (toFile) await capErrorFile(host, paths);
  const logs = createGatewayLogs(host, { ...flags, level: flags.logLevel, printsToFile: toFile });
  const { log } = logs;
  if (flags.reset) await resetDev(host, flavour, paths);
  if (flags.dev) for (const line of await bootstrapDev(host, paths)) log.info(line);

  const refuse = (next: ConfigSnapshot) => refusals(place, flags, next);
  const config = await openConfig(host, flavour, paths, log.child("config"), refuse);
  const snapshot = config.current();
  logs.follow(() => config.current().value.logging);
  const unready = whyUnready(place, snapshot, flags.allowUnconfigured);
  if (unready) throw unready;
  const expose = (): Exposure | Refusal => decideExposure(exposureRequest(place, flags, config.current()));
  const exposure = expose();
  if ("lines" in exposure) throw new Failure("config", exposure.lines[0] ?? "", { hints: exposure.lines.slice(1) });
  const encryption = (keep: boolean) => loadEncryption(place, config.current().value.gateway.tls, { keep });
  // Looked at before anything is touched; made when the state folder is ours.
  await encryption(false);

  logs.toFile(paths.log);
  try {
    for (const note of exposure.notes) log.warn(note);
    for (const { path, message } of snapshot.issues) log.warn(`config: ${path || "<root>"}: ${message}`);
    for (const key of snapshot.unknownKeys) log.warn(`config: ${key} is not a known key; kept and ignored`);
    const port = await choosePort(place, flags, snapshot.value, (line) => log.info(line));
    const told = toldPort(place, flags);
    const portNow = (): number => {
      const configured = config.current().value.gateway.port;
      return told ?? (configured === snapshot.value.gateway.port ? port : configured);
    };
    const ended = flags.force ? await freePort(host, port, log) : [];
    const ownership = await claimState(host, {
      state: paths.state,
      port,
      program,
      command: commandLine(program, host.args),
      ended: ended.map(({ pid }) => pid),
    });
    const mode = safeModeSetting(place);
    // Who stands by has opened nothing that could end it, and may not write here.
    const starts = ownership.owner() ? undefined : await recordStart(host, { state: paths.state, log, mode });
    const stopHearing = host.processes.onCrash?.((error) => void crash(place, { error, logs, starts }));
    const publishing = createPublishing(host, {
      state: paths.state,
      program,
      log,
      tailscale: createTailscale(host),
      wish: () => (ownership.owner() || starts?.safeMode ? undefined : publishWish(flags, config.current().value)),
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
        port: portNow,
        expose,
        async encrypt() {
          const tls = await encryption(ownership.owner() === undefined);
          for (const { message } of tls?.notes ?? []) log.warn(message);
          return tls;
        },
        verbose,
        wsLog,
        rawStream: rawStreamPath(place, flags),
        tailnet: publishing,
        owner: () => ownership.owner(),
        safeMode: () => starts?.safeMode,
        leaveSafeMode: async () => starts?.again(),
        onRestartRequest: (reason: string) => serving?.restart(reason),
      },
      /** Serves the open gateway until a signal ends it; answers the exit status. */
      async serve(gateway: Listening): Promise<number> {
        const around = { host, flavour, paths, program, config, logs, ownership, starts, stopHearing, publishing };
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
        const failure = Failure.from(error);
        await (failure.code === "conflict" || failure.code === "config"
          ? starts?.refused()
          : starts?.failed(failure.message));
        stopHearing?.();
        await ownership.release();
        await logs.close();
        return failure.code === "conflict" ? portInUse(host, port, program) : failure;
      },
    };
  } catch (error) {
    await logs.close();
    throw error;
  }
}

/** Why a start with this configuration would be refused: a gateway that runs does not take it over either. */
function refusals(place: Place, flags: ForegroundFlags, snapshot: ConfigSnapshot): readonly ConfigIssue[] {
  const unready = whyUnready(place, snapshot, flags.allowUnconfigured);
  if (unready) return [{ path: "gateway", message: unready.message }];
  const exposure = decideExposure(exposureRequest(place, flags, snapshot));
  return "lines" in exposure ? [{ path: "gateway", message: exposure.lines.join(" ") }] : [];
}

function whyUnready(
  { host, paths, program }: Place,
  snapshot: ConfigSnapshot,
  allowUnconfigured: boolean,
): Failure | undefined {
  const file = tildify(host, paths.config);
  const [unsafe] = snapshot.unsafe;
  if (unsafe)
    return new Failure("config", `Gateway start blocked: ${unsafe.path || "<root>"}: ${unsafe.message}`, {
      hints: [
        ...snapshot.unsafe.slice(1).map(({ path, message }) => `- ${path || "<root>"}: ${message}`),
        `File: ${file}`,
      ],
    });
  if (allowUnconfigured) return undefined;
  if (!snapshot.exists)
    return new Failure(
      "config",
      `Missing config. Run \`${program} setup\` or set gateway.mode=local (or pass --allow-unconfigured).`,
    );
  const { mode } = snapshot.value.gateway;
  if (mode === "local") return undefined;
  return new Failure(
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

function exposureRequest({ host, flavour }: Place, flags: ForegroundFlags, { value }: ConfigSnapshot): ExposureRequest {
  return {
    flags: flags.exposure,
    environment: {
      token: setting(host, flavour, "GATEWAY_TOKEN"),
      password: setting(host, flavour, "GATEWAY_PASSWORD"),
    },
    config: value.gateway,
    interfaces: host.net.interfaces(),
    dualStack: host.net.dualStack,
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
  const told = toldPort({ host, flavour }, flags);
  const port = told ?? config.gateway.port;
  const mayMove = flags.dev && !flags.force && told === undefined && port === DEFAULT_PORT;
  if (!mayMove || !(await otherProfileHolds(host, paths, port))) return port;
  say(`dev: port ${port} belongs to the gateway of another profile; using ${DEV_PORT}`);
  return DEV_PORT;
}

function toldPort({ host, flavour }: Pick<Place, "host" | "flavour">, flags: ForegroundFlags): number | undefined {
  return flags.port ?? portFromEnvironment(setting(host, flavour, "GATEWAY_PORT"));
}

function portFromEnvironment(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = /^\d{1,5}$/.test(text.trim()) ? Number(text) : 0;
  if (port >= 1 && port <= 65_535) return port;
  throw new Failure("usage", `Invalid port ${JSON.stringify(text)} in GATEWAY_PORT (use a number from 1 to 65535)`);
}

/** Flags win over the configuration. */
function publishWish(flags: ForegroundFlags, { gateway: { tailscale, controlUi } }: Config): PublishWish {
  return {
    mode: flags.exposure.tailscale ?? tailscale.mode,
    resetOnExit: flags.tailscaleResetOnExit || tailscale.resetOnExit,
    basePath: controlUi.basePath,
  };
}

/** Where to keep what models say as it comes; undefined unless somebody asks for it. */
function rawStreamPath({ host, flavour, paths }: Place, flags: ForegroundFlags): string | undefined {
  if (!flags.rawStream && setting(host, flavour, "RAW_STREAM") !== "1") return undefined;
  const path = flags.rawStreamPath ?? setting(host, flavour, "RAW_STREAM_PATH");
  return path === undefined ? join(paths.state, "logs", "raw-stream.jsonl") : absolute(host, path);
}

function safeModeSetting({ host, flavour }: Place): StartsOptions["mode"] {
  const text = setting(host, flavour, "SAFE_MODE") ?? "auto";
  if (text === "auto" || text === "on" || text === "off") return text;
  throw new Failure("usage", `Invalid value ${JSON.stringify(text)} in SAFE_MODE (use "auto", "on" or "off")`);
}

/** Ends the process for an error that nobody caught, with the reason kept for the next start. */
async function crash(
  { host }: Place,
  { error, logs, starts }: { error: unknown; logs: GatewayLogs; starts: Starts | undefined },
): Promise<void> {
  const { message } = Failure.from(error);
  const trace = error instanceof Error ? error.stack : undefined;
  logs.log.error("ending for an error that nobody caught", { error: message, trace });
  // What is broken may be just what these need.
  host.clock.after(crashMs, () => host.processes.exit(exit.failed));
  await starts?.failed(message);
  await logs.close();
  host.processes.exit(exit.failed);
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
