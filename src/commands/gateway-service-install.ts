import { asRoot, awaitRunning, callOf, placeOf, runtimeWord, type Place } from "../cli/service-place.ts";
import type { Verdict } from "../cli/service-verdict.ts";
import { runningGateway, targetFacts } from "../cli/settings.ts";
import { DEFAULT_PORT, drainMs } from "../gateway/defaults.ts";
import { tildify } from "../host/paths.ts";
import { Failure } from "../kit/error.ts";
import { shownCommand } from "../service/command-line.ts";
import { unitDrift } from "../service/drift.ts";
import { logHints } from "../service/log-hints.ts";
import { planService, type ServicePlan } from "../service/plan.ts";
import { runtimes, type Runtime } from "../service/program.ts";
import type { Lingering, ServiceManager } from "../service/service.ts";
import { renderSecrets } from "../service/secrets.ts";
import type { CommandContext } from "./command.ts";
import type { installOptions } from "./gateway-service.ts";

type Context = CommandContext<typeof installOptions>;

/** Installs the service of this profile as it would be now, unless one is there. */
export async function installService(
  context: Context,
): Promise<{ readonly manager: ServiceManager; readonly verdict: Verdict }> {
  const { options } = context;
  const runtime = runtimeFrom(options.runtime);
  const found = await placeOf(context, options.system);
  // To install is a wish of its own: a service of the machine does not stand for one's own.
  const place: Place = { ...found, scope: options.system ? "system" : "user" };
  const { manager, names, scope } = place;
  const user = scope === "system" && !options["dry-run"] ? await accountOf(context) : undefined;
  const { settings } = await targetFacts(context, {});
  const plan = await planService(context.host, {
    ...context,
    manager,
    scope,
    configured: settings,
    flags: { port: options.port, runtime, token: options.token },
    usualPort: DEFAULT_PORT,
    drainMs,
    user,
  });
  if (options["dry-run"]) return { manager, verdict: await planned(context, place, plan) };
  const { loaded, runtime: before } = await manager.state(names, scope);
  const drifts = plan.installed ? unitDrift(plan.installed, plan) : [];
  if (plan.installed && !options.force && (loaded || drifts.length > 0)) {
    const again = `${callOf(context)} gateway install --force`;
    const message = `Gateway service already ${loaded ? manager.words.loaded : "installed"}.`;
    const warnings = drifts.map((each) => `unit differs: ${each.message}; run ${again}`);
    const lines = [message, `Reinstall with: ${again}`];
    return { manager, verdict: { result: "already-installed", loaded, message, lines, warnings } };
  }
  const warnings = [...plan.warnings, ...(await obstacles(context, settings.mode, before.status === "running"))];
  await context.output.progress("installing the service", manager.install(plan.unit));
  return { manager, verdict: { ...(await installed(context, place, plan)), warnings } };
}

function runtimeFrom(text: string | undefined): Runtime | undefined {
  const runtime = runtimes.find((each) => each === text);
  if (text === undefined || runtime !== undefined) return runtime;
  throw new Failure("usage", 'Invalid --runtime (use "bun", "node", "deno" or "binary")');
}

/** What will keep the new service from running, as far as it can be seen beforehand. */
async function obstacles(context: Context, mode: string | undefined, serves: boolean): Promise<readonly string[]> {
  const call = callOf(context);
  const running = serves ? undefined : await runningGateway(context);
  return [
    ...(mode === "local" ? [] : [`The gateway will refuse to start until it is set up: ${call} setup`]),
    ...(running ? [`A gateway runs in the foreground (PID ${running.pid}) and keeps the service from starting.`] : []),
  ];
}

async function installed(context: Context, place: Place, { unit, port }: ServicePlan): Promise<Verdict> {
  const { host, output } = context;
  const { manager, names, scope, noun } = place;
  const { loaded, runtime } = await output.progress("waiting for the service", awaitRunning(context, place));
  const shown = (path: string) => tildify(host, path);
  const path = shown(await manager.path(names, scope));
  if (runtime.status !== "running")
    throw new Failure("failed", `Installed ${noun}, but it does not run: ${runtimeWord(place, runtime)}`, {
      hints: [`Service file: ${path}`, ...logHints(manager.kind, { names, scope, logFile: shown(unit.logFile) })],
    });
  const facts = {
    systemd: [`Installed systemd service: ${path}`, "✓ systemd service enabled"],
    launchd: [`Installed LaunchAgent: ${path}`, `Logs: ${shown(unit.logFile)}`, "✓ LaunchAgent loaded"],
    schtasks: [`Installed Scheduled Task: ${names.schtasks}`, `Task script: ${path}`, "✓ Scheduled Task registered"],
  }[manager.kind];
  const lines = [...facts, `✓ service runtime: ${runtimeWord(place, runtime)}`, `Port: ${port.port} (${port.source})`];
  const hints = scope === "user" && manager.lingering ? await offerLingering(context, manager.lingering) : [];
  return { result: "installed", loaded, lines, hints, more: { port: port.port, portSource: port.source } };
}

/** Explains what happens at logout, where something does, and offers to change it; answers what to tell. */
export async function offerLingering(
  { host, output }: Pick<Context, "host" | "output">,
  lingering: Lingering,
  ask: (question: string) => Promise<boolean> = askPerson,
): Promise<readonly string[]> {
  if ((await lingering.state()) !== false) return [];
  const command = lingering.command.join(" ");
  const what = [
    "Lingering is off: this service ends when you log out, and starts when you log in.",
    "With lingering it runs from boot on, whoever is logged in.",
  ];
  if (output.json || !host.terminal.interactive) return [...what, `Switch it on: ${command}`];
  for (const line of what) output.print(line);
  if (!(await ask(`Switch lingering on (${command})?`))) return [`Later: ${command}`];
  try {
    await lingering.enable();
    return ["✓ lingering enabled"];
  } catch (error) {
    // The service is installed all the same, and the person knows what is missing.
    return [Failure.from(error).message, `Try: sudo ${command}`];
  }
}

async function askPerson(question: string): Promise<boolean> {
  const { confirmed } = await import("../cli/questions.ts");
  try {
    return await confirmed(question);
  } catch (error) {
    if (Failure.from(error).code === "aborted") return false;
    throw error;
  }
}

/** What would be written and run, with secrets masked. */
async function planned({ host }: Context, place: Place, plan: ServicePlan): Promise<Verdict> {
  const { manager, names, scope } = place;
  const { unit } = plan;
  const masked = renderSecrets(Object.fromEntries(Object.keys(unit.secrets).map((name) => [name, "***"])));
  const files = plan.files.map((file) => ({
    path: file.path,
    mode: file.mode.toString(8).padStart(4, "0"),
    text: file.path === unit.secretsFile ? masked : file.text,
  }));
  const commands = await manager.steps("install", names, scope);
  const lines = [
    ...files.flatMap(({ path, mode, text }) => [
      `Would write ${tildify(host, path)} (${mode}):`,
      ...text
        .trimEnd()
        .split(/\r?\n/)
        .map((line) => `  ${line}`.trimEnd()),
      "",
    ]),
    "Would run:",
    ...commands.map((command) => `  ${shownCommand(command)}`),
  ];
  return {
    result: "planned",
    loaded: false,
    lines,
    warnings: plan.warnings,
    more: { dryRun: true, files, commands },
  };
}

/**
 * Whom a service of the machine belongs to: the person who called sudo, when their home folder came along, else root.
 * With root's home folder it would be another gateway than theirs.
 */
async function accountOf(context: Context): Promise<string> {
  const { processes, env, home } = context.host;
  const again = asRoot(context, ["gateway", "install", "--system"]);
  const { stdout: uid } = await processes.run("id", ["-u"]);
  if (uid.trim() !== "0")
    throw new Failure("failed", "--system installs for the whole machine and needs root", {
      hints: [`Try: ${again}`, "Or without --system, for yourself alone."],
    });
  const caller = env["SUDO_USER"];
  if (!caller || caller === "root") return "root";
  const { stdout } = await processes.run("getent", ["passwd", caller]);
  if (stdout.split(":")[5] === home) return caller;
  throw new Failure("failed", `HOME is ${home}, which is not the home folder of ${caller}, who called sudo`, {
    hints: [`For ${caller}: ${again}`, "For root: log in as root first."],
  });
}
