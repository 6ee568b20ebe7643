import type { RenderedFile, ServiceUnit } from "../../src/service/service.ts";
import { dirname, join } from "../../src/host/paths.ts";
import { Failure } from "../../src/kit/error.ts";
import { renderSecrets } from "../../src/service/secrets.ts";
import { escapeXml } from "./xml.ts";

/** The script that a Windows task runs, the task, and when there are secrets, their file. */
export function renderSchtasks(unit: ServiceUnit, user: string): readonly RenderedFile[] {
  const { taskScript } = unit.names;
  const secrets = Object.keys(unit.secrets).length > 0;
  return [
    { path: taskScript, text: script(unit), mode: 0o600 },
    { path: taskFile(taskScript), text: task(unit, user), mode: 0o600 },
    ...(secrets ? [{ path: unit.secretsFile, text: renderSecrets(unit.secrets), mode: 0o600 }] : []),
  ];
}

/** The task's definition lies beside its script. */
export function taskFile(taskScript: string): string {
  return join(dirname(taskScript), "gateway-task.xml");
}

/**
 * The script starts the gateway again when it fails. The Task Scheduler does not: to it, a program that ended has done
 * its work, whatever its status, and the windowless console in between passes no status on.
 */
function script(unit: ServiceUnit): string {
  const errors = backslashes(unit.errorFile);
  return [
    "@echo off",
    `rem ${batch(unit.description)}`,
    // Names of people and folders are not always ASCII.
    "chcp 65001 >nul",
    ...Object.entries(unit.environment).map(([name, value]) => `set "${name}=${batch(value)}"`),
    `if not exist "${batch(backslashes(dirname(unit.errorFile)))}" mkdir "${batch(backslashes(dirname(unit.errorFile)))}"`,
    ":start",
    // The gateway keeps its own log file; of what it prints besides that, this run's and the one's before are kept.
    `if exist "${batch(errors)}" move /y "${batch(errors)}" "${batch(errors)}.1" >nul`,
    `${commandLine(unit.program)} >nul 2>"${batch(errors)}"`,
    "if %ERRORLEVEL% EQU 0 exit /b 0",
    // The configuration, or safety, forbids it: trying again will not help.
    "if %ERRORLEVEL% EQU 78 exit /b 78",
    // Five seconds; `timeout` refuses to work where nobody can type.
    "ping -n 6 127.0.0.1 >nul",
    "goto start",
    "",
  ].join("\r\n");
}

/**
 * The task, in ASCII and without a declared encoding: so schtasks takes it, whatever it reads the file as. conhost gives
 * the script a console without a window, which neither `Hidden` nor a hidden PowerShell does on Windows 11; scripts of
 * wscript are being removed from Windows.
 */
function task(unit: ServiceUnit, user: string): string {
  const path = backslashes(unit.names.taskScript);
  if (/["%]/.test(path))
    throw new Failure("usage", `${path} cannot be run by a Windows task: it has a percent sign or quote in it`);
  return `<?xml version="1.0"?>
<Task version="1.3" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Author>${escapeXml(user)}</Author>
    <Description>${escapeXml(unit.description)}</Description>
  </RegistrationInfo>
  <Triggers>
    <LogonTrigger>
      <Enabled>true</Enabled>
      <UserId>${escapeXml(user)}</UserId>
    </LogonTrigger>
  </Triggers>
  <Principals>
    <Principal id="Author">
      <UserId>${escapeXml(user)}</UserId>
      <LogonType>InteractiveToken</LogonType>
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <AllowHardTerminate>true</AllowHardTerminate>
    <StartWhenAvailable>true</StartWhenAvailable>
    <RunOnlyIfNetworkAvailable>false</RunOnlyIfNetworkAvailable>
    <IdleSettings>
      <StopOnIdleEnd>false</StopOnIdleEnd>
      <RestartOnIdle>false</RestartOnIdle>
    </IdleSettings>
    <AllowStartOnDemand>true</AllowStartOnDemand>
    <Enabled>true</Enabled>
    <Hidden>false</Hidden>
    <RunOnlyIfIdle>false</RunOnlyIfIdle>
    <WakeToRun>false</WakeToRun>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <Priority>5</Priority>
    <RestartOnFailure>
      <Interval>PT1M</Interval>
      <Count>255</Count>
    </RestartOnFailure>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>%SystemRoot%\\System32\\conhost.exe</Command>
      <Arguments>${escapeXml(`--headless cmd.exe /d /s /c ""${path}""`)}</Arguments>
    </Exec>
  </Actions>
</Task>
`;
}

/** The program and variables of a task's script, whoever wrote it. */
export function parseScript(text: string): {
  readonly program: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
} {
  const lines = text.split(/\r?\n/);
  const pairs = lines.flatMap((line) => {
    const [, quoted, bare] = /^set (?:"(.*)"|(.*))$/i.exec(line) ?? [];
    const pair = (quoted ?? bare)?.replaceAll("%%", "%") ?? "";
    const at = pair.indexOf("=");
    return at > 0 ? [[pair.slice(0, at), pair.slice(at + 1)] as const] : [];
  });
  const command = lines.find((line) => / gateway(\s|$)/.test(line) && !/^(rem|set|if|@echo)\b/i.test(line)) ?? "";
  const words = command.replace(/\s+\d?>.*$/, "").match(/"[^"]*"|[^\s"]+/g) ?? [];
  return {
    program: words.map((word) => word.replace(/^"(.*)"$/, "$1").replaceAll("%%", "%")),
    environment: Object.fromEntries(pairs),
  };
}

/** Quotes take away the meaning of everything but `%`; the executable needs backslashes. */
function commandLine([executable = "", ...args]: readonly string[]): string {
  return [backslashes(executable), ...args]
    .map(batch)
    .map((word) => (/^[\w@+:.,/\\-]+$/.test(word) ? word : `"${word}"`))
    .join(" ");
}

function batch(text: string): string {
  if (!/["\p{Cc}]/u.test(text)) return text.replaceAll("%", "%%");
  throw new Failure("usage", `${JSON.stringify(text)} cannot stand in a Windows script: it has quotes or line breaks`);
}

function backslashes(path: string): string {
  return path.replaceAll("/", "\\");
}
