import type { Host } from "../../src/host/host.ts";
import { serviceWords } from "../../src/service/names.ts";
import type { ServiceManager } from "../../src/service/service.ts";
import type { ServiceMachine } from "./steps.ts";

/**
 * How this system keeps a gateway running: launchd, systemd or the Task Scheduler; undefined where there is none. The
 * code for it is loaded at the first question: a gateway that starts asks none.
 */
export function resolveGatewayService(os: Host["os"], machine: () => ServiceMachine): ServiceManager | undefined {
  switch (os) {
    case "darwin":
      return lazy("launchd", async () => (await import("./launchd.ts")).createLaunchd(machine()));
    case "linux": {
      const load = once(async () => (await import("./systemd.ts")).createSystemd(machine()));
      return { ...lazy("systemd", load), lingering: lazyLingering(load, machine) };
    }
    case "windows":
      return lazy("schtasks", async () => (await import("./schtasks.ts")).createSchtasks(machine()));
    default:
      return undefined;
  }
}

function lazy(kind: ServiceManager["kind"], create: () => Promise<ServiceManager>): ServiceManager {
  const load = once(create);
  return {
    kind,
    words: serviceWords[kind],
    abilities: async () => (await load()).abilities(),
    render: async (unit) => (await load()).render(unit),
    steps: async (...call) => (await load()).steps(...call),
    target: async (...call) => (await load()).target(...call),
    path: async (...call) => (await load()).path(...call),
    installed: async (...call) => (await load()).installed(...call),
    state: async (...call) => (await load()).state(...call),
    install: async (unit) => (await load()).install(unit),
    uninstall: async (...call) => (await load()).uninstall(...call),
    control: async (...call) => (await load()).control(...call),
    foreign: async (...call) => (await load()).foreign(...call),
  };
}

function lazyLingering(
  load: () => Promise<ServiceManager>,
  machine: () => ServiceMachine,
): NonNullable<ServiceManager["lingering"]> {
  return {
    get command() {
      return ["loginctl", "enable-linger", machine().user];
    },
    state: async () => (await load()).lingering?.state(),
    enable: async () => (await load()).lingering?.enable(),
  };
}

function once<T>(create: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= create());
}
