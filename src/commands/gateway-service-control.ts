import { awaitRunning, callOf, placeOf, runtimeWord, type Place } from "../cli/service-place.ts";
import type { Verdict } from "../cli/service-verdict.ts";
import { runningGateway } from "../cli/settings.ts";
import { tildify } from "../host/paths.ts";
import { Failure } from "../kit/error.ts";
import { logHints } from "../service/log-hints.ts";
import type { ServiceManager } from "../service/service.ts";
import type { CommandContext } from "./command.ts";

type Context = CommandContext<{ readonly system: { readonly description: string } }>;
type Done = { readonly manager: ServiceManager; readonly verdict: Verdict };

const results = { start: "started", stop: "stopped", restart: "restarted" } as const;
const pasts = { start: "Started", stop: "Stopped", restart: "Restarted" } as const;

/** Starts, stops or restarts the service that is installed. */
export async function controlService(context: Context, verb: keyof typeof results): Promise<Done> {
  const place = await placeOf(context, context.options.system);
  const { manager, names, scope, noun } = place;
  if (!(await manager.installed(names, scope))) return { manager, verdict: await notInstalled(context, place, verb) };
  const before = await manager.state(names, scope);
  const target = await manager.target(names, scope);
  if (verb === "start" && before.runtime.status === "running") {
    const message = `${noun} is running already: ${target}`;
    return { manager, verdict: { result: "started", loaded: before.loaded, message, lines: [`✓ ${message}`] } };
  }
  await context.output.progress(`${verb} of the gateway's service`, manager.control(verb, names, scope));
  const done = `${pasts[verb]} ${noun}: ${target}`;
  if (verb === "stop") {
    const { loaded } = await manager.state(names, scope);
    return { manager, verdict: { result: "stopped", loaded, lines: [done] } };
  }
  const { loaded, runtime } = await awaitRunning(context, place);
  if (runtime.status !== "running")
    throw new Failure("failed", `✗ service runtime: ${runtimeWord(place, runtime)}`, {
      hints: logHints(manager.kind, { names, scope, logFile: tildify(context.host, context.paths.log) }),
    });
  const lines = [done, `✓ service runtime: ${runtimeWord(place, runtime)}`];
  return { manager, verdict: { result: results[verb], loaded, lines } };
}

/** Stops the service and removes everything of it from the system. */
export async function removeService(context: Context): Promise<Done> {
  const place = await placeOf(context, context.options.system);
  const { manager, names, scope, noun } = place;
  const removed = await context.output.progress("uninstalling the service", manager.uninstall(names, scope));
  const shown = (path: string) => tildify(context.host, path);
  const title = noun.replace(/^s/, "S");
  const [first, ...rest] = removed;
  if (first === undefined) {
    const message = `${title} not found at ${shown(await manager.path(names, scope))}`;
    return { manager, verdict: { result: "not-loaded", loaded: false, message, lines: [message] } };
  }
  const what = manager.kind === "schtasks" ? "task script" : noun;
  const lines = [`Removed ${what}: ${shown(first)}`, ...rest.map((path) => `Removed: ${shown(path)}`)];
  return { manager, verdict: { result: "uninstalled", loaded: false, lines, more: { removed } } };
}

/** Nothing is installed: says how to start one, and how to stop one that runs nevertheless. */
async function notInstalled(context: Context, place: Place, verb: keyof typeof results): Promise<Verdict> {
  const { manager, names, scope } = place;
  const message = `Gateway service ${manager.words.notLoaded}.`;
  if (verb !== "stop") {
    const call = callOf(context);
    const hints = [`${call} gateway install`, `${call} gateway`, await ownCommand(context, place)];
    const lines = [message];
    return {
      result: "not-loaded",
      loaded: false,
      message,
      lines,
      hints: hints.map((hint) => `Start with: ${hint}`),
      unmet: true,
    };
  }
  const running = await runningGateway(context);
  if (!running) return { result: "not-loaded", loaded: false, message, lines: [message] };
  const kill = context.host.os === "windows" ? `taskkill /PID ${running.pid} /F` : `kill ${running.pid}`;
  return {
    result: "not-loaded",
    loaded: (await manager.state(names, scope)).loaded,
    message,
    lines: [message, `A gateway runs in the foreground, not as a service: PID ${running.pid}, port ${running.port}.`],
    hints: [`Stop it with Ctrl-C where it runs, or: ${kill}`],
    unmet: true,
  };
}

/** What starts the service once it is installed, without this program. */
async function ownCommand({ host }: Context, { manager, names, scope }: Place): Promise<string> {
  if (manager.kind === "systemd") return `systemctl ${scope === "user" ? "--user " : ""}start ${names.systemd}`;
  if (manager.kind === "schtasks") return `schtasks /Run /TN "${names.schtasks}"`;
  return `launchctl bootstrap gui/$UID ${tildify(host, await manager.path(names, scope))}`;
}
