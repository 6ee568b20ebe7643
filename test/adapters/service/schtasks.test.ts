import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { parseScript, renderSchtasks } from "../../../adapters/service/schtasks-files.ts";
import { parseTask } from "../../../adapters/service/schtasks.ts";
import { unescapeXml } from "../../../adapters/service/xml.ts";
import { canary, failureOf, managerOf, sameAsGolden, unitFor, variants } from "./units.ts";

const user = "PC\\Jörg & me";
const filesOf = (unit: ReturnType<typeof unitFor>) => renderSchtasks(unit, user);
const recorded = (name: string) => readFileSync(`test/golden/services/schtasks-${name}.csv`, "utf8");

for (const { name, ...choice } of variants) {
  test(`cli.md 3.2: script and task of ${name} are the golden ones`, () =>
    sameAsGolden(name, filesOf(unitFor("schtasks", choice))));
  test(`the task of ${name} obeys the schema of the Task Scheduler`, () => {
    const [, task] = filesOf(unitFor("schtasks", choice));
    checkTask(task?.text ?? "");
  });
}

test("SC-013 it starts at logon, without a window, without a time limit, on batteries too", () => {
  const text = filesOf(unitFor("schtasks"))[1]?.text ?? "";
  for (const part of ["<LogonTrigger>", "conhost.exe", "--headless", "PT0S", "<StopIfGoingOnBatteries>false"])
    assert.ok(text.includes(part), part);
  assert.match(text, /^[\n\u0020-\u007e]*$/, "ASCII: schtasks may take the file for anything");
});

test("a failure starts it again after a while; a refusal of the configuration does not", () => {
  const text = filesOf(unitFor("schtasks"))[0]?.text ?? "";
  assert.ok(/EQU 78 exit \/b 78\r\nping .*\r\ngoto start\r\n$/.test(text), text);
  assert.equal(text.replaceAll("\r\n", "").match(/[\r\n]/g), null, "every line ends as Windows wants");
});

test("threat G: a secret is in its own file and nowhere else", () => {
  const [script, task, secrets] = filesOf(unitFor("schtasks", { profile: "rescue" }));
  assert.not.match(`${script?.text}${task?.text}`, canary);
  assert.match(secrets?.text ?? "", canary);
  assert.equal([script?.mode, task?.mode, secrets?.mode], [0o600, 0o600, 0o600]);
});

test("whatever a path has in it arrives as it was", () => {
  const program = ["C:\\a b\\100%\\run & hide.exe", "^caret", "gateway", "--port", "1"];
  const environment = { PATH: "C:\\100%;C:\\a & b", X: "a=b" };
  const [script] = filesOf({ ...unitFor("schtasks"), program, environment });
  assert.equal(parseScript(script?.text ?? ""), { program, environment });
});

test("threat M: quotes and line breaks cannot become commands", () => {
  const unit = unitFor("schtasks");
  assert.throws(() => filesOf({ ...unit, environment: { X: 'a" & calc & "' } }), /quotes or line breaks/);
  assert.throws(() => filesOf({ ...unit, environment: { X: "a\r\ncalc" } }), /quotes or line breaks/);
  assert.throws(() => filesOf({ ...unit, program: ["C:\\a.exe", '"&calc&"'] }), /quotes or line breaks/);
});

test("uninstall: a task that cannot be deleted keeps its files, and says why", async () => {
  const { names } = unitFor("schtasks", { home: "/home/me" });
  const refused = { code: 1, stderr: "ERROR: Access is denied.\n" };
  const { host, manager } = managerOf("windows", {
    files: { [names.taskScript]: "@echo off\r\nnode x gateway\r\n" },
    commands: { schtasks: ([verb]) => (verb === "/Delete" ? refused : {}) },
  });
  const failure = await failureOf(manager.uninstall(names, "user"));
  assert.match(failure.message, "Access is denied.");
  assert.ok(await host.files.stat(names.taskScript));
});

test("the script of the reference is read as well", () => {
  const text =
    "@echo off\r\nrem Clawdbot Gateway (v1)\r\nset CLAWDBOT_GATEWAY_PORT=18789\r\n" +
    '"C:\\Program Files\\nodejs\\node.exe" C:\\x\\entry.js gateway --port 18789\r\n';
  assert.equal(parseScript(text), {
    program: ["C:\\Program Files\\nodejs\\node.exe", "C:\\x\\entry.js", "gateway", "--port", "18789"],
    environment: { CLAWDBOT_GATEWAY_PORT: "18789" },
  });
});

test("cli.md 3.6: schtasks: running, in any language; ready", () => {
  assert.equal(parseTask(recorded("running")), {
    loaded: true,
    runtime: {
      status: "running",
      state: "Running",
      lastRunTime: "11/21/2026 10:00:00 AM",
      lastRunResult: "267009",
    },
  });
  assert.is(parseTask(recorded("running-german")).runtime.status, "running");
  const ready = parseTask(recorded("ready"));
  assert.equal([ready.runtime.status, ready.runtime.lastRunResult], ["stopped", "78"]);
});

const stateWhen = (answer: object) =>
  managerOf("windows", { commands: { schtasks: answer } }).manager.state(unitFor("schtasks").names, "user");

test("schtasks: missing, refused, not there at all", async () => {
  assert.equal(await stateWhen({ code: 2_147_942_402 }), { loaded: false, runtime: { status: "stopped" } });
  assert.equal(await stateWhen({ code: -2_147_024_894 }), { loaded: false, runtime: { status: "stopped" } });
  assert.equal(await stateWhen({ code: 2_147_942_405, stderr: "ERROR: Access is denied.\r\n" }), {
    loaded: false,
    runtime: { status: "unknown", detail: "ERROR: Access is denied." },
  });
  const { code } = await failureOf(managerOf("windows").manager.state(unitFor("schtasks").names, "user"));
  assert.is(code, "unavailable");
});

const runtime = '{"pid":77,"port":18789,"url":"ws://127.0.0.1:18789","startedAt":0}';

async function stopped(owner: number): Promise<readonly string[]> {
  const unit = unitFor("schtasks", { home: "/home/me" });
  const { host, manager } = managerOf("windows", {
    commands: { schtasks: {}, taskkill: {} },
    files: { [`${unit.stateFolder}/runtime.json`]: runtime },
  });
  host.processes.living.add(77);
  host.processes.ports.set(18789, [{ pid: owner, command: "node" }]);
  const done = manager.control("stop", unit.names, "user");
  await host.clock.advance(6000);
  await done;
  return host.processes.ran.map(({ command, args }) => [command, ...args].join(" "));
}

test("stop also ends a gateway that outlives its task", async () => {
  assert.equal(await stopped(77), ["schtasks /End /TN OpenClaw Gateway", "taskkill /PID 77 /T /F"]);
});

test("threat M: a process that only has the number of a former gateway is left alone", async () => {
  assert.equal(await stopped(78), ["schtasks /End /TN OpenClaw Gateway"]);
});

/** The rules of the schema that a task can break: known elements, each at most once, values of their types. */
function checkTask(text: string): void {
  const children: Readonly<Record<string, readonly string[]>> = {
    Task: ["RegistrationInfo", "Triggers", "Principals", "Settings", "Actions"],
    RegistrationInfo: ["Author", "Description"],
    Triggers: ["LogonTrigger"],
    // A sequence in the schema: the base type's elements come before its own.
    LogonTrigger: ["Enabled", "StartBoundary", "EndBoundary", "ExecutionTimeLimit", "UserId", "Delay"],
    Principals: ["Principal"],
    Principal: ["UserId", "LogonType", "RunLevel"],
    Settings: [
      "MultipleInstancesPolicy",
      "DisallowStartIfOnBatteries",
      "StopIfGoingOnBatteries",
      "AllowHardTerminate",
      "StartWhenAvailable",
      "RunOnlyIfNetworkAvailable",
      "IdleSettings",
      "AllowStartOnDemand",
      "Enabled",
      "Hidden",
      "RunOnlyIfIdle",
      "WakeToRun",
      "ExecutionTimeLimit",
      "Priority",
      "RestartOnFailure",
    ],
    IdleSettings: ["StopOnIdleEnd", "RestartOnIdle"],
    RestartOnFailure: ["Interval", "Count"],
    Actions: ["Exec"],
    Exec: ["Command", "Arguments", "WorkingDirectory"],
  };
  const values: Readonly<Record<string, RegExp>> = {
    Enabled: /^(true|false)$/,
    Hidden: /^(true|false)$/,
    LogonType: /^(InteractiveToken|S4U|Password)$/,
    RunLevel: /^(LeastPrivilege|HighestAvailable)$/,
    MultipleInstancesPolicy: /^(Parallel|Queue|IgnoreNew|StopExisting)$/,
    ExecutionTimeLimit: /^PT0S$/,
    Priority: /^([0-9]|10)$/,
    // Between a minute and 31 days; 1 to 255 times.
    Interval: /^PT([1-9]\d?M|[1-9]\d?H)$/,
    Count: /^([1-9]\d?|1\d\d|2[0-4]\d|25[0-5])$/,
  };
  const body = text.replace(/^<\?xml version="1\.0"\?>\n/, "");
  assert.match(body, /^<Task version="1\.\d" xmlns="http:\/\/schemas\.microsoft\.com\/windows\/2004\/02\/mit\/task">/);
  const open: { readonly name: string; readonly seen: string[] }[] = [];
  const principal = /<Principal id="(\w+)">/.exec(body)?.[1];
  assert.match(body, `<Actions Context="${principal}">`);
  for (const [, closing, name = "", , value = ""] of body.matchAll(/<(\/?)(\w+)([^>]*)>([^<]*)/g)) {
    if (closing) {
      assert.is(open.pop()?.name, name);
      continue;
    }
    const parent = open.at(-1);
    if (parent) {
      const allowed = children[parent.name] ?? [];
      assert.ok(allowed.includes(name), `${name} in ${parent.name}`);
      assert.not(parent.seen.includes(name), `${name} twice in ${parent.name}`);
      const last = parent.seen.at(-1);
      assert.ok(last === undefined || allowed.indexOf(last) < allowed.indexOf(name), `${name} after ${last}`);
      parent.seen.push(name);
    }
    if (values[name]) assert.match(unescapeXml(value), values[name]);
    open.push({ name, seen: [] });
  }
  assert.is(open.length, 0);
}

test.run();
