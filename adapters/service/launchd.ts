import { join } from "../../src/host/paths.ts";
import { Failure } from "../../src/kit/error.ts";
import { shownCommand } from "../../src/service/command-line.ts";
import { serviceWords } from "../../src/service/names.ts";
import type { ForeignService, ServiceManager, ServiceNames, ServiceState, Verb } from "../../src/service/service.ts";
import { kindOfGateway, readSecrets, readSmall, secretsFileOf } from "./identity.ts";
import { logFolder, parseLaunchd, renderLaunchd } from "./launchd-plist.ts";
import {
  missing,
  readFiles,
  removeFiles,
  runSteps,
  said,
  writeFiles,
  type ServiceMachine,
  type Step,
} from "./steps.ts";

/** launchd, for the person who is logged in. */
export function createLaunchd(machine: ServiceMachine): ServiceManager {
  const { processes, home, uid } = machine;
  const domain = `gui/${uid}`;
  const target = ({ launchd }: ServiceNames) => `${domain}/${launchd}`;
  const path = ({ launchd }: ServiceNames) => join(home, "Library/LaunchAgents", `${launchd}.plist`);

  async function print(names: ServiceNames): Promise<ServiceState> {
    const { code, stdout, stderr } = await processes.run("launchctl", ["print", target(names)], { timeoutMs: 15_000 });
    if (code === 127 && stderr === "") throw missing("launchctl");
    return parsePrint(code, stdout, stderr);
  }

  async function installed(names: ServiceNames) {
    const [plist] = await readFiles(machine, [path(names)]);
    if (!plist) return undefined;
    const parsed = parseLaunchd(plist.text);
    return { ...parsed, path: plist.path, secrets: await readSecrets(machine, parsed.environment), files: [plist] };
  }

  /** An agent that was stopped is not loaded: it has to be loaded again before it can start. */
  function steps(verb: Verb, names: ServiceNames, loaded: boolean): readonly Step[] {
    const plist = path(names);
    const load: readonly Step[] = [
      { command: ["launchctl", "enable", target(names)] },
      { command: ["launchctl", "bootstrap", domain, plist] },
    ];
    const unload: Step = { command: ["launchctl", "bootout", target(names)], optional: true };
    const kick = (...flags: readonly string[]): Step => ({
      command: ["launchctl", "kickstart", ...flags, target(names)],
    });
    const byVerb: Readonly<Record<Verb, readonly Step[]>> = {
      install: [unload, ...load, kick("-k")],
      uninstall: [unload],
      start: [...(loaded ? [] : load), kick()],
      stop: [{ command: ["launchctl", "bootout", target(names)] }],
      restart: [...(loaded ? [] : load), kick("-k")],
    };
    return byVerb[verb];
  }

  return {
    kind: "launchd",
    words: serviceWords.launchd,
    abilities: async () => ({ notifies: false, backsOff: false }),
    render: async (unit) => renderLaunchd(unit, path(unit.names)),
    steps: async (verb, names) => steps(verb, names, true).map(({ command }) => command),
    target: async (names) => target(names),
    path: async (names) => path(names),
    installed,
    state: print,
    async install(unit) {
      const { names } = unit;
      await print(names);
      const former = secretsFileOf((await installed(names))?.environment ?? {});
      const rendered = renderLaunchd(unit, path(names));
      await machine.files.makeFolder(logFolder(unit));
      // The secrets first: the property list that names them is the last that appears.
      await writeFiles(machine, rendered.toReversed());
      if (former !== undefined && !rendered.some((file) => file.path === former)) await machine.files.remove(former);
      const [unload, ...rest] = steps("install", names, false);
      if (unload) await runSteps(machine, [unload]);
      await unloaded(machine, () => print(names));
      await runSteps(machine, rest);
    },
    async uninstall(names) {
      const found = await installed(names);
      if (!found) return [];
      await runSteps(machine, steps("uninstall", names, true));
      await unloaded(machine, () => print(names));
      const secrets = secretsFileOf(found.environment);
      // The property list last: as long as it is there, who was interrupted can do it again.
      const removed = await removeFiles(machine, [...(secrets === undefined ? [] : [secrets]), found.path]);
      return removed.toReversed();
    },
    async control(verb, names) {
      const { loaded } = await print(names);
      // What is not loaded does not run.
      if (verb === "stop" && !loaded) return;
      await runSteps(machine, steps(verb, names, loaded));
    },
    async foreign(names, { deep }) {
      const places = [
        { where: join(home, "Library/LaunchAgents"), scope: "user" as const },
        ...(deep
          ? ["/Library/LaunchAgents", "/Library/LaunchDaemons"].map((where) => ({ where, scope: "system" as const }))
          : []),
      ];
      const found = await Promise.all(places.map((place) => foreignIn(machine, names, place)));
      return found.flat();
    },
  };
}

/** `bootout` may answer before the agent is gone, and `bootstrap` refuses until it is. */
async function unloaded({ clock }: ServiceMachine, state: () => Promise<ServiceState>): Promise<void> {
  const deadline = clock.monotonic() + 45_000;
  while ((await state()).loaded) {
    if (clock.monotonic() > deadline) throw new Failure("timeout", "the LaunchAgent did not end in 45 seconds");
    await clock.sleep(200);
  }
}

/** What `launchctl print` says; it has no format that is promised, so only what has been seen on every version is read. */
export function parsePrint(code: number, stdout: string, stderr: string): ServiceState {
  if (code !== 0) {
    const detail = said(stderr || stdout);
    // 113: there is no such service in this domain.
    const absent = code === 113 || /could not find service/i.test(detail);
    return { loaded: false, runtime: absent ? { status: "stopped" } : { status: "unknown", detail } };
  }
  const value = (name: string) => new RegExp(`^\\s*${name} = (.+)$`, "m").exec(stdout)?.[1]?.trim();
  const state = value("state");
  const pid = Number(value("pid"));
  const exited = /^(-?\d+)(?:: (.*))?$/.exec(value("last exit code") ?? "");
  const reason = value("last exit reason") ?? value("last terminating signal") ?? exited?.[2];
  const runs = Number(value("runs"));
  return {
    loaded: true,
    runtime: {
      status: state === "running" ? "running" : "stopped",
      ...(state === undefined ? {} : { state }),
      ...(pid > 0 ? { pid } : {}),
      ...(exited ? { lastExitStatus: Number(exited[1]) } : {}),
      ...(reason === undefined ? {} : { lastExitReason: reason }),
      ...(runs > 0 ? { restarts: runs - 1 } : {}),
    },
  };
}

async function foreignIn(
  machine: ServiceMachine,
  names: ServiceNames,
  { where, scope }: { where: string; scope: "user" | "system" },
): Promise<readonly ForeignService[]> {
  const plists = (await machine.files.list(where)).filter((name) => name.endsWith(".plist"));
  const found = await Promise.all(
    plists.map(async (name) => {
      const file = join(where, name);
      const label = name.slice(0, -".plist".length);
      const text = await readSmall(machine, file);
      if (label === names.launchd || text === undefined || kindOfGateway(text) !== "foreign") return [];
      const target = scope === "user" ? `gui/${machine.uid}/${label}` : `system/${label}`;
      const sudo = scope === "user" ? [] : ["sudo"];
      const remove = [shownCommand([...sudo, "launchctl", "bootout", target]), shownCommand([...sudo, "rm", file])];
      return [{ platform: "darwin", label, detail: `plist: ${file}`, scope, remove } as const];
    }),
  );
  return found.flat();
}
