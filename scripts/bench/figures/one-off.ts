import { readFileSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { openRegistry, registryEnvironment } from "../../../test/support/registry.ts";
import { environment, makeHome, median, startGateway } from "../process.ts";
import type { Subject } from "../subject.ts";
import type { Figure } from "./figure.ts";

/** Running the package without installing it, from a registry on this machine: never fetched before, and fetched already. */
export const oneOff = {
  name: "one-off",
  rows: {
    cold: { label: "one-off start (npx), first time", unit: "ms" },
    warm: { label: "one-off start (npx), again", unit: "ms" },
  },
  async measure({ oneOff: command, tarball, gateway }, { repeats }) {
    if (command === undefined || tarball === undefined) return {};
    const manifest = JSON.parse(readFileSync("package.json", "utf8"));
    const registry = await openRegistry(manifest, readFileSync(tarball));
    try {
      const times = { cold: [] as number[], warm: [] as number[] };
      for (let turn = 0; turn < Math.ceil(repeats / 3); turn++) {
        const home = makeHome();
        // Of that runtime: npx and what it starts take the `node` that comes first.
        const path = `${dirname(gateway[0] ?? "")}:${process.env["PATH"]}`;
        const env = { ...environment(home), PATH: path, ...registryEnvironment(home, registry) };
        for (const kind of ["cold", "warm"] as const) times[kind].push(await listens(command, { home, env }));
        rmSync(home, { recursive: true, force: true });
      }
      return { cold: { value: median(times.cold) }, warm: { value: median(times.warm) } };
    } finally {
      registry.server.close();
    }
  },
} satisfies Figure;

async function listens(
  command: NonNullable<Subject["oneOff"]>,
  place: { readonly home: string; readonly env: NodeJS.ProcessEnv },
): Promise<number> {
  const server = await startGateway({ gateway: command }, place);
  await server.stop();
  return server.listeningMs;
}
