import { readFileSync } from "node:fs";
import { main } from "../../src/main.ts";
import { scriptedHost, type Answer, type ScriptedHost, type ScriptedOptions } from "../support/host.ts";

/** A service manager's tools that remember what they were told; `fails` makes the gateway end as soon as it starts. */
export interface FakeSystem {
  readonly os: "linux" | "darwin" | "windows";
  readonly commands: Readonly<Record<string, Answer>>;
}

interface Service {
  enabled: boolean;
  running: boolean;
}

export function systemd({ fails = false, linger = "yes" } = {}): FakeSystem {
  const service: Service = { enabled: false, running: false };
  return {
    os: "linux",
    commands: {
      loginctl: { stdout: `Linger=${linger}\n` },
      systemctl(args) {
        const [verb] = args.filter((arg) => arg !== "--user");
        if (verb === "enable") service.enabled = true;
        if (verb === "disable") service.enabled = service.running = false;
        if (verb === "start" || verb === "restart") service.running = !fails;
        if (verb === "stop") service.running = false;
        if (verb !== "show") return {};
        const dead = fails ? "ActiveState=failed\nSubState=failed\nExecMainStatus=78" : "ActiveState=inactive";
        const state = service.running ? "ActiveState=active\nSubState=running\nMainPID=4711" : dead;
        return { stdout: `LoadState=loaded\nUnitFileState=${service.enabled ? "enabled" : "disabled"}\n${state}\n` };
      },
    },
  };
}

export function launchd(): FakeSystem {
  const service: Service = { enabled: false, running: false };
  const running = readFileSync("test/golden/services/launchctl-running.txt", "utf8");
  return {
    os: "darwin",
    commands: {
      launchctl([verb]) {
        if (verb === "bootstrap") service.enabled = true;
        if (verb === "kickstart") service.running = service.enabled;
        if (verb === "bootout") service.enabled = service.running = false;
        if (verb !== "print") return {};
        if (!service.enabled) return { code: 113, stderr: "Could not find service\n" };
        return { stdout: service.running ? running : running.replace("state = running", "state = not running") };
      },
    },
  };
}

export function schtasks(): FakeSystem {
  const service: Service = { enabled: false, running: false };
  const recorded = (name: string) => readFileSync(`test/golden/services/schtasks-${name}.csv`, "utf8");
  return {
    os: "windows",
    commands: {
      schtasks([verb]) {
        if (verb === "/Create") service.enabled = true;
        if (verb === "/Run") service.running = true;
        if (verb === "/End") service.running = false;
        if (verb === "/Delete") service.enabled = false;
        if (verb !== "/Query") return {};
        if (!service.enabled)
          return { code: 2_147_942_402, stderr: "ERROR: The system cannot find the file specified." };
        return { stdout: recorded(service.running ? "running" : "ready") };
      },
    },
  };
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly host: ScriptedHost;
  /** The commands that changed something, a line each. */
  readonly ran: readonly string[];
}

/** A machine on which one command line after another is run. */
export function machine(system: FakeSystem, options: ScriptedOptions = {}) {
  const disk = scriptedHost({ files: { ...configured, ...options.files } }).files;
  const shared = { name: "clawdbot", self: ["/usr/bin/node", "/usr/bin/clawdbot"], services: "system" as const };
  return async (...args: readonly string[]): Promise<Ran> => {
    const host = scriptedHost({ ...shared, ...system, ...options, files: {}, disk, args });
    let left = 60;
    const ending = main(host).finally(() => (left = 0));
    // What waits for the service waits no longer than a minute.
    for (; left > 0; left--) await host.clock.advance(1000);
    const code = await ending;
    const { stdout, stderr } = host.terminal;
    const ran = host.processes.ran
      .map(({ command, args }) => [command, ...args].join(" "))
      .filter((line) => !/ (show|print|\/Query|--version|show-user)\b/.test(line));
    return { code, stdout: stdout.text, stderr: stderr.text, host, ran };
  };
}

const configured = { "/home/me/.clawdbot/clawdbot.json": '{ gateway: { mode: "local" } }' };
