import { connect, type CallOptions, type Client, type ConnectOptions } from "../client/client.ts";
import { deviceAuth } from "../client/device-auth.ts";
import { detailCode } from "../client/failures.ts";
import { isInTheClear, isLoopback, resolveTarget, targetLines, type Target } from "../client/target.ts";
import type { MethodName, ParamsOf, ResultOf } from "../client/typed.ts";
import type { CommandContext } from "../commands/command.ts";
import { Failure } from "../kit/error.ts";
import { listAt, stringAt, textAt } from "./pick.ts";
import { targetFacts } from "./settings.ts";
import { troubleOf, wantsSecret } from "./trouble.ts";

/** What reaching a gateway needs of a command's context; its options are `clientOptions` or some of them. */
export interface ReachContext extends Pick<
  CommandContext,
  "host" | "flavour" | "program" | "paths" | "output" | "signal"
> {
  readonly options: {
    readonly url: string | undefined;
    readonly token: string | undefined;
    readonly password: string | undefined;
    readonly "tls-fingerprint"?: string | undefined;
    readonly timeout: number;
  };
}

export interface Asked {
  /** The least that the method needs; what the gateway says is missing is added once. */
  readonly scopes: readonly string[];
  readonly call?: CallOptions;
}

/** Asks the command's gateway one question over a connection of its own. */
export async function ask<N extends MethodName>(
  context: ReachContext,
  method: N,
  params: ParamsOf<N>,
  asked: Asked,
): Promise<ResultOf<N>> {
  return (await askAny(context, method, params, asked)) as ResultOf<N>;
}

/** The same for a method that this version may not know. */
export async function askAny(context: ReachContext, method: string, params: unknown, asked: Asked): Promise<unknown> {
  const once = (scopes: readonly string[]) =>
    withGateway(context, scopes, (client) => client.request(method, params, asked.call));
  return widening(asked.scopes, once);
}

/** Does something with these scopes, and once more with those that the gateway says are missing. */
export async function widening<T>(
  scopes: readonly string[],
  once: (scopes: readonly string[]) => Promise<T>,
): Promise<T> {
  try {
    return await once(scopes);
  } catch (error) {
    // Refused before it ran, so asking again is safe; starting with every scope would give each call all power.
    const missing =
      error instanceof Failure && detailCode(error.details) === "MISSING_SCOPE" ? requiredScopes(error) : [];
    const wider = [...new Set([...scopes, ...missing])];
    if (wider.length === scopes.length) throw error;
    return once(wider);
  }
}

/** Opens a connection to the command's gateway, uses it and closes it. */
export async function withGateway<T>(
  context: ReachContext,
  scopes: readonly string[],
  use: (client: Client, target: Target) => Promise<T>,
): Promise<T> {
  const target = await targetOf(context);
  const client = await open(context, target, { scopes });
  try {
    return await use(client, target);
  } finally {
    client.close();
  }
}

/** The gateway that this command talks to. */
export async function targetOf(context: ReachContext): Promise<Target> {
  const { url, token, password, "tls-fingerprint": fingerprint } = context.options;
  return resolveTarget(await targetFacts(context, { url, token, password, fingerprint }));
}

/** Connects to a target; a failure says which gateway was meant and what to do. */
export async function open(
  context: ReachContext,
  target: Target,
  wanted: Pick<ConnectOptions, "scopes" | "protocol" | "onEvent" | "onClose">,
): Promise<Client> {
  const { host, output, options, signal, paths } = context;
  const { token, password } = target.credentials;
  const known = token !== undefined || password !== undefined;
  const remote = isLoopback(target.url) ? undefined : await remoteDevice(context, target, known);
  if (isInTheClear(target.url) && (known || remote?.deviceToken !== undefined)) warnInTheClear(context, target);
  const work = connect(host, {
    ...wanted,
    url: target.url,
    // Without a secret, `gateway-client` is the one client without a device that is served (protocol.md 3.4).
    client: known || remote ? { id: "cli", mode: "cli" } : { id: "gateway-client", mode: "backend" },
    token,
    password,
    identity: remote?.identity,
    deviceToken: remote?.deviceToken,
    fingerprint: target.fingerprint,
    certificate: target.certificate,
    timeoutMs: options.timeout,
    signal,
  });
  try {
    const client = await output.progress(`Connecting to ${target.url}`, work);
    const issued = stringAt(client.hello.payload, "auth", "deviceToken");
    if (remote && issued) await deviceAuth(host, paths.state).remember(target.url, issued);
    return client;
  } catch (error) {
    throw explained(Failure.from(error), target, known, context.program);
  }
}

/** From another machine, this one is a device: it proves its key, and the token it once got does for a secret. */
async function remoteDevice({ host, paths }: ReachContext, target: Target, known: boolean) {
  const { openIdentity } = await import("../pairing/identity.ts");
  const identity = await openIdentity(host, paths.state);
  return { identity, deviceToken: known ? undefined : await deviceAuth(host, paths.state).tokenFor(target.url) };
}

/** A refusal would lock out phones and machines of a home network, whose gateways have no certificate. */
function warnInTheClear({ output }: ReachContext, { url }: Target): void {
  const { host } = new URL(url);
  output.warn(
    output.errorStyle.yellow(
      `! ws:// to ${host} is not encrypted: whoever listens on that network can read the secret and everything else. Use wss:// (gateway.tls), an SSH tunnel or a tailnet.`,
    ),
    { once: true },
  );
}

function explained(failure: Failure, target: Target, known: boolean, program: string): Failure {
  if (failure.code === "aborted" || failure.code === "usage") return failure;
  const code = detailCode(failure.details) ?? "";
  if (!known && target.kind === "explicit" && wantsSecret.test(code))
    return new Failure("unauthorized", "gateway url override requires explicit credentials", {
      hints: ["Fix: pass --token or --password (or gatewayToken in tools).", `Config: ${target.configPath}`],
      cause: failure,
    });
  return new Failure(failure.code, failure.message, {
    details: failure.details,
    hints: [...targetLines(target), ...troubleOf(failure, target, program).advice],
    retryable: failure.retryable,
    cause: failure,
  });
}

function requiredScopes(failure: Failure): readonly string[] {
  const one = textAt(failure.details, "missingScope");
  const all = listAt(failure.details, "requiredScopes").filter((scope) => typeof scope === "string");
  return one === undefined ? all : [...all, one];
}
