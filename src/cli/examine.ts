import * as v from "valibot";
import type { Check, CheckContext, Finding, Fix, GatewayAnswer, KnownConfig, Wishes } from "../checks/check.ts";
import type { CommandContext } from "../commands/command.ts";
import { same } from "../config/differences.ts";
import { openConfig } from "../config/file.ts";
import { parseConfig } from "../config/parse.ts";
import { configSchema } from "../config/schema.ts";
import { readRuntime } from "../host/runtime-file.ts";
import { walk } from "../host/walk.ts";
import { Failure } from "../kit/error.ts";
import { isObject, type JsonObject } from "../kit/json.ts";
import { createLogger } from "../kit/log.ts";
import { isSecretKey, redact } from "../kit/redact.ts";
import { openConfigDoor } from "./config-door.ts";
import { clean } from "./layout.ts";
import { at, textAt } from "./pick.ts";
import { open, targetOf, type ReachContext } from "./reach.ts";
import { callOf } from "./service-place.ts";

type Context = Pick<CommandContext, "host" | "flavour" | "paths" | "program" | "output" | "signal">;

/** What one check found. */
export interface Examined {
  readonly check: Check;
  readonly findings: readonly Finding[];
}

/** Asks every check, all at the same time. None of them can fail the rest: one that throws or hangs is a finding. */
export async function examine(
  context: Context,
  checks: readonly Check[],
  wishes: Wishes,
): Promise<readonly Examined[]> {
  const given = await contextOf(context, wishes);
  return Promise.all(checks.map(async (check) => ({ check, findings: await ask(context, check, given) })));
}

/** What was done to put findings right, and what could not be. */
export interface Change {
  readonly code: string;
  readonly ok: boolean;
  readonly message: string;
}

/** Puts right what can be, one thing after the other; `agrees` decides on each that changes what a person wrote. */
export async function repair(
  examined: readonly Examined[],
  agrees: (fix: Fix) => Promise<boolean>,
): Promise<readonly Change[]> {
  const done = new Set<Fix>();
  const changes: Change[] = [];
  for (const { code, fix } of examined.flatMap(({ findings }) => findings)) {
    // Several findings may share one repair.
    if (!fix || done.has(fix) || (fix.asks && !(await agrees(fix)))) continue;
    done.add(fix);
    try {
      changes.push({ code, ok: true, message: await fix.apply() });
    } catch (error) {
      const failure = Failure.from(error);
      if (failure.code === "aborted") throw failure;
      changes.push({ code, ok: false, message: `${fix.question} It failed: ${clean(redact(failure.message))}` });
    }
  }
  return changes;
}

async function ask({ host, signal }: Context, check: Check, given: CheckContext): Promise<readonly Finding[]> {
  const patience = given.wishes.deep ? 3 * patienceMs : patienceMs;
  let stop = (): void => undefined;
  const late = new Promise<never>((_, reject) => {
    stop = host.clock.after(patience, () => reject(new Failure("timeout", `no answer within ${patience / 1000}s`)));
  });
  try {
    const findings = await Promise.race([check.look(given), late]);
    return findings.map((finding) => ({ ...finding, message: clean(masked(finding.message, given.config)) }));
  } catch (error) {
    signal.throwIfAborted();
    const message = clean(masked(redact(Failure.from(error).message), given.config));
    return [{ code: "check-failed", level: "warning", message: `This could not be looked at: ${message}.` }];
  } finally {
    stop();
  }
}

const patienceMs = 10_000;

/** Without the secrets that are known here: one may stand where no rule looks for it, such as under a wrong key. */
function masked(text: string, { snapshot, environment }: KnownConfig): string {
  const { token, password } = snapshot.value.gateway.auth;
  const gateway = at(snapshot.source, "gateway");
  const named = Object.entries(environment).filter(([name]) => isSecretKey(name));
  return [token, password, at(gateway, "token"), at(gateway, "auth", "token"), ...named.map(([, value]) => value)]
    .filter((secret) => typeof secret === "string" && secret.length >= 8)
    .reduce<string>((clear, secret) => clear.replaceAll(String(secret), "***"), text);
}

async function contextOf(context: Context, wishes: Wishes): Promise<CheckContext> {
  const { host, flavour, paths } = context;
  const once = <T>(work: () => Promise<T>): (() => Promise<T>) => {
    let answer: Promise<T> | undefined;
    return () => (answer ??= work());
  };
  return {
    host,
    flavour,
    paths,
    program: callOf(context),
    config: await readConfig(context),
    wishes,
    files: once(() => walk(host.files, paths.state, { limit: 20_000, enter: (name) => !foreign.test(name) })),
    gateway: once(() => askGateway(context)),
    changeConfig: (edit) => changeConfig(context, edit),
  };
}

/** Folders of the state that hold what is not the gateway's own, and may be large. */
const foreign = /^(workspace[^/]*|trash|sandboxes|skills|extensions)$|(^|\/)(\.git|node_modules)$/;

async function readConfig({ host, flavour, paths }: Context): Promise<KnownConfig> {
  try {
    const store = await openConfig(host, flavour, paths, silent(host));
    return {
      snapshot: store.current(),
      environment: store.environment?.() ?? host.env,
      included: store.includedFiles?.() ?? [],
    };
  } catch (error) {
    const snapshot = {
      path: paths.config,
      exists: true,
      raw: null,
      hash: "",
      parsed: undefined,
      source: undefined,
      value: v.parse(configSchema, {}),
      valid: false,
      issues: [],
      warnings: [],
      unknownKeys: [],
      disabled: [],
      unsafe: [],
    };
    return { snapshot, trouble: redact(Failure.from(error).message), environment: host.env, included: [] };
  }
}

function silent(host: Context["host"]) {
  return createLogger(() => host.clock.now(), []);
}

async function askGateway(context: Context): Promise<GatewayAnswer> {
  const { host, paths } = context;
  // What is wrong with the configuration is said once, by its own check.
  const output = { ...context.output, warn: () => undefined };
  const reach: ReachContext = {
    ...context,
    output,
    options: { url: undefined, token: undefined, password: undefined, timeout: 5000 },
  };
  const runtime = await readRuntime(host.files, paths.state).catch(() => undefined); // the check of that file says why
  const running = runtime && host.processes.alive(runtime.pid) ? runtime : undefined;
  let url: string | undefined;
  try {
    const target = await targetOf(reach);
    ({ url } = target);
    // An older gateway is reachable too (protocol.md 2.5).
    const client = await open(reach, target, { scopes: ["operator.read"], protocol: { min: 3, max: 4 } });
    try {
      const { payload, latencyMs } = client.hello;
      const health = await client.request("health", {});
      const version = textAt(payload, "server", "version");
      return { running, url, source: target.source, version, latencyMs, ...(isObject(health) ? { health } : {}) };
    } finally {
      client.close();
    }
  } catch (error) {
    const failure = Failure.from(error);
    if (failure.code === "aborted") throw failure;
    return { running, url, error: failure.message };
  }
}

/** The written value is read from the file at the last moment: what others changed since is kept. */
async function changeConfig(context: Context, edit: (written: unknown) => unknown): Promise<void> {
  const { host, paths } = context;
  const options = { url: undefined, token: undefined, password: undefined, timeout: 10_000 };
  const door = await openConfigDoor({ ...context, options }, "doctor");
  const written = await parseConfig((await host.files.read(paths.config)) ?? "{}");
  await door.patch(patchBetween(written, edit(written)));
}

/** The JSON merge patch (RFC 7396) that makes `after` of `before`: lists are given whole. */
function patchBetween(before: unknown, after: unknown): unknown {
  if (!isObject(before) || !isObject(after)) return after;
  const patch: JsonObject = {};
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (!Object.hasOwn(after, key)) patch[key] = null;
    else if (!same(before[key], after[key])) patch[key] = patchBetween(before[key], after[key]);
  }
  return patch;
}
