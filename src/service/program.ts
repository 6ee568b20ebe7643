import type { Host } from "../host/host.ts";
import { basename, dirname, isAbsolute, join } from "../host/paths.ts";
import { Failure } from "../kit/error.ts";

export const runtimes = ["bun", "node", "deno", "binary"] as const;

export type Runtime = (typeof runtimes)[number];

/** How a service starts this program. */
export interface ServiceProgram {
  /** Executable and leading arguments, by absolute path. */
  readonly program: readonly string[];
  readonly warnings: readonly string[];
}

type Machine = Pick<Host, "runtime" | "os" | "env" | "self" | "sources" | "files" | "processes">;

/** What a service runs: this program as it runs now, or under another runtime that is on this machine. */
export async function serviceProgram(host: Machine, wanted: Runtime | undefined): Promise<ServiceProgram> {
  const own = ownRuntime(host);
  const program = wanted === undefined || wanted === own ? host.self : await under(host, wanted, own);
  const [executable = ""] = program;
  if (!isAbsolute(executable))
    throw new Failure("failed", `A service needs the program's absolute path, and "${executable}" is none.`);
  return { program, warnings: program.filter(mayVanish).map(vanishing) };
}

/** How this process runs; a compiled program is its own executable and nothing else. */
export function ownRuntime({ self, runtime }: Pick<Host, "self" | "runtime">): Runtime | undefined {
  if (self.length === 1) return "binary";
  return runtime === "workerd" ? undefined : runtime;
}

async function under(host: Machine, wanted: Runtime, own: Runtime | undefined): Promise<readonly string[]> {
  if (wanted === "binary")
    throw new Failure(
      "usage",
      `--runtime binary needs the compiled program, and this one runs under ${own ?? "something else"}: leave the option out, or install with the compiled one`,
    );
  if (own === "binary")
    throw new Failure(
      "usage",
      `--runtime ${wanted} needs the program as a package or as source, and this one is compiled into one file: leave the option out`,
    );
  const executable = await findOnPath(host, wanted);
  if (executable === undefined)
    throw new Failure("failed", `--runtime ${wanted}: no ${wanted} found on PATH`, {
      hints: [`Install ${wanted}, or leave the option out to use ${own ?? "what runs this program"}.`],
    });
  const entry = entryFor(host, wanted);
  if (wanted === "node") await checkNode(host, executable, entry);
  return wanted === "deno" ? [executable, "run", "-A", entry] : [executable, entry];
}

/** From source, each runtime has a main file; the package is one program that runs under all three. */
function entryFor({ sources, self }: Machine, wanted: Exclude<Runtime, "binary">): string {
  const [source] = sources;
  return source === undefined ? (self.at(-1) ?? "") : join(dirname(source), "adapters", wanted, "main.ts");
}

/** Node strips types by itself since 22.18; the package is plain JavaScript and content with 20.19. */
async function checkNode({ processes }: Machine, node: string, entry: string): Promise<void> {
  const [major, minor] = entry.endsWith(".ts") ? [22, 18] : [20, 19];
  const { stdout } = await processes.run(node, ["--version"], { timeoutMs: 10_000 });
  const [, a = "0", b = "0"] = /^v(\d+)\.(\d+)/.exec(stdout) ?? [];
  if (Number(a) > major || (Number(a) === major && Number(b) >= minor)) return;
  throw new Failure("failed", `--runtime node: ${node} is ${stdout.trim() || "of an unknown version"}`, {
    hints: [`Node ${major}.${minor} or newer is needed here.`],
  });
}

/** The absolute path of a program, looked for as a shell would. */
export async function findOnPath(
  { env, os, files }: Pick<Host, "env" | "os" | "files">,
  name: string,
): Promise<string | undefined> {
  const path = Object.entries(env).find(([key]) => key.toUpperCase() === "PATH")?.[1] ?? "";
  const windows = os === "windows";
  const folders = path.split(windows ? ";" : ":").map((folder) => folder.replaceAll('"', ""));
  for (const folder of folders.filter(isAbsolute)) {
    const candidate = join(folder, windows ? `${name}.exe` : name);
    const stat = await files.stat(candidate);
    if (stat?.kind === "file" && (windows || (stat.mode & 0o111) !== 0)) return candidate;
  }
  return undefined;
}

/** What `npx` and `bunx` fetch lies in caches that they, or the system, may clear. */
function mayVanish(argument: string): boolean {
  return /[\\/](_npx|bunx-\d+-[^\\/]*|\.deno_npx)[\\/]/.test(argument);
}

function vanishing(path: string): string {
  return `${basename(path)} lies in a cache and may vanish (${path}): install the package (npm install -g), then the service anew.`;
}
