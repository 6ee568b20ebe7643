import type { Flavour } from "../host/flavour.ts";
import type { Host } from "../host/host.ts";
import { join, setting, type Paths } from "../host/paths.ts";
import type { SettingName } from "../host/settings.ts";
import { Failure } from "../kit/error.ts";
import type { ServiceManager, ServiceNames, ServiceWords } from "./service.ts";

/** The names of a profile's service on every system (cli.md 3.1); `*_LAUNCHD_LABEL` and the like override them. */
export function serviceNames(host: Pick<Host, "env">, flavour: Flavour, paths: Paths): ServiceNames {
  const { profile } = paths;
  const vendor = { openclaw: "ai.openclaw", clawdbot: "com.clawdbot" }[flavour.id];
  // A profile that is called `gateway` must not take the name of the main one.
  const label = profile === "" || profile === "gateway" ? ["gateway", profile].filter(Boolean).join(".") : profile;
  const task = `${flavour.title} Gateway${profile === "" ? "" : ` (${profile})`}`;
  const unit = `${flavour.id}-gateway${profile === "" ? "" : `-${profile}`}.service`;
  const named = (name: SettingName, pattern: RegExp): string | undefined => {
    const value = setting(host, flavour, name);
    if (value === undefined || pattern.test(value)) return value;
    throw new Failure("usage", `Invalid ${name} ${JSON.stringify(value)}: no name for a service of this system`);
  };
  const systemd = named("SYSTEMD_UNIT", /^[\w:.@-]{1,200}$/);
  return {
    launchd: named("LAUNCHD_LABEL", /^[\w.-]{1,200}$/) ?? `${vendor}.${label}`,
    systemd: systemd === undefined ? unit : systemd.replace(/(\.service)?$/, ".service"),
    schtasks: named("WINDOWS_TASK_NAME", /^[^\\/:*?"<>|\p{Cc}]{1,200}$/u) ?? task,
    taskScript: join(paths.state, "gateway.cmd"),
  };
}

/** How people know a service of each system. */
export const serviceWords: Readonly<Record<ServiceManager["kind"], ServiceWords>> = {
  launchd: { label: "LaunchAgent", loaded: "loaded", notLoaded: "not loaded" },
  systemd: { label: "systemd", loaded: "enabled", notLoaded: "disabled" },
  schtasks: { label: "Scheduled Task", loaded: "registered", notLoaded: "missing" },
};
