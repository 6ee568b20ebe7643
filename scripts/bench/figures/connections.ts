import { spawn } from "node:child_process";
import { join } from "node:path";
import { residentMb, sleep, startBare, startGateway, type Started } from "../process.ts";
import type { Figure, Plan } from "./figure.ts";

/** What idle connections cost the server, each past its hello; other processes hold their other ends. */
export const connections = {
  name: "connections",
  rows: {
    each: { label: "memory for an idle connection", unit: "KB", digits: 1 },
    all: { label: "memory for all of these", unit: "MB", digits: 1 },
    count: { label: "idle connections", unit: "" },
  },
  async measure({ gateway, bare }, plan) {
    const added = await addedMb(await startGateway({ gateway }), "hello", plan);
    const least = bare ? await addedMb(await startBare(bare), "bare", plan) : undefined;
    const each = (mb: number) => (mb * 1024) / plan.connections;
    return {
      count: { value: plan.connections },
      each: { value: each(added), ...(least === undefined ? {} : { bare: each(least) }) },
      all: { value: added, ...(least === undefined ? {} : { bare: least }) },
    };
  },
} satisfies Figure;

const dialers = 4;

async function addedMb(server: Started, kind: "hello" | "bare", plan: Plan): Promise<number> {
  const holding: Holding[] = [];
  try {
    await sleep(plan.idleMs);
    const before = residentMb(server.child);
    for (let index = 0; index < dialers; index++) holding.push(hold(server.port, plan.connections / dialers, kind));
    await Promise.all(holding.map(({ ready }) => ready));
    await sleep(plan.idleMs);
    return residentMb(server.child) - before;
  } finally {
    for (const { end } of holding) await end();
    await server.stop();
  }
}

interface Holding {
  readonly ready: Promise<void>;
  readonly end: () => Promise<void>;
}

function hold(port: number, count: number, kind: string): Holding {
  const script = join(import.meta.dirname, "..", "dialer.ts");
  const child = spawn(process.execPath, [script, String(port), String(count), kind], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  let errors = "";
  child.stderr.on("data", (data: Buffer) => void (errors = (errors + data.toString()).slice(-2000)));
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
  return {
    ready: new Promise((resolve, reject) => {
      child.stdout.on("data", () => resolve());
      void ended.then(() => reject(new Error(`the connections could not be opened: ${errors}`)));
    }),
    async end() {
      child.stdin.end();
      await ended;
    },
  };
}
