import type { GatewaySettings, TargetFacts } from "../client/target.ts";
import type { CommandContext } from "../commands/command.ts";
import { environmentBlock, layered, readDotEnv, substitute, type Environment } from "../config/environment.ts";
import { parseConfig } from "../config/parse.ts";
import { tailnetAddresses } from "../host/addresses.ts";
import { join, setting } from "../host/paths.ts";
import type { SettingName } from "../host/settings.ts";
import { Failure } from "../kit/error.ts";
import { isObject, parseJson } from "../kit/json.ts";
import { createLogger } from "../kit/log.ts";
import { parseSecrets, SECRETS_FILE } from "../service/secrets.ts";
import { at, stringAt } from "./pick.ts";

type Context = Pick<CommandContext, "host" | "flavour" | "paths" | "output">;

/**
 * Gathers what decides which gateway a command talks to. Reads the file itself instead of opening the configuration:
 * a question to the gateway needs five keys of it and no validation, and is asked even when the rest is broken.
 */
export async function targetFacts(context: Context, flags: TargetFacts["flags"]): Promise<TargetFacts> {
  const { host, flavour, paths } = context;
  // The service's own token is what a gateway that runs as a service asks for.
  const secrets = parseSecrets(await host.files.read(join(paths.state, SECRETS_FILE)));
  const own = layered(host.env, await readDotEnv(host, paths.state));
  const environment = layered(own, secrets);
  const [settings, running] = await Promise.all([readSettings(context, environment), runningGateway(context)]);
  const named = (name: SettingName, env = own) => setting({ env }, flavour, name);
  const port = named("GATEWAY_PORT", environment);
  const encrypted = settings.tls === true || running?.url.startsWith("wss:") === true;
  return {
    flags,
    env: {
      url: named("GATEWAY_URL", environment),
      port: port === undefined ? undefined : validPort(Number(port)),
      token: named("GATEWAY_TOKEN"),
      password: named("GATEWAY_PASSWORD"),
    },
    service: { token: named("GATEWAY_TOKEN", secrets), password: named("GATEWAY_PASSWORD", secrets) },
    settings,
    running,
    certificate: encrypted ? await localClient(context) : undefined,
    tailnetAddress: tailnetAddresses(host.net.interfaces())[0],
    configPath: paths.config,
  };
}

/** What a gateway in the foreground says of itself in its profile's runtime file, while its process lives. */
export async function runningGateway({ host, paths }: Context): Promise<Running | undefined> {
  const document = parseJson((await host.files.read(join(paths.state, "runtime.json"))) ?? "");
  if (!isObject(document)) return undefined;
  const { pid, port, url, startedAt, fingerprint } = document;
  if (typeof pid !== "number" || typeof port !== "number" || typeof url !== "string") return undefined;
  if (!URL.canParse(url) || !host.processes.alive(pid)) return undefined;
  return {
    pid,
    port,
    url,
    ...(typeof fingerprint === "string" ? { fingerprint } : {}),
    startedAt: typeof startedAt === "number" ? startedAt : undefined,
  };
}

export interface Running {
  readonly pid: number;
  readonly port: number;
  readonly url: string;
  /** SHA-256 of its certificate, for `wss`. */
  readonly fingerprint?: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number | undefined;
}

async function readSettings(context: Context, environment: Environment): Promise<GatewaySettings> {
  const gateway = at(await readSource(context, environment), "gateway");
  return {
    mode: stringAt(gateway, "mode"),
    port: validPort(at(gateway, "port")),
    bind: stringAt(gateway, "bind"),
    ...(at(gateway, "tls", "enabled") === true ? await ownTls(context, at(gateway, "tls")) : {}),
    ...credentialsOf(at(gateway, "auth")),
    remote: {
      url: stringAt(gateway, "remote", "url"),
      fingerprint: stringAt(gateway, "remote", "tlsFingerprint"),
      sshTarget: stringAt(gateway, "remote", "sshTarget"),
      sshIdentity: stringAt(gateway, "remote", "sshIdentity"),
      ...credentialsOf(at(gateway, "remote")),
    },
  };
}

/** That the gateway of this machine shows a certificate, and which. */
async function ownTls({ host, paths }: Context, tls: unknown): Promise<Pick<GatewaySettings, "tls" | "fingerprint">> {
  const [{ tlsFiles }, { fingerprintOf }] = await Promise.all([
    import("../tls/place.ts"),
    import("../tls/fingerprint.ts"),
  ]);
  const { cert } = tlsFiles(host, paths.state, { certPath: stringAt(tls, "certPath") });
  try {
    return { tls: true, fingerprint: await fingerprintOf((await host.files.read(cert)) ?? "") };
  } catch {
    return { tls: true }; // not ours to read, as with another user's gateway: what it wrote of itself may do
  }
}

/** Also where the configuration asks for none: the one that runs may be of the time before it was changed. */
async function localClient({ host, paths }: Context): Promise<TargetFacts["certificate"]> {
  const { readLocalClient } = await import("../tls/local-client.ts");
  try {
    return await readLocalClient(host, paths.state);
  } catch {
    return undefined; // not ours to read, as with another user's gateway: it says itself when it asks for one
  }
}

/** The configuration after includes and environment; nothing of it when it cannot be read, which is said. */
export async function readSource(context: Context, environment: Environment): Promise<unknown> {
  const { host, flavour, paths, output } = context;
  const text = await host.files.read(paths.config);
  if (text === undefined) return {};
  try {
    // Files of several parts are rare and have rules of their own: those are worth loading the whole machinery.
    if (text.includes("$include")) return await openWhole(host, flavour, paths);
    const parsed = await parseConfig(text);
    if (!text.includes("${")) return parsed;
    return substitute(parsed, layered(environment, environmentBlock(parsed))).value;
  } catch (error) {
    output.warn(`${paths.config}: ${Failure.from(error).message}. Going on with defaults.`);
    return {};
  }
}

async function openWhole(
  host: Context["host"],
  flavour: Context["flavour"],
  paths: Context["paths"],
): Promise<unknown> {
  const { openConfig } = await import("../config/file.ts");
  return (
    await openConfig(
      host,
      flavour,
      paths,
      createLogger(() => host.clock.now(), []),
    )
  ).current().source;
}

function credentialsOf(section: unknown): { token: string | undefined; password: string | undefined } {
  return { token: stringAt(section, "token"), password: stringAt(section, "password") };
}

function validPort(value: unknown): number | undefined {
  return typeof value === "number" && Number.isInteger(value) && value > 0 && value < 65536 ? value : undefined;
}
