import { createInterface } from "node:readline";
import { join } from "node:path";
import { root } from "../runtime.ts";
import type { LoadFigures } from "./load.ts";
import type { Account, Machine } from "./machine.ts";

export interface Target {
  readonly url: string;
  readonly token: string;
  readonly as: Account;
}

/** Does something to a gateway while clients keep calling it and writing to it; answers what they saw. */
export async function underLoad(
  machine: Machine,
  { url, token, as }: Target,
  act: () => Promise<void>,
): Promise<LoadFigures> {
  const load = machine.start([node, join(root, "test", "support", "systemd", "load.ts"), url, token], { as });
  if (!load.stdin || !load.stdout || !load.stderr) throw new Error("the load has no pipes");
  let complaints = "";
  load.stderr.on("data", (data: Buffer) => void (complaints += data.toString()));
  try {
    const lines = createInterface({ input: load.stdout })[Symbol.asyncIterator]();
    const ready = await lines.next();
    if (ready.value !== "ready") throw new Error(`the load did not start: ${complaints}`);
    await act();
    load.stdin.end();
    const { value } = await lines.next();
    if (value === undefined) throw new Error(`the load ended without figures: ${complaints}`);
    return JSON.parse(value) as LoadFigures;
  } finally {
    load.kill("SIGKILL");
  }
}

/** One whose `ws` says how a connection failed, whatever runs the gateway. */
const node = join(root, "node_modules", "node", "bin", "node");
