import type { Check, Finding, Level } from "../checks/check.ts";
import { checks } from "../checks/index.ts";
import { type Change, examine, type Examined, repair } from "../cli/examine.ts";
import { wrap } from "../cli/layout.ts";
import type { Output } from "../cli/output.ts";
import { exit } from "../kit/error.ts";
import { command, type CommandContext } from "./command.ts";

const options = {
  deep: { description: "Also ask the running gateway." },
  fix: { description: "Put right what can be without changing the configuration: the modes of files and folders." },
} as const;

type Context = CommandContext<typeof options>;

/** Tells who could reach or read what they should not. Exits 0: it reports. */
export const securityAudit = command({
  path: ["security", "audit"],
  summary: "Find out who could reach the gateway, or read its files, and should not.",
  options,
  examples: [
    { command: "security audit", description: "Look, and change nothing." },
    { command: "security audit --fix", description: "Close files and folders to other users." },
    { command: "security audit --deep --json", description: "With the running gateway's own answer, for programs." },
  ],
  async run(context) {
    const { host, output, options: flags } = context;
    const wishes = { deep: flags.deep, generateToken: false, workspaceSuggestions: false, force: false };
    const asked = checks.filter(({ security, id }) => security || (flags.deep && id === deepCheck));
    const look = () => output.progress("Looking", examine(context, asked, wishes));
    const before = await look();
    const changes = flags.fix ? await repair(before, neverAsks) : [];
    const report = reportOf(changes.some(({ ok }) => ok) ? await look() : before, host.clock.now());
    if (output.json) output.data({ ...report, ...(flags.fix ? { changes } : {}) });
    else for (const line of asText(context, report, changes)) output.print(line);
    return exit.ok;
  },
});

/** What a person wrote is for `doctor` to change, which asks. */
const neverAsks = (): Promise<boolean> => Promise.resolve(false);
const deepCheck = "gateway";

type Severity = "critical" | "warn" | "info";
const severities: Readonly<Record<Level, Severity>> = { error: "critical", warning: "warn", info: "info" };

interface AuditFinding {
  readonly checkId: string;
  readonly severity: Severity;
  readonly title: string;
  readonly detail: string;
  readonly remediation?: string;
}

interface Report {
  /** Milliseconds since 1970. */
  readonly ts: number;
  readonly summary: Readonly<Record<Severity, number>>;
  readonly findings: readonly AuditFinding[];
  readonly deep?: {
    readonly gateway: { readonly attempted: true; readonly ok: boolean; readonly error: string | null };
  };
}

function reportOf(examined: readonly Examined[], ts: number): Report {
  const order: readonly Severity[] = ["critical", "warn", "info"];
  const found = examined
    .filter(({ check }) => check.security)
    .flatMap(({ check, findings }) => findings.map((finding) => asAudit(check, finding)))
    .toSorted((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity));
  const number = (severity: Severity): number => found.filter((each) => each.severity === severity).length;
  const asked = examined.find(({ check }) => check.id === deepCheck);
  const silent = asked?.findings.find(({ code }) => silence.has(code));
  return {
    ts,
    summary: { critical: number("critical"), warn: number("warn"), info: number("info") },
    findings: found,
    ...(asked
      ? { deep: { gateway: { attempted: true, ok: silent === undefined, error: silent?.message ?? null } } }
      : {}),
  };
}

const silence = new Set(["gateway-not-running", "gateway.probe_failed", "check-failed"]);

function asAudit({ title }: Check, { code, level, message, command: typed }: Finding): AuditFinding {
  return {
    checkId: code,
    severity: severities[level],
    title,
    detail: message,
    ...(typed === undefined ? {} : { remediation: typed }),
  };
}

function asText(
  { output, program, flavour }: Context,
  { summary, findings, deep }: Report,
  changes: readonly Change[],
): readonly string[] {
  const { style } = output;
  return [
    style.bold(`${flavour.title} security audit`),
    `Summary: ${summary.critical} critical · ${summary.warn} warn · ${summary.info} info`,
    ...(deep
      ? [`Gateway: ${deep.gateway.ok ? style.green("✓ answers") : style.yellow(`! ${deep.gateway.error}`)}`]
      : []),
    ...findings.flatMap((finding) => ["", ...lines(finding, output)]),
    ...(changes.length > 0
      ? ["", ...changes.map(({ ok, message }) => `${ok ? style.green("✓") : style.red("✗")} ${message}`)]
      : []),
    "",
    findings.length === 0
      ? `${style.green("✓")} Nothing is open that should not be.`
      : `More on the rest: ${program} doctor`,
  ];
}

function lines(
  { checkId, severity, detail, remediation }: AuditFinding,
  { style, columns }: Output,
): readonly string[] {
  const mark = { critical: style.red("✗"), warn: style.yellow("!"), info: style.dim("·") }[severity];
  return [
    `${mark} ${style.bold(checkId)} (${severity})`,
    ...wrap(detail, Math.max(40, columns - 2)).map((line) => `  ${line}`),
    ...(remediation === undefined ? [] : [`  ${style.dim("→")} ${style.cyan(remediation)}`]),
  ];
}
