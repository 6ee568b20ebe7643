// The gate: format, lint, types, then every test file on every runtime, in processes with a deadline.
//   npm test                          everything
//   npm test -- --runtime bun,deno    only these runtimes (bun, deno, node, node24)
//   npm test -- --only gateway        only test files whose path has this text
//   npm test -- --program source      live tests start that form of the product: source, package or binary;
//                                     by default the executable with Bun, the installed package with the others
//   npm test -- --skip-checks         no format, lint or types
// Ends with `N passed, N failed, N skipped`. A file that runs no test counts as failed.
import { spawn } from "node:child_process";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { build } from "esbuild";
import mri from "mri";
import { makeShipped } from "./build/shipped.ts";

interface Outcome {
  name: string;
  passed: number;
  failed: number;
  skipped: number;
  output: string;
  ms: number;
}

const options = mri(process.argv.slice(2), { string: ["runtime", "only", "program"], boolean: ["skip-checks"] });
const bin = (name: string) => join("node_modules", ".bin", name);
const machineNode = findMachineNode();
/** Of this run alone, so that two runs side by side do not take away each other's files. */
const nodeBuild = join(".test", `node-${process.pid}`);
const runtimes: Record<string, readonly string[]> = {
  bun: [bin("bun")],
  deno: [bin("deno"), "run", "-A", "--no-check"],
  node: [machineNode],
  node24: [join("node_modules", "node", "bin", "node"), "--no-warnings"],
};
/** What the live tests of a runtime start: what is shipped for it. Tests that are about the source start that. */
const programs: Record<string, string> = { bun: "binary", deno: "package", node: "package", node24: "package" };
if (options["program"]) {
  if (!["source", "package", "binary"].includes(options["program"]))
    throw new Error(`--program ${options["program"]}: use source, package or binary`);
  for (const runtime of Object.keys(programs)) programs[runtime] = options["program"];
}
const chosen = String(options["runtime"] || Object.keys(runtimes).join(",")).split(",");
const files = readdirSync("test", { recursive: true, encoding: "utf8" })
  .map((file) => join("test", file))
  .filter((file) => file.endsWith(".test.ts") && file.includes(String(options["only"] || "")))
  .sort();

/** Files of a folder that share a process at most. */
const batchSize = 10;
const together = "test/support/together.ts";

const outcomes: Outcome[] = [];
const late: { readonly runtime: string; readonly file: string }[] = [];
let shipped: string | undefined;
process.on("exit", () => {
  for (const folder of [nodeBuild, shipped]) if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(130));
await Promise.all([checks(), ship(), ...(chosen.includes("node") ? [transpileForNode()] : [])]);
const jobs = chosen.flatMap((runtime) => batches(files).map((batch) => ({ runtime, batch })));
const queues = {
  live: jobs.filter(({ batch }) => batch.some(isLive)),
  quick: jobs.filter(({ batch }) => !batch.some(isLive)),
};
// More than there are cores: most tests wait for something most of the time, the live ones for real programs that must
// not wait too long themselves. So one lane alone of the quick tests helps with those in the end.
const lanes = Array.from({ length: availableParallelism() > 1 ? 3 : 2 });
await Promise.all([
  ...lanes.map(() => worker(queues.live, queues.quick)),
  ...lanes.map((_, lane) => worker(queues.quick, lane === 0 ? queues.live : [])),
]);

// A machine that does six things at once is late now and then. What failed is run once more, alone, and said to be so.
const again = late.splice(0);
for (const { runtime, file } of again) await runFiles(runtime, [file], true);

const sum = (key: "passed" | "failed" | "skipped") => outcomes.reduce((total, outcome) => total + outcome[key], 0);
for (const { name, output } of outcomes.filter((outcome) => outcome.failed > 0)) print(`\n✗ ${name}\n${output}`);
if (again.length > 0) print(`\nrun twice: ${again.map(({ runtime, file }) => `${runtime} ${file}`).join(", ")}`);
print(`\n${sum("passed")} passed, ${sum("failed")} failed, ${sum("skipped")} skipped`);
process.exit(sum("failed") === 0 && sum("passed") > 0 ? 0 : 1);

async function checks(): Promise<void> {
  if (options["skip-checks"]) return;
  await check("format", [bin("oxfmt"), "--check"]);
  await check("lint", [bin("oxlint"), "--type-aware"]);
  await check("types", [bin("tsc")]);
}

/** Makes what the live tests start, when any of them starts it. */
async function ship(): Promise<void> {
  if (files.some(isLive) && chosen.some((runtime) => programs[runtime] !== "source")) shipped = await makeShipped();
}

function isLive(file: string): boolean {
  return file.startsWith(join("test", "live"));
}

/** Live tests alone, the others with their neighbours: a process for each would mostly load the same again. */
function batches(all: readonly string[]): readonly (readonly string[])[] {
  const folders = new Map<string, string[]>();
  for (const file of all) {
    const folder = isLive(file) ? file : dirname(file);
    folders.set(folder, [...(folders.get(folder) ?? []), file]);
  }
  return [...folders.values()].flatMap((folder) => {
    const count = Math.ceil(folder.length / batchSize);
    return Array.from({ length: count }, (_, batch) => folder.filter((_file, at) => at % count === batch));
  });
}

/** Runs what is in the first queue, then helps with the second. */
async function worker(own: (typeof jobs)[number][], other: typeof own): Promise<void> {
  for (let job = own.shift() ?? other.shift(); job; job = own.shift() ?? other.shift())
    await runFiles(job.runtime, job.batch);
}

async function runFiles(runtime: string, batch: readonly string[], again = false): Promise<void> {
  const command = runtimes[runtime];
  if (!command) throw new Error(`--runtime ${runtime}: use ${Object.keys(runtimes).join(", ")}`);
  const built = (file: string) => (runtime === "node" ? join(nodeBuild, file.replace(/\.ts$/, ".js")) : file);
  const live = batch.some(isLive);
  // One alone is started as it is: it may start itself again.
  const start = batch.length === 1 ? batch : [together, ...batch];
  const { code, output } = await run([...command, ...start.map(built)], {
    deadlineMs: live || batch.some((file) => file.includes("fuzz")) ? 480_000 : 60_000 * batch.length,
    env: shipped && live ? { CLAWLET_TEST_PROGRAM: programs[runtime], CLAWLET_TEST_SHIPPED: shipped } : {},
  });
  const results = batch.map((file) => {
    const part =
      batch.length === 1 ? output : output.split(/^=== /m).find((text) => text.startsWith(`${built(file)}\n`));
    return { file, output: part ?? output, ...countsOf(part ?? "") };
  });
  // A process can end badly after each of its files said that all went well: then none of them is believed.
  const broken = code !== 0 && results.every(({ failed }) => failed === 0);
  for (const { file, ...result } of results) {
    const failed = broken ? Math.max(1, result.failed) : result.failed;
    if (failed > 0 && !again) {
      late.push({ runtime, file });
      print(`! ${runtime} ${file} failed, and is run again in the end:\n${result.output}`);
    } else record({ name: `${runtime} ${file}${again ? " (again)" : ""}`, ...result, failed });
  }
}

/** What the end of a file's output says. Saying nothing, or of nothing, is a failure. */
function countsOf(output: string): Pick<Outcome, "passed" | "failed" | "skipped" | "ms"> {
  const number = (label: string) =>
    Number(new RegExp(`^ {2}${label}:\\s+([\\d.]+)`, "m").exec(plain(output))?.[1] ?? 0);
  const [total, passed] = [number("Total"), number("Passed")];
  const failed = total === 0 ? 1 : total - passed;
  return { passed, failed, skipped: number("Skipped"), ms: number("Duration") };
}

async function check(name: string, command: readonly string[]): Promise<void> {
  const { code, output, ms } = await run(command, { deadlineMs: 300_000 });
  record({ name, passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0, output, ms });
}

function record(outcome: Outcome): void {
  outcomes.push(outcome);
  const mark = outcome.failed > 0 ? "✗" : "✓";
  const skips = [...new Set(plain(outcome.output).match(/skipped: needs .*/g) ?? [])]
    .map((line) => `  ${line}`)
    .join("");
  print(`${mark} ${outcome.name} (${outcome.passed} passed, ${(outcome.ms / 1000).toFixed(1)} s)${skips}`);
}

function run(
  command: readonly string[],
  { deadlineMs, env }: { deadlineMs: number; env?: NodeJS.ProcessEnv },
): Promise<{ code: number; output: string; ms: number }> {
  const [program = "", ...args] = command;
  const started = performance.now();
  return new Promise((resolve) => {
    // A group of its own, so that the deadline ends what the test started too.
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], detached: true, env: environment(env) });
    let output = "";
    const keep = (data: Buffer) => void (output += data.toString());
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    const deadline = setTimeout(() => {
      output += `\nno end after ${deadlineMs / 1000} s: killed`;
      if (child.pid) process.kill(-child.pid, "SIGKILL");
    }, deadlineMs);
    child.on("error", (error) => {
      clearTimeout(deadline);
      resolve({ code: 127, output: String(error), ms: 0 });
    });
    child.on("close", (code) => {
      clearTimeout(deadline);
      resolve({ code: code ?? 1, output, ms: performance.now() - started });
    });
  });
}

/** Nothing of the developer's own set-up reaches a test. */
function environment(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([key]) => !/^(OPENCLAW_|CLAWDBOT_|NO_COLOR|FORCE_COLOR)/.test(key));
  // Node 24 strips types anew for every process unless it may keep what came of it.
  const kit = { NO_COLOR: "1", CLAWLET_TEST_BUILD: nodeBuild, NODE_COMPILE_CACHE: join(nodeBuild, "cache") };
  return { ...Object.fromEntries(kept), ...kit, ...more };
}

/** Node 20 cannot read TypeScript: sources and tests are bundled file by file into a folder of its own. */
async function transpileForNode(): Promise<void> {
  await build({
    entryPoints: [...files, together, "adapters/node/main.ts"].map((file) => `./${file}`),
    outdir: nodeBuild,
    outbase: ".",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    packages: "external",
    logLevel: "warning",
  });
}

/** npm puts the tests' Node 24 first in PATH; the machine's own is the one that runs npm, or the first outside node_modules. */
function findMachineNode(): string {
  const fromPath = (process.env["PATH"] ?? "")
    .split(":")
    .filter((folder) => !folder.includes("node_modules"))
    .map((folder) => join(folder, "node"));
  return (
    [process.env["npm_node_execpath"] ?? "", ...fromPath].find((path) => path !== "" && existsSync(path)) ?? "node"
  );
}

function plain(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/\u001b\[[0-9;]*m/g, "");
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
