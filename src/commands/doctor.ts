import type { Finding, Fix, Level } from "../checks/check.ts";
import { checks } from "../checks/index.ts";
import { count } from "../cli/format.ts";
import { type Change, examine, type Examined, repair } from "../cli/examine.ts";
import { wrap } from "../cli/layout.ts";
import type { Output } from "../cli/output.ts";
import { exit } from "../kit/error.ts";
import { command, type CommandContext } from "./command.ts";

const options = {
  fix: { description: "Put right what can be; asks before it changes the configuration or the service." },
  repair: { description: "The same as --fix." },
  yes: { description: "Put right without asking." },
  "non-interactive": { description: "Never ask: what would need an answer stays, unless --yes is given." },
  deep: { description: "Also look where it takes longer, and at services of the whole system." },
  force: { description: "With --fix: overwrite a service that seems to have been changed by hand." },
  "generate-gateway-token": { description: "Give the gateway a token when it has none." },
  "no-workspace-suggestions": { description: "Say nothing about what the workspace could have." },
} as const;

type Context = CommandContext<typeof options>;

/** Looks at everything that may keep the gateway from working, and puts right what it may. Exits 0: it reports. */
export const doctor = command({
  path: ["doctor"],
  summary: "Find out what is wrong with this installation, and put it right.",
  options,
  examples: [
    { command: "doctor", description: "Look, and change nothing." },
    { command: "doctor --fix", description: "Put right what can be, asking before your own files are changed." },
    { command: "doctor --fix --generate-gateway-token", description: "Also give the gateway a token if it has none." },
    { command: "doctor --json", description: "For programs; `ok` is false while there is an error." },
  ],
  async run(context) {
    const { output, options: flags } = context;
    const wishes = {
      deep: flags.deep,
      generateToken: flags["generate-gateway-token"],
      workspaceSuggestions: !flags["no-workspace-suggestions"],
      force: flags.force,
    };
    const look = () => output.progress("Looking", examine(context, checks, wishes));
    const before = await look();
    const changes = await repair(wanted(before, flags), agreement(context));
    const examined = changes.some(({ ok }) => ok) ? await look() : before;
    if (output.json) output.data(asJson(examined, changes));
    else for (const line of asText(context, examined, changes)) output.print(line);
    return exit.ok;
  },
});

/** What was asked to be put right: everything, or the token alone. */
function wanted(examined: readonly Examined[], flags: Context["options"]): readonly Examined[] {
  if (flags.fix || flags.repair || flags.yes) return examined;
  return flags["generate-gateway-token"] ? examined.filter(({ check }) => check.id === "exposure") : [];
}

function agreement({ host, output, options: flags }: Context): (fix: Fix) => Promise<boolean> {
  return async (fix) => {
    if (flags.yes) return true;
    if (flags["non-interactive"] || output.json || !host.terminal.interactive) return false;
    const { confirmed } = await import("../cli/questions.ts");
    return confirmed(fix.question);
  };
}

function asText(context: Context, examined: readonly Examined[], changes: readonly Change[]): readonly string[] {
  const { output, program, flavour, options: flags } = context;
  const findings = examined.flatMap((each) => each.findings);
  const fixable = findings.filter(({ fix }) => fix).length;
  const fixing = flags.fix || flags.repair || flags.yes;
  return [
    output.style.bold(`${flavour.title} doctor`),
    "",
    ...examined.flatMap((each) => section(each, output)),
    ...(changes.length > 0
      ? ["", output.style.bold("Doctor changes"), ...changes.map((each) => changeLine(each, output))]
      : []),
    "",
    summaryLine(findings),
    ...(fixable > 0 && !fixing ? [`Run "${program} doctor --fix" to apply changes.`] : []),
    ...(fixable > 0 && fixing && !flags.yes
      ? [
          `Left as they are: ${count(fixable, "change")} that nobody agreed to. Run "${program} doctor --fix --yes" to apply them.`,
        ]
      : []),
    "Doctor complete.",
  ];
}

function section({ check, findings }: Examined, output: Output): readonly string[] {
  const worst = levels.find((level) => findings.some((finding) => finding.level === level));
  return [
    `${mark(worst === "info" ? undefined : worst, output)} ${output.style.bold(check.title)}`,
    ...levels
      .flatMap((level) => findings.filter((finding) => finding.level === level))
      .flatMap((finding) => lines(finding, output)),
  ];
}

const levels: readonly Level[] = ["error", "warning", "info"];

function lines({ level, message, command: typed }: Finding, output: Output): readonly string[] {
  const [first = "", ...rest] = wrap(message, Math.max(40, output.columns - 4));
  return [
    `  ${mark(level, output)} ${first}`,
    ...rest.map((line) => `    ${line}`),
    // Never wrapped: it is to be copied.
    ...(typed === undefined ? [] : [`    ${output.style.dim("→")} ${output.style.cyan(typed)}`]),
  ];
}

function mark(level: Level | undefined, { style }: Output): string {
  if (level === undefined) return style.green("✓");
  return { error: style.red("✗"), warning: style.yellow("!"), info: style.dim("·") }[level];
}

function changeLine({ ok, message }: Change, { style }: Output): string {
  return `  ${ok ? style.green("✓") : style.red("✗")} ${message}`;
}

function summaryLine(findings: readonly Finding[]): string {
  const { errors, warnings, infos } = summaryOf(findings);
  return errors + warnings + infos === 0
    ? "Everything is in order."
    : `${count(errors, "error")}, ${count(warnings, "warning")}, ${count(infos, "note")}.`;
}

function summaryOf(findings: readonly Finding[]) {
  const of = (level: Level): number => findings.filter((finding) => finding.level === level).length;
  return { errors: of("error"), warnings: of("warning"), infos: of("info") };
}

function asJson(examined: readonly Examined[], changes: readonly Change[]): unknown {
  const findings = examined.flatMap((each) => each.findings);
  const summary = summaryOf(findings);
  return {
    ok: summary.errors === 0,
    summary,
    checks: examined.map(({ check: { id, title }, findings: found }) => ({
      id,
      title,
      ok: found.every(({ level }) => level !== "error"),
      findings: found.map(({ fix, ...finding }) => ({ ...finding, fixable: fix !== undefined })),
    })),
    changes,
  };
}
