import type { RenderedFile, ServiceUnit } from "../../src/service/service.ts";
import { Failure } from "../../src/kit/error.ts";
import { renderSecrets } from "../../src/service/secrets.ts";

/**
 * A systemd unit and, when there are secrets, their file. Written for systemd 246 and later; what only newer ones know
 * is left out unless the unit says that this one does.
 *
 * Hardening: only what holds for the tools that the gateway runs, too. They are the person's own programs: sudo must
 * work, so nothing that implies NoNewPrivileges= (for a user's service that is every filter of system calls and every
 * Protect*=); they share /tmp with the person and write wherever the person may.
 */
export function renderSystemd(unit: ServiceUnit, path: string): readonly RenderedFile[] {
  const lines = [
    "[Unit]",
    `Description=${specifiers(plain(unit.description))}`,
    "After=network-online.target",
    "Wants=network-online.target",
    // However often it fails: a machine that was offline for a night must not stay without its gateway.
    "StartLimitIntervalSec=0",
    "",
    "[Service]",
    ...(unit.notifies
      ? // The notice comes from a helper program of the gateway's, so not from the main process.
        ["Type=notify", "NotifyAccess=all", "TimeoutStartSec=120", "WatchdogSec=60"]
      : ["Type=exec"]),
    `ExecStart=${commandLine(unit.program)}`,
    "ExecReload=kill -USR1 $MAINPID",
    ...(unit.user === undefined ? [] : [`User=${quoted(unit.user)}`]),
    "Restart=always",
    "RestartSec=5",
    // The count that makes the wait longer is never forgotten while the service runs, so the longest wait is short.
    ...(unit.backsOff ? ["RestartSteps=6", "RestartMaxDelaySec=60"] : []),
    // The configuration, or safety, forbids it: trying again will not help.
    "RestartPreventExitStatus=78",
    `TimeoutStopSec=${Math.ceil(unit.drainMs / 1000) + marginSec}`,
    // The gateway alone is asked to end, and looks after what it started; what outlives it is ended with it. With
    // `process` it would go on, unseen, beside the tools of the next gateway.
    "KillMode=mixed",
    // A tool that takes too much memory is killed; the gateway goes on and says so.
    "OOMPolicy=continue",
    "LimitNOFILE=65536",
    "UMask=0077",
    // The gateway keeps its own log file: what it prints goes to the journal.
    "StandardOutput=journal",
    "StandardError=journal",
    ...Object.entries(unit.environment).map(([name, value]) => `Environment=${quoted(`${name}=${value}`)}`),
    "",
    "[Install]",
    `WantedBy=${unit.scope === "system" ? "multi-user.target" : "default.target"}`,
    "",
  ];
  const secrets = Object.keys(unit.secrets).length > 0;
  return [
    { path, text: lines.join("\n"), mode: 0o644 },
    ...(secrets ? [{ path: unit.secretsFile, text: renderSecrets(unit.secrets), mode: 0o600 }] : []),
  ];
}

/** On top of the gateway's own budget, for closing what it has open. */
const marginSec = 10;

/** The program and variables of a unit, whoever wrote it. */
export function parseSystemd(text: string): {
  readonly program: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
} {
  // A backslash at the end of a line continues it.
  const lines = text.replace(/\\\r?\n/g, " ").split(/\r?\n/);
  const values = (key: string) =>
    lines.filter((line) => line.startsWith(`${key}=`)).map((line) => line.slice(key.length + 1));
  const [executable = "", ...args] = words(values("ExecStart").at(-1) ?? "");
  const pairs = values("Environment")
    .flatMap(words)
    .map((word) => [word.slice(0, word.indexOf("=")), word.slice(word.indexOf("=") + 1)] as const)
    .filter(([name]) => name !== "");
  return {
    program: executable === "" ? [] : [executable, ...args.map((arg) => arg.replaceAll("$$", "$"))],
    environment: Object.fromEntries(pairs),
  };
}

/** `systemd.service(5)`, command lines: `%` and `$` mean something; the executable alone is not searched for `$`. */
function commandLine([executable = "", ...args]: readonly string[]): string {
  return [quoted(executable), ...args.map((arg) => quoted(arg.replaceAll("$", "$$$$")))].join(" ");
}

/** `systemd.syntax(7)`, quoting: bare where it can be read no other way, else in double quotes with C escapes. */
function quoted(word: string): string {
  const text = specifiers(plain(word));
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `"${text.replace(/["\\]/g, "\\$&")}"`;
}

function specifiers(text: string): string {
  return text.replaceAll("%", "%%");
}

/** A line break would begin a setting of its own. */
function plain(text: string): string {
  if (!/\p{Cc}/u.test(text)) return text;
  throw new Failure("usage", `${JSON.stringify(text)} cannot stand in a systemd unit: it has control characters`);
}

/** Words as systemd takes them apart. */
function words(line: string): readonly string[] {
  const found = line.match(/(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\\.|[^\s"'\\])+/g) ?? [];
  return found.map((word) =>
    word
      .replace(
        /"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|\\(.)/g,
        (_all, double?: string, single?: string, one?: string) =>
          (double ?? single ?? one ?? "").replace(/\\(.)/g, "$1"),
      )
      .replaceAll("%%", "%"),
  );
}
