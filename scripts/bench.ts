// Figures of the product as it is shipped, on every runtime and as the executable, beside a bare server on the same
// runtime and the reference gateway, all asked by the same client. Best on an idle machine with two cores or more.
//   npm run bench                                  everything: some minutes a runtime
//   npm run bench -- --quick                       less often and less long, and 1,000 connections
//   npm run bench -- --runtime binary,node         of binary, bun, deno, node (this machine's), node24
//   npm run bench -- --only start,memory           of size, start, one-off, memory, commands, calls, fan-out, durable, connections
//   npm run bench -- --reference <folder|program>  an OpenClaw to compare with, when not beside this folder or in PATH
//   npm run bench -- --json <file>                 where the figures go (bench.json)
//   npm run bench -- --markdown                    prints the table as the README has it
//   npm run bench -- --write                       puts it there
// Long or special measurements are commands of their own, in scripts/bench: see the README.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import mri from "mri";
import { figures } from "./bench/figures/index.ts";
import type { Plan, Reading, Row } from "./bench/figures/figure.ts";
import { knownReference } from "./bench/known.ts";
import { describeMachine, machineHere } from "./bench/machine.ts";
import { endStarted } from "./bench/process.ts";
import { chosenSubjects, referenceSubject } from "./bench/subject.ts";
import { markdownTable, textTable, type Column } from "./bench/table.ts";

const options = mri(process.argv.slice(2), {
  boolean: ["quick", "markdown", "write"],
  string: ["runtime", "only", "reference", "json"],
});
const plan: Plan = options["quick"]
  ? { repeats: 3, seconds: 1, idleMs: 2000, listeners: 100, connections: 1000 }
  : { repeats: 15, seconds: 3, idleMs: 5000, listeners: 1000, connections: 10_000 };
if (options["write"] && (options["quick"] || options["only"] || options["runtime"]))
  throw new Error("--write: the README has every figure of every runtime, without --quick, --only and --runtime");
const names = String(options["only"] || figures.map(({ name }) => name).join(",")).split(",");
const chosen = names.map((name) => {
  const figure = figures.find((each) => each.name === name);
  if (figure) return figure;
  throw new Error(`--only ${name}: use ${figures.map((each) => each.name).join(", ")}`);
});
const rows = chosen.flatMap(({ name, rows }) =>
  Object.entries<Row>(rows).map(([key, row]) => [`${name}.${key}`, row] as const),
);

process.on("exit", endStarted);
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));
tell("making what is shipped");
const reference = referenceSubject(String(options["reference"] || ""));
if (!reference) tell("no reference gateway: none is installed beside or in PATH (--reference)");
const subjects = [...(await chosenSubjects(String(options["runtime"] || ""))), ...(reference ? [reference] : [])];

/** What the brackets of the table mean. */
const note = "In brackets: how many times the figure of a bare server on the same runtime that is.";

const columns: Column[] = [];
let failed = false;
for (const subject of subjects) {
  const readings: Record<string, Reading> = {};
  for (const figure of chosen) {
    tell(`${subject.name}: ${figure.name}`);
    try {
      for (const [key, reading] of Object.entries<Reading>(await figure.measure(subject, plan)))
        readings[`${figure.name}.${key}`] = reading;
    } catch (error) {
      // One figure less: the others took minutes.
      tell(`✗ ${subject.name}: ${figure.name}: ${error instanceof Error ? error.message : String(error)}`);
      failed ||= subject !== reference;
    }
  }
  columns.push({ name: subject.name, version: subject.version, readings });
}

const machine = machineHere();
const file = String(options["json"] || "bench.json");
writeFileSync(file, `${JSON.stringify({ machine, plan, rows: Object.fromEntries(rows), columns }, undefined, 2)}\n`);
tell(`written: ${file}`);
const table = markdown();
if (options["write"]) writeReadme(table);
process.stdout.write(
  options["markdown"] ? table : `${describeMachine(machine)}\n\n${textTable(rows, columns)}\n${note}\n`,
);
process.exit(failed ? 1 : 0);

function markdown(): string {
  const all = reference ? columns : [...columns, knownReference];
  const known = reference ? "" : " The reference is OpenClaw as it was measured once, not in this run.";
  return `${describeMachine(machine)}. ${note}${known}\n\n${markdownTable(rows, all)}`;
}

/** Between two marks, so that nothing else of the page is touched. */
function writeReadme(text: string): void {
  const [begin, end] = ["<!-- figures -->", "<!-- /figures -->"];
  const readme = readFileSync("README.md", "utf8");
  const [from, to] = [readme.indexOf(begin), readme.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`README.md has no ${begin} … ${end} to write the figures between`);
  writeFileSync("README.md", `${readme.slice(0, from + begin.length)}\n\n${text}\n${readme.slice(to)}`);
  execFileSync("node_modules/.bin/oxfmt", ["README.md"]);
  tell("written: README.md");
}

function tell(text: string): void {
  process.stderr.write(`${text}\n`);
}
