import type { CommandContext } from "../commands/command.ts";
import { Failure } from "../kit/error.ts";
import type {
  ForeignService,
  InstalledService,
  Scope,
  ServiceManager,
  ServiceNames,
  ServiceRuntime,
  ServiceState,
} from "../service/service.ts";
import type { Running } from "./settings.ts";

type Context = Pick<CommandContext, "host">;

/** The service of this profile, as far as this system tells. */
export interface ServiceView extends LocatedService {
  readonly names: ServiceNames;
  readonly manager: ServiceManager | undefined;
  /** Undefined where the system's tools cannot be asked. */
  readonly state: ServiceState | undefined;
  /** Why they cannot. */
  readonly unavailable: string | undefined;
  /** Others that look like a gateway. */
  readonly foreign: readonly ForeignService[];
}

export interface LocatedService {
  /** Where it is installed; `user` when it is not. */
  readonly scope: Scope;
  readonly installed: InstalledService | undefined;
}

/** Where the service's files are, a person's own first. Asks none of the system's tools. */
export async function locateService({ host }: Context, names: ServiceNames): Promise<LocatedService> {
  const { services } = host;
  if (!services) return { scope: "user", installed: undefined };
  const scopes = services.kind === "systemd" ? (["user", "system"] as const) : (["user"] as const);
  const found = await Promise.all(
    scopes.map(async (scope) => ({
      scope,
      installed: (await attempt(services.installed(names, scope))).value,
    })),
  );
  return found.find(({ installed }) => installed) ?? { scope: "user", installed: undefined };
}

/** Asks the system about it. What cannot be known is left out, with the reason. */
export async function viewService(
  { host }: Context,
  names: ServiceNames,
  { located, deep }: { located: LocatedService; deep: boolean },
): Promise<ServiceView> {
  const { services } = host;
  if (!services) {
    const unavailable = host.os === "none" ? "this system has none" : `none is known for ${host.os}`;
    return { ...located, names, manager: undefined, state: undefined, unavailable, foreign: [] };
  }
  const [state, foreign] = await Promise.all([
    attempt(services.state(names, located.scope)),
    attempt(services.foreign(names, { deep })),
  ]);
  return {
    ...located,
    names,
    manager: services,
    state: state.value,
    unavailable: state.failure,
    foreign: foreign.value ?? [],
  };
}

/**
 * Whether the gateway runs. Of an installed service the system's word counts; else what a gateway in the foreground left
 * behind, or that something answers on this machine.
 */
export function runtimeOf(
  { installed, state }: ServiceView,
  seen: { readonly running: Running | undefined; readonly answers: boolean },
): ServiceRuntime {
  const { running, answers } = seen;
  const known = installed && state?.runtime;
  if (known?.status === "stopped") return known;
  const pid = known?.pid ?? running?.pid;
  if (known?.status === "running") return { ...known, ...(pid === undefined ? {} : { pid }) };
  if (running) return { status: "running", pid: running.pid };
  if (answers) return { status: "running" };
  return known ?? { status: "stopped" };
}

async function attempt<T>(work: Promise<T>): Promise<{ readonly value?: T; readonly failure?: string }> {
  try {
    return { value: await work };
  } catch (error) {
    const failure = Failure.from(error);
    if (failure.code === "aborted") throw failure;
    return { failure: failure.message };
  }
}
