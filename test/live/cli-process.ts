import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until, type RunResult } from "../support/gateway-process.ts";
import { launch, type LaunchOptions, type Running } from "../support/launch.ts";
import { form, interpreter, program, root, runtime, shipped } from "../support/runtime.ts";

/** Runs a command line to its end. */
export async function run(args: readonly string[], home: string, options?: LaunchOptions): Promise<RunResult> {
  const running = launch(args, home, options);
  const status = await running.exited;
  return { status, stdout: running.stdout(), stderr: running.stderr() };
}

/** Waits until a gateway has said where it listens; answers its port and PID. */
export async function listening(running: Running): Promise<{ port: number; pid: number }> {
  const line = () => /listening on ws:\/\/\S+:(\d+) \(PID (\d+)\)/.exec(running.stdout()) ?? undefined;
  const [, port, pid] = await until("listening line", line, 15_000).catch((error: unknown) => {
    throw new Error(`${String(error)}\nstdout: ${running.stdout()}\nstderr: ${running.stderr()}`, { cause: error });
  });
  return { port: Number(port), pid: Number(pid) };
}

/** How to call the product under a name, by a link in a folder of programs as npm makes it. */
export function calledAs(name: string): readonly string[] {
  if (form === "package") return [...interpreter, `${shipped}/installed/node_modules/.bin/${name}`];
  const [main = ""] = program.slice(-1);
  const folder = mkdtempSync(join(tmpdir(), "clawlet-name-"));
  mkdirSync(join(folder, "lib"));
  mkdirSync(join(folder, "bin"));
  const link = join(folder, "bin", name);
  if (form === "binary") {
    symlinkSync(main, link);
    return [link];
  }
  writeFileSync(join(folder, "lib", `${name}.mjs`), `import ${JSON.stringify(main)};\n`);
  symlinkSync(join("..", "lib", `${name}.mjs`), link);
  // Deno takes its import map and node_modules from the configuration nearest to the script.
  const project = runtime === "deno" ? ["--config", `${root}/deno.json`] : [];
  return [...program.slice(0, -1), ...project, link];
}
