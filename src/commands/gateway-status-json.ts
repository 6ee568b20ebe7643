import type { ConfigState } from "../cli/gateway-plan.ts";
import { redact } from "../kit/redact.ts";
import { VERSION } from "../kit/version.ts";
import { shownEnvironment, withoutSecrets } from "../service/command-line.ts";
import type { ServiceManager } from "../service/service.ts";
import type { Seen, StatusContext } from "./gateway-status.ts";
import type { Trouble } from "./gateway-status-troubles.ts";

/** The report for programs: the keys of cli.md 3.6 and more. No secret is in it, whatever a unit holds. */
export function statusJson({ host, paths }: StatusContext, seen: Seen, troubles: readonly Trouble[]): unknown {
  const { service, runtime, plan, here, there, port, rpc, audit } = seen;
  const { installed, state, manager, scope, foreign } = service;
  const legacy = foreign.filter(({ label }) => label.startsWith("com.steipete."));
  return {
    service: {
      label: manager?.kind ?? kinds[host.os],
      scope,
      loaded: state?.loaded ?? false,
      loadedText: manager?.words.loaded ?? null,
      notLoadedText: manager?.words.notLoaded ?? null,
      command: installed
        ? {
            programArguments: withoutSecrets(installed.program),
            environment: shownEnvironment(installed.environment),
            sourcePath: installed.path,
          }
        : null,
      runtime,
      ...(installed ? { configAudit: { ok: audit.length === 0, issues: audit }, drift: seen.drift } : {}),
      ...(service.unavailable === undefined ? {} : { unavailable: service.unavailable }),
      lastError: seen.lastError ?? null,
    },
    config: { cli: configJson(here.config), ...(there ? { daemon: configJson(there.config) } : {}) },
    cli: { version: VERSION, entrypoint: host.self.join(" "), stateDir: paths.state },
    logFile: plan.paths.log,
    gateway: {
      bindMode: plan.bind,
      bindHost: plan.bindHost ?? null,
      port: plan.port,
      portSource: plan.portSource,
      probeUrl: rpc?.url ?? plan.target.url,
      probeNote: plan.note,
      dashboardUrl: plan.dashboard ?? null,
      ...(plan.tailscale === "off" ? {} : { tailscaleMode: plan.tailscale }),
      ...(plan.target.fingerprint === undefined ? {} : { tlsSha256: plan.target.fingerprint }),
    },
    port: {
      ...port,
      listeners: port.listeners.map(({ commandLine, ...owner }) =>
        commandLine === undefined ? owner : { ...owner, commandLine: redact(commandLine) },
      ),
      hints: troubles.filter(({ code }) => code === "port-taken").flatMap(({ message, fix }) => [message, ...fix]),
    },
    ...(rpc ? { rpc } : {}),
    legacyServices: legacy,
    extraServices: [...foreign.filter((each) => !legacy.includes(each)), ...seen.others],
    problems: troubles,
  };
}

const kinds: Readonly<Record<StatusContext["host"]["os"], ServiceManager["kind"] | "none">> = {
  darwin: "launchd",
  linux: "systemd",
  windows: "schtasks",
  none: "none",
};

function configJson({ path, exists, valid, issue }: ConfigState): unknown {
  return { path, exists, valid, ...(issue === undefined ? {} : { issue }) };
}
