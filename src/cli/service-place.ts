import type { CommandContext } from "../commands/command.ts";
import { Failure } from "../kit/error.ts";
import { shownCommand } from "../service/command-line.ts";
import { serviceNames } from "../service/names.ts";
import type { Scope, ServiceManager, ServiceNames, ServiceRuntime, ServiceState } from "../service/service.ts";

type Context = Pick<CommandContext, "host" | "flavour" | "paths" | "program">;

/** Which service a command is about. */
export interface Place {
  readonly manager: ServiceManager;
  readonly names: ServiceNames;
  readonly scope: Scope;
  /** Such as `systemd service`. */
  readonly noun: string;
}

/** The service of this profile: the person's own, or the machine's when that is asked for, or the only one there is. */
export async function placeOf(context: Context, system: boolean): Promise<Place> {
  const { host, flavour, paths, program } = context;
  const manager = host.services;
  if (!manager)
    throw new Failure("failed", "No service manager is known for this system.", {
      hints: [`Run the gateway in the foreground: ${program} gateway`],
    });
  if (system && manager.kind !== "systemd")
    throw new Failure(
      "usage",
      "--system is for systemd; on this system the service belongs to the person who installs it",
    );
  const names = serviceNames(host, flavour, paths);
  const noun = { launchd: "LaunchAgent", systemd: "systemd service", schtasks: "Scheduled Task" }[manager.kind];
  const found = (scope: Scope) => manager.installed(names, scope);
  const alone = manager.kind === "systemd" && !system && !(await found("user")) && (await found("system"));
  return { manager, names, noun, scope: system || alone ? "system" : "user" };
}

/** The program as it must be called for this profile. */
export function callOf({ program, paths }: Context): string {
  if (paths.profile === "") return program;
  return paths.profile === "dev" ? `${program} --dev` : `${program} --profile ${paths.profile}`;
}

/**
 * What to type for the service of the whole machine: by absolute paths, because root looks for programs elsewhere, and
 * with the person's own home folder, because with root's it would be another gateway.
 */
export function asRoot({ host, paths }: Pick<Context, "host" | "paths">, words: readonly string[]): string {
  const profile = paths.profile === "" ? [] : ["--profile", paths.profile];
  return `sudo HOME="$HOME" ${shownCommand([...host.self, ...profile, ...words])}`;
}

/** What went wrong, with what to type where only root may do it. */
export function explainRoot(
  context: Pick<Context, "host" | "paths">,
  error: unknown,
  words: readonly string[],
): Failure {
  const failure = Failure.from(error);
  if (failure.code !== "forbidden") return failure;
  const hints = [...failure.hints, `Try: ${asRoot(context, words)}`];
  return new Failure("forbidden", failure.message, { hints, cause: failure });
}

/** Waits until the system says that the service runs, or no longer than a few seconds. */
export async function awaitRunning({ host }: Context, { manager, names, scope }: Place): Promise<ServiceState> {
  const deadline = host.clock.monotonic() + 10_000;
  for (;;) {
    const state = await manager.state(names, scope);
    if (state.runtime.status === "running" || host.clock.monotonic() >= deadline) return state;
    await host.clock.sleep(250);
  }
}

/** `active` or `running` in the system's own word, or what it is instead. */
export function runtimeWord({ manager }: Place, runtime: ServiceRuntime): string {
  if (runtime.status === "running") return manager.kind === "schtasks" ? "running" : "active";
  const exit = runtime.lastExitStatus ? `, last exit ${runtime.lastExitStatus}` : "";
  return `${runtime.state ?? runtime.detail ?? runtime.status}${exit}`;
}
