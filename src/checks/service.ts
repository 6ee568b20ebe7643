import { valueAt } from "../config/path.ts";
import { DEFAULT_PORT, drainMs } from "../gateway/defaults.ts";
import { isAbsolute, tildify } from "../host/paths.ts";
import { Failure } from "../kit/error.ts";
import { auditService } from "../service/audit.ts";
import { unitDrift } from "../service/drift.ts";
import { serviceNames } from "../service/names.ts";
import { planService, type ServicePlan } from "../service/plan.ts";
import type { InstalledService, Scope, ServiceManager, ServiceNames, ServiceUnit } from "../service/service.ts";
import type { Check, CheckContext, Finding, Fix } from "./check.ts";

/** The service that keeps the gateway running: installed, running, as it would be installed now, and no others. */
export const service: Check = {
  id: "service",
  title: "Gateway service config",
  async look(context) {
    const { host, flavour, paths, config, wishes } = context;
    if (config.snapshot.value.gateway.mode === "remote") return [];
    const manager = host.services;
    if (!manager)
      return [{ code: "service-unknown", level: "info", message: "No service manager is known on this system." }];
    const names = serviceNames(host, flavour, paths);
    const foreign = manager.foreign(names, { deep: wishes.deep }).catch(unavailable);
    const [user, system] = await Promise.all([manager.installed(names, "user"), systemService(manager, names)]);
    const installed = user ?? system;
    const scope: Scope = user || !system ? "user" : "system";
    return [
      ...(installed ? await installedFindings(context, { manager, names, scope, installed }) : [notInstalled(context)]),
      ...(user && system ? [twice(context)] : []),
      ...(await foreign).map((other): Finding => ({
        code: "service-foreign",
        level: "warning",
        message: `Another service looks like a gateway: ${other.label} (${other.detail}). One gateway for a machine is enough, unless it is of another profile.`,
        ...(other.remove[0] === undefined ? {} : { command: other.remove.join(" && ") }),
      })),
    ];
  },
};

async function systemService(manager: ServiceManager, names: ServiceNames): Promise<InstalledService | undefined> {
  // Elsewhere there is one place for a service, whoever asks.
  return manager.kind === "systemd" ? manager.installed(names, "system") : undefined;
}

/** What the system's tools cannot tell here is told by the finding on the service itself. */
function unavailable(error: unknown): readonly [] {
  const failure = Failure.from(error);
  if (failure.code !== "unavailable") throw failure;
  return [];
}

function notInstalled({ program }: CheckContext): Finding {
  return {
    code: "service-not-installed",
    level: "info",
    message: "The gateway is not installed as a service: it does not come back after a reboot.",
    command: `${program} gateway install`,
  };
}

function twice({ program }: CheckContext): Finding {
  return {
    code: "service-twice",
    level: "warning",
    message:
      "The gateway is installed for this user and for the whole system: both want the same port and state folder.",
    command: `${program} gateway uninstall`,
  };
}

interface Place {
  readonly manager: ServiceManager;
  readonly names: ServiceNames;
  readonly scope: Scope;
  readonly installed: InstalledService;
}

async function installedFindings(context: CheckContext, place: Place): Promise<Finding[]> {
  const wanted = await planNow(context, place);
  const anew = wanted && installAnew(place.manager, wanted.unit);
  const [state, audit, linger] = await Promise.all([
    stateFindings(context, place),
    auditFindings(context, place, anew),
    lingering(context, place),
  ]);
  const drift = wanted ? driftFindings(context, place, { wanted, anew }) : [];
  return [...state, ...audit, ...drift, ...linger];
}

/** What would be installed now; undefined when nothing can be, as it is then said by whoever tries. */
async function planNow(context: CheckContext, { manager, scope, installed }: Place): Promise<ServicePlan | undefined> {
  const { host, flavour, paths, config } = context;
  const { auth, port } = config.snapshot.value.gateway;
  const written = valueAt(config.snapshot.source, ["gateway", "port"]) === undefined ? undefined : port;
  const configured = { port: written, token: auth.token, password: auth.password };
  const user = /^User=(.+)$/m.exec(installed.files.find(({ path }) => path === installed.path)?.text ?? "")?.[1];
  try {
    const usualPort = DEFAULT_PORT;
    return await planService(host, { flavour, paths, manager, scope, configured, user, usualPort, drainMs });
  } catch (error) {
    const failure = Failure.from(error);
    if (failure.code === "internal" || failure.code === "aborted") throw failure;
    return undefined;
  }
}

/** One repair for whatever is odd about the unit. */
function installAnew(manager: ServiceManager, unit: ServiceUnit): Fix {
  return {
    question: "Write the service anew and restart the gateway?",
    asks: true,
    async apply() {
      await manager.install(unit);
      return "Wrote the service anew and started it.";
    },
  };
}

async function stateFindings({ program }: CheckContext, { manager, names, scope }: Place): Promise<Finding[]> {
  const { loaded, runtime } = await manager.state(names, scope).catch((error: unknown) => {
    const failure = Failure.from(error);
    if (failure.code !== "unavailable") throw failure;
    return { loaded: undefined, runtime: { status: "unknown" as const, detail: failure.message } };
  });
  const command = `${program} gateway start`;
  if (loaded === undefined)
    return [
      {
        code: "service-state-unknown",
        level: "warning",
        message: `The service is installed, and ${manager.words.label} cannot be asked about it: ${runtime.detail}.`,
      },
    ];
  const exit =
    "lastExitStatus" in runtime && runtime.lastExitStatus ? ` (last exit status ${runtime.lastExitStatus})` : "";
  return [
    ...(loaded
      ? []
      : [
          {
            code: "service-not-loaded",
            level: "error" as const,
            message: `The service is installed and ${manager.words.notLoaded}: it does not start by itself.`,
            command,
          },
        ]),
    ...(runtime.status === "stopped"
      ? [
          {
            code: "service-stopped",
            level: "warning" as const,
            message: `The service is installed and does not run${exit}.`,
            command,
          },
        ]
      : []),
  ];
}

async function auditFindings(
  { host, program, wishes }: CheckContext,
  { installed, manager, scope }: Place,
  anew: Fix | undefined,
): Promise<Finding[]> {
  const named = installed.program.slice(0, 2).filter((word) => isAbsolute(word));
  const stats = await Promise.all(named.map((file) => host.files.stat(file)));
  const missing = named.filter((_, index) => stats[index] === undefined);
  return auditService(installed, { kind: manager.kind, scope, missing }).map(({ code, level, message, detail }) => {
    const byHand = level === "aggressive";
    const mayFix = anew !== undefined && (!byHand || wishes.force);
    return {
      code,
      level: code === "gateway-program-missing" || byHand ? "error" : "warning",
      message: `${message.replace(/\.$/, "")}${detail === undefined ? "" : ` (${detail})`}.${byHand && !wishes.force ? " Custom or unexpected service edits detected. Rerun with --force to overwrite." : ""}`,
      path: tildify(host, installed.path),
      command: byHand ? `${program} doctor --repair --force` : `${program} gateway install --force`,
      ...(mayFix ? { fix: anew } : {}),
    };
  });
}

function driftFindings(
  { host, program }: CheckContext,
  { installed }: Place,
  { wanted, anew }: { readonly wanted: ServicePlan; readonly anew: Fix | undefined },
): Finding[] {
  return unitDrift(installed, wanted).map(({ message }) => ({
    code: "service-differs",
    level: "warning",
    message: `The unit differs from what would be installed now: ${message}.`,
    path: tildify(host, installed.path),
    command: `${program} gateway install --force`,
    ...(anew ? { fix: anew } : {}),
  }));
}

/** Without lingering a service of a person ends when they log out (loginctl(1)). */
async function lingering({ host }: CheckContext, { manager, scope }: Place): Promise<Finding[]> {
  const { lingering: linger } = manager;
  if (scope !== "user" || !linger || (await linger.state()) !== false) return [];
  return [
    {
      code: "service-lingering-off",
      level: "warning",
      message: "Lingering is off: the service ends when you log out, and starts only when you log in.",
      command: linger.command.join(" "),
      fix: {
        question: `Run ${linger.command.join(" ")}, so that the service lives on after logout?`,
        asks: true,
        async apply() {
          await linger.enable();
          return `Enabled lingering on ${host.hostname}.`;
        },
      },
    },
  ];
}
