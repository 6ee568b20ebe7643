import { Failure } from "../../src/kit/error.ts";
import { serviceWords } from "../../src/service/names.ts";
import type {
  ForeignService,
  InstalledService,
  Scope,
  ServiceManager,
  ServiceRuntime,
} from "../../src/service/service.ts";

export interface ScriptedService {
  readonly kind?: ServiceManager["kind"];
  readonly scope?: Scope;
  /** False: nothing is installed. */
  readonly installed?: Partial<InstalledService> | false;
  readonly loaded?: boolean;
  readonly runtime?: ServiceRuntime;
  readonly foreign?: readonly ForeignService[];
  /** What only `deep` finds. */
  readonly deep?: readonly ForeignService[];
  /** The system's tools cannot be used, and this is why. */
  readonly unavailable?: string;
  /** Collects what it was told to do, such as `stop system`; without it, doing anything is refused. */
  readonly did?: string[];
}

/** The files of a healthy service, as its manager reads and writes them. */
export const healthy: InstalledService = {
  path: "/home/me/.config/systemd/user/clawdbot-gateway.service",
  program: ["/usr/bin/clawlet", "gateway", "--port", "18789"],
  environment: {
    HOME: "/home/me",
    PATH: "/usr/local/bin:/usr/bin:/bin",
    CLAWDBOT_GATEWAY_PORT: "18789",
    CLAWDBOT_SYSTEMD_UNIT: "clawdbot-gateway.service",
    CLAWDBOT_SERVICE_MARKER: "clawdbot",
    CLAWDBOT_SERVICE_KIND: "gateway",
    CLAWDBOT_STATE_DIR: "/home/me/.clawdbot",
    CLAWDBOT_CONFIG_PATH: "/home/me/.clawdbot/clawdbot.json",
  },
  secrets: {},
  files: [
    {
      path: "/home/me/.config/systemd/user/clawdbot-gateway.service",
      text: "[Service]\nRestart=always\nRestartSec=5\n",
      mode: 0o644,
    },
  ],
};

/** A service manager of which the test says what it knows; it changes nothing. */
export function scriptedService(script: ScriptedService = {}): ServiceManager {
  const { kind = "systemd", scope: home = "user", unavailable } = script;
  const refuse = async (): Promise<never> => {
    throw new Failure("failed", "the test installs nothing");
  };
  const does = async (verb: string, scope: Scope): Promise<void> => {
    if (!script.did) return refuse();
    script.did.push(`${verb} ${scope}`);
  };
  const ask = <T>(answer: T): Promise<T> =>
    unavailable === undefined ? Promise.resolve(answer) : Promise.reject(new Failure("unavailable", unavailable));
  return {
    kind,
    words: serviceWords[kind],
    abilities: () => ask({ notifies: false, backsOff: false }),
    render: async () => healthy.files,
    steps: async () => [],
    target: async () => "target",
    path: async () => healthy.path,
    installed: async (_, scope) =>
      script.installed === false || scope !== home ? undefined : { ...healthy, ...script.installed },
    state: () => ask({ loaded: script.loaded ?? true, runtime: script.runtime ?? { status: "running", pid: 12_345 } }),
    install: refuse,
    uninstall: async (_, scope) => {
      await does("uninstall", scope);
      return [healthy.path];
    },
    control: (verb, _, scope) => does(verb, scope),
    foreign: (_, { deep }) => ask([...(script.foreign ?? []), ...(deep ? (script.deep ?? []) : [])]),
  };
}
