import { basename, join } from "../../src/host/paths.ts";
import { Failure } from "../../src/kit/error.ts";
import { shownCommand } from "../../src/service/command-line.ts";
import { serviceWords } from "../../src/service/names.ts";
import type {
  ForeignService,
  Scope,
  ServiceManager,
  ServiceNames,
  ServiceRuntime,
  ServiceState,
  Verb,
} from "../../src/service/service.ts";
import { kindOfGateway, readSecrets, readSmall, secretsFileOf } from "./identity.ts";
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
import { parseSystemd, renderSystemd } from "./systemd-unit.ts";

/** systemd, for one person (`systemctl --user`) or for the machine. */
export function createSystemd(machine: ServiceMachine): ServiceManager {
  const { files, processes, home } = machine;
  const folder = (scope: Scope) => (scope === "system" ? "/etc/systemd/system" : join(home, ".config/systemd/user"));
  const path = (names: ServiceNames, scope: Scope) => join(folder(scope), names.systemd);

  async function ask(args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await processes.run("systemctl", args, { timeoutMs: askMs });
    if (code === 127 && stderr === "") throw missing("systemctl");
    if (code === 0) return stdout;
    throw unavailable(args, stderr || stdout);
  }

  /** Rejects when there is no manager to talk to. */
  async function reached(names: ServiceNames, scope: Scope): Promise<void> {
    await ask([...flags(scope), "show", names.systemd, "--no-page", "--property", "LoadState"]);
  }

  async function run(commands: readonly Step[], scope: Scope): Promise<void> {
    try {
      await runSteps(machine, commands);
    } catch (error) {
      const { code, message } = Failure.from(error);
      if (scope === "user" || code !== "failed" || !denied.test(message)) throw error;
      throw new Failure("forbidden", `${message}; the service of the whole machine is root's`, { cause: error });
    }
  }

  async function installed(names: ServiceNames, scope: Scope) {
    const [unit] = await readFiles(machine, [path(names, scope)]);
    if (!unit) return undefined;
    const parsed = parseSystemd(unit.text);
    const secrets = await readSecrets(machine, parsed.environment);
    return { ...parsed, path: unit.path, secrets, files: [unit] };
  }

  return {
    kind: "systemd",
    words: serviceWords.systemd,
    async abilities() {
      const [version, notify] = await Promise.all([
        processes.run("systemctl", ["--version"], { timeoutMs: askMs }),
        processes.run("systemd-notify", ["--version"], { timeoutMs: askMs }),
      ]);
      return { notifies: notify.code === 0, backsOff: versionOf(version.stdout) >= 254 };
    },
    render: async (unit) => renderSystemd(unit, path(unit.names, unit.scope)),
    steps: async (verb, names, scope) => steps(verb, names, scope).map(({ command }) => command),
    target: async (names) => names.systemd,
    path: async (names, scope) => path(names, scope),
    installed,
    async state(names, scope) {
      return parseShow(await ask([...flags(scope), "show", names.systemd, "--no-page", "--property", properties]));
    },
    async install(unit) {
      const { names, scope } = unit;
      // Before anything is written: without a manager to talk to, a unit would lie there and nothing would happen.
      await reached(names, scope);
      const former = secretsFileOf((await installed(names, scope))?.environment ?? {});
      const rendered = renderSystemd(unit, path(names, scope));
      // The secrets first: the unit that names them is the last that appears.
      await writeFiles(machine, rendered.toReversed());
      if (former !== undefined && !rendered.some((file) => file.path === former)) await files.remove(former);
      // What root has just made in somebody's folder is theirs.
      if (unit.user !== undefined && unit.user !== machine.user)
        await runSteps(machine, [
          { command: ["chown", "--no-dereference", `${unit.user}:`, unit.stateFolder] },
          { command: ["chown", "--no-dereference", `${unit.user}:`, unit.secretsFile], optional: true },
        ]);
      await run(steps("install", names, scope), scope);
    },
    async uninstall(names, scope) {
      const found = await installed(names, scope);
      if (!found) return [];
      // Before anything is removed: without a manager to talk to, the service would run on, and start again.
      await reached(names, scope);
      await run(steps("uninstall", names, scope).slice(0, 2), scope);
      const secrets = secretsFileOf(found.environment);
      const ours = found.files.some(({ text }) => kindOfGateway(text) === "ours");
      const removed = await removeFiles(machine, [
        ...(secrets === undefined ? [] : [secrets]),
        // What a person changed by `systemctl edit`: it would come back with the next service of this name.
        ...(ours ? [`${found.path}.d`] : []),
        // The last: as long as it is there, who was interrupted can do it again.
        found.path,
      ]);
      await run(steps("uninstall", names, scope).slice(2), scope);
      return removed.toReversed();
    },
    control: (verb, names, scope) => run(steps(verb, names, scope), scope),
    async foreign(names, { deep }) {
      const places = [
        { where: folder("user"), scope: "user" as const },
        ...(deep ? systemFolders.map((where) => ({ where, scope: "system" as const })) : []),
      ];
      const found = await Promise.all(places.map(({ where, scope }) => foreignIn(machine, names, where, scope)));
      // On most machines two of the folders are one.
      return [...new Map(found.flat().map((service) => [`${service.scope} ${service.label}`, service])).values()];
    },
    lingering: {
      command: ["loginctl", "enable-linger", machine.user],
      async state() {
        const { stdout } = await processes.run("loginctl", ["show-user", machine.user, "-p", "Linger"], {
          timeoutMs: askMs,
        });
        const [, word] = /^Linger=(yes|no)/m.exec(stdout) ?? [];
        return word === undefined ? undefined : word === "yes";
      },
      enable: () => runSteps(machine, [{ command: ["loginctl", "enable-linger", machine.user] }]),
    },
  };
}

const askMs = 15_000;
/** What systemctl says to who is not root. */
const denied = /access denied|authentication required|permission denied|not permitted/i;
const systemFolders = ["/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"];
const properties = "LoadState,UnitFileState,ActiveState,SubState,MainPID,ExecMainStatus,ExecMainCode,NRestarts,Result";

function steps(verb: Verb, { systemd: unit }: ServiceNames, scope: Scope): readonly Step[] {
  const systemctl = (...args: readonly string[]) => ["systemctl", ...flags(scope), ...args];
  const control: readonly Step[] = [{ command: systemctl(verb, unit) }];
  const byVerb: Readonly<Record<Verb, readonly Step[]>> = {
    install: [
      { command: systemctl("daemon-reload") },
      { command: systemctl("enable", unit) },
      { command: systemctl("restart", unit) },
    ],
    uninstall: [
      { command: systemctl("stop", unit), optional: true },
      { command: systemctl("disable", "--now", unit) },
      { command: systemctl("daemon-reload") },
      // A service that failed stays in the manager's memory otherwise.
      { command: systemctl("reset-failed", unit), optional: true },
    ],
    start: control,
    stop: control,
    restart: control,
  };
  return byVerb[verb];
}

function flags(scope: Scope): readonly string[] {
  return scope === "user" ? ["--user"] : [];
}

/** `systemd 252 (252.39-1~deb12u2)` */
function versionOf(text: string): number {
  return Number(/^systemd (\d+)/.exec(text)?.[1] ?? 0);
}

/** `systemctl show`, `Name=value` a line. */
export function parseShow(text: string): ServiceState {
  const values = new Map(text.split("\n").map((line) => [line.split("=")[0] ?? "", line.slice(line.indexOf("=") + 1)]));
  const state = values.get("ActiveState") ?? "";
  const number = (name: string) => (/^\d+$/.test(values.get(name) ?? "") ? Number(values.get(name)) : undefined);
  const pid = number("MainPID");
  const subState = values.get("SubState");
  const lastExitStatus = number("ExecMainStatus");
  const lastExitReason = values.get("ExecMainCode");
  const restarts = number("NRestarts");
  return {
    loaded: values.get("UnitFileState")?.startsWith("enabled") ?? false,
    runtime: {
      status: statusOf(state),
      state,
      ...(subState ? { subState } : {}),
      ...(pid ? { pid } : {}),
      ...(lastExitStatus === undefined ? {} : { lastExitStatus }),
      ...(lastExitReason ? { lastExitReason } : {}),
      ...(restarts === undefined ? {} : { restarts }),
    },
  };
}

/** `activating` is the wait for a restart as well as the start: it is not running yet. */
function statusOf(state: string): ServiceRuntime["status"] {
  if (["active", "reloading"].includes(state)) return "running";
  return ["inactive", "failed", "activating", "deactivating"].includes(state) ? "stopped" : "unknown";
}

function unavailable(args: readonly string[], text: string): Failure {
  const user = args[0] === "--user";
  return new Failure("unavailable", `systemctl${user ? " --user" : ""} unavailable: ${said(text) || "it failed"}`, {
    hints: user
      ? [
          "There is no systemd of your own to talk to. One of these helps:",
          "  log in properly instead of by su or sudo, or: sudo machinectl shell <user>@",
          "  loginctl enable-linger <user>, then log in again",
          "  in a container: run the gateway in the foreground instead of as a service",
        ]
      : ["In a container: run the gateway in the foreground instead of as a service."],
  });
}

async function foreignIn(
  machine: ServiceMachine,
  names: ServiceNames,
  folder: string,
  scope: Scope,
): Promise<readonly ForeignService[]> {
  const units = (await machine.files.list(folder)).filter((name) => name.endsWith(".service"));
  const found = await Promise.all(
    units.map(async (label) => {
      const file = join(folder, label);
      const text = await readSmall(machine, file);
      if (label === names.systemd || text === undefined || kindOfGateway(text) !== "foreign") return [];
      const sudo = scope === "user" ? [] : ["sudo"];
      const remove = [
        shownCommand([...sudo, "systemctl", ...flags(scope), "disable", "--now", basename(file)]),
        shownCommand([...sudo, "rm", file]),
      ];
      return [{ platform: "linux", label, detail: `unit: ${file}`, scope, remove } as const];
    }),
  );
  return found.flat();
}
