import { dirname } from "../../src/host/paths.ts";
import { readRuntime } from "../../src/host/runtime-file.ts";
import { serviceWords } from "../../src/service/names.ts";
import type { ForeignService, ServiceManager, ServiceNames, ServiceState, Verb } from "../../src/service/service.ts";
import { kindOfGateway, readSecrets, secretsFileOf } from "./identity.ts";
import { parseScript, renderSchtasks, taskFile } from "./schtasks-files.ts";
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

/** The Task Scheduler of Windows: a task that starts when its person logs on. */
export function createSchtasks(machine: ServiceMachine): ServiceManager {
  const { processes, files, user } = machine;

  async function query(args: readonly string[]): Promise<{ code: number; stdout: string; detail: string }> {
    const { code, stdout, stderr } = await processes.run("schtasks", ["/Query", ...args], { timeoutMs: 30_000 });
    if (code === 127 && stderr === "") throw missing("schtasks");
    return { code, stdout, detail: said(stderr || stdout) };
  }

  async function installed(names: ServiceNames) {
    const [script, ...rest] = await readFiles(machine, [names.taskScript, taskFile(names.taskScript)]);
    if (!script || script.path !== names.taskScript) return undefined;
    const parsed = parseScript(script.text);
    const secrets = await readSecrets(machine, parsed.environment);
    return { ...parsed, path: script.path, secrets, files: [script, ...rest] };
  }

  /** The gateway of this state folder, when the port it claims is really its own. */
  async function gateway({ taskScript }: ServiceNames): Promise<number | undefined> {
    const runtime = await readRuntime(files, dirname(taskScript));
    if (!runtime || !processes.alive(runtime.pid)) return undefined;
    const owners = await processes.listeners(runtime.port);
    return owners.some(({ pid }) => pid === runtime.pid) ? runtime.pid : undefined;
  }

  /** Ending the task ends its console; a gateway that is left behind nevertheless would keep the port. */
  async function end(names: ServiceNames): Promise<void> {
    const pid = await gateway(names);
    await runSteps(machine, steps("stop", names));
    if (pid === undefined) return;
    for (let turn = 0; turn < 25 && processes.alive(pid); turn++) await machine.clock.sleep(200);
    if (processes.alive(pid))
      await runSteps(machine, [{ command: ["taskkill", "/PID", String(pid), "/T", "/F"], optional: true }]);
  }

  return {
    kind: "schtasks",
    words: serviceWords.schtasks,
    abilities: async () => ({ notifies: false, backsOff: false }),
    render: async (unit) => renderSchtasks(unit, user),
    steps: async (verb, names) => steps(verb, names).map(({ command }) => command),
    target: async (names) => names.schtasks,
    path: async (names) => names.taskScript,
    installed,
    async state(names) {
      const { code, stdout, detail } = await query(["/TN", names.schtasks, "/V", "/FO", "CSV", "/NH", "/HRESULT"]);
      if (code !== 0) return absent(code, detail);
      const state = parseTask(stdout);
      const pid = state.runtime.status === "running" ? await gateway(names) : undefined;
      return pid === undefined ? state : { ...state, runtime: { ...state.runtime, pid } };
    },
    async install(unit) {
      const { names } = unit;
      const former = secretsFileOf((await installed(names))?.environment ?? {});
      const rendered = renderSchtasks(unit, user);
      await query([]);
      await end(names);
      // The secrets first: the script that names them is the last that appears.
      await writeFiles(machine, rendered.toReversed());
      if (former !== undefined && !rendered.some((file) => file.path === former)) await files.remove(former);
      await runSteps(machine, steps("install", names).slice(1));
    },
    async uninstall(names) {
      const found = await installed(names);
      if (!found) return [];
      await end(names);
      // A task that is there must go: one that stays would start a script that is gone.
      const { code } = await query(["/TN", names.schtasks]);
      if (code === 0) await runSteps(machine, steps("uninstall", names).slice(1));
      const secrets = secretsFileOf(found.environment);
      // The script last: as long as it is there, who was interrupted can do it again.
      const removed = await removeFiles(machine, [
        ...(secrets === undefined ? [] : [secrets]),
        taskFile(names.taskScript),
        found.path,
      ]);
      return removed.toReversed();
    },
    async control(verb, names) {
      if (verb !== "start") await end(names);
      if (verb !== "stop") await runSteps(machine, steps("start", names));
    },
    async foreign(names, { deep }) {
      // There is one list of tasks for everybody, and reading all of it takes seconds.
      if (!deep) return [];
      const { code, stdout } = await query(["/V", "/FO", "CSV", "/NH"]);
      return code === 0 ? foreignTasks(stdout, names) : [];
    },
  };
}

function steps(verb: Verb, { schtasks: name, taskScript }: ServiceNames): readonly Step[] {
  const end: Step = { command: ["schtasks", "/End", "/TN", name], optional: true };
  const run: Step = { command: ["schtasks", "/Run", "/TN", name] };
  const byVerb: Readonly<Record<Verb, readonly Step[]>> = {
    install: [end, { command: ["schtasks", "/Create", "/F", "/TN", name, "/XML", taskFile(taskScript)] }, run],
    uninstall: [end, { command: ["schtasks", "/Delete", "/F", "/TN", name] }],
    start: [run],
    stop: [end],
    restart: [end, run],
  };
  return byVerb[verb];
}

/** HRESULT of ERROR_FILE_NOT_FOUND, signed or not; plain 1 from those that do not know `/HRESULT`. */
const notFound = new Set([0x80070002, 0x80070002 - 2 ** 32, 1]);

function absent(code: number, detail: string): ServiceState {
  return { loaded: false, runtime: notFound.has(code) ? { status: "stopped" } : { status: "unknown", detail } };
}

/**
 * One task of `schtasks /V /FO CSV /NH`. Its words are in the language of the system, its columns and the last result
 * are not: SCHED_S_TASK_RUNNING (0x41301) means that it runs.
 */
export function parseTask(csv: string): ServiceState {
  const [row = []] = parseCsv(csv);
  const [, , , state = "", , lastRunTime = "", lastRunResult = ""] = row;
  const running = Number(lastRunResult) === 0x41301 || state === "Running";
  return {
    loaded: true,
    runtime: {
      status: running ? "running" : "stopped",
      ...(state === "" ? {} : { state }),
      ...(lastRunTime === "" ? {} : { lastRunTime }),
      ...(lastRunResult === "" ? {} : { lastRunResult }),
    },
  };
}

function foreignTasks(csv: string, names: ServiceNames): readonly ForeignService[] {
  const found = parseCsv(csv).flatMap((row): readonly (readonly [string, ForeignService])[] => {
    const [, path = "", , , , , , , command = ""] = row;
    const label = path.replace(/^\\/, "");
    const ours = label === names.schtasks || /^(OpenClaw|Clawdbot) Gateway( \([\w-]+\))?$/.test(label);
    if (ours || kindOfGateway(`${label} ${command}`) === undefined) return [];
    const remove = [`schtasks /Delete /F /TN "${label}"`];
    return [[label, { platform: "windows", label, detail: `task: ${command}`, scope: "user", remove }]];
  });
  // A task has a line for each of its triggers.
  return [...new Map(found).values()];
}

function parseCsv(text: string): readonly (readonly string[])[] {
  return text
    .split(/\r?\n/)
    .filter((line) => line.startsWith('"'))
    .map((line) => [...line.matchAll(/"((?:[^"]|"")*)"/g)].map(([, cell = ""]) => cell.replaceAll('""', '"')));
}
