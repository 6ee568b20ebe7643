import { serviceNames } from "../service/names.ts";
import { basename } from "../host/paths.ts";
import type { Check, CheckContext, Finding } from "./check.ts";

/** The runtimes that this program and the installed service run on, and whether they are new enough. */
export const runtimes: Check = {
  id: "runtimes",
  title: "Gateway runtime",
  look: async (context) => [
    ...tooOld(context.host.runtimeVersion, "This program runs on"),
    ...(await serviceRuntime(context)),
  ],
};

async function serviceRuntime({ host, flavour, paths, program }: CheckContext): Promise<Finding[]> {
  const names = serviceNames(host, flavour, paths);
  const installed =
    (await host.services?.installed(names, "user")) ??
    (host.services?.kind === "systemd" ? await host.services.installed(names, "system") : undefined);
  const [executable = ""] = installed?.program ?? [];
  const name = basename(executable.replaceAll("\\", "/")).replace(/\.exe$/i, "");
  if (!Object.hasOwn(oldest, name) || executable === host.self[0]) return [];
  const { code, stdout } = await host.processes.run(executable, ["--version"], { timeoutMs: 5000 });
  // That it is not there at all is told with the service.
  if (code !== 0) return [];
  const version = /\d+\.\d+\.\d+/.exec(stdout)?.[0] ?? "";
  return tooOld(`${name} ${version}`, "The service runs on").map((finding) => ({
    ...finding,
    code: "service-runtime-too-old",
    command: `${program} gateway install --force`,
  }));
}

/** The oldest versions that are tested; older ones lack parts of the web's standards. */
const oldest: Readonly<Record<string, readonly [major: number, minor: number]>> = {
  node: [20, 19],
  bun: [1, 2],
  deno: [2, 1],
};

/** A finding when a runtime, written like `node 20.19.1`, is too old. */
function tooOld(text: string, what: string): Finding[] {
  const [, name = "", major, minor] = /^(\w+) v?(\d+)\.(\d+)/.exec(text) ?? [];
  const needed = Object.hasOwn(oldest, name) ? oldest[name] : undefined;
  if (!needed) return [];
  const [a, b] = [Number(major), Number(minor)];
  if (a > needed[0] || (a === needed[0] && b >= needed[1])) return [];
  const upgrade = { bun: "bun upgrade", deno: "deno upgrade" }[name];
  return [
    {
      code: "runtime-too-old",
      level: "error",
      message: `${what} ${text}; it needs ${name} ${needed.join(".")} or newer.`,
      ...(upgrade === undefined ? {} : { command: upgrade }),
    },
  ];
}
