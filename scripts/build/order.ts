import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compile, here, type CompileOptions } from "./binary.ts";

/**
 * Compiles for this machine, starts that once and asks it for its health, and so learns which functions a start needs.
 * Answers a file for `CompileOptions.order`, in this folder. Laid side by side, what is needed takes a third of the
 * memory that it takes when it is strewn over everything.
 */
export async function learnOrder(folder: string, options: Pick<CompileOptions, "commit" | "page">): Promise<string> {
  const work = mkdtempSync(join(tmpdir(), "clawlet-order-"));
  try {
    const file = join(work, "clawlet");
    await compile({ ...options, target: here(), file });
    const order = join(folder, "bytecode-order.txt");
    await rehearse(file, work, order);
    if (!existsSync(order)) throw new Error(`${file} has not said which functions it called`);
    return order;
  } finally {
    rmSync(work, { recursive: true });
  }
}

/** A start takes a fraction of a second; one that hangs must not hang the build. */
const timeout = 60_000;

async function rehearse(program: string, home: string, order: string): Promise<void> {
  const port = String(await freePort());
  // Nothing of whoever builds: a setting of theirs could lead to their own gateway's state.
  const { PATH, SystemRoot } = process.env;
  const env = { PATH, SystemRoot, HOME: home, USERPROFILE: home, OPENCLAW_GATEWAY_PORT: port };
  const gateway = spawn(program, ["gateway", "--allow-unconfigured"], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...env, BUN_BYTECODE_ORDER_OUT: order },
    timeout,
  });
  const ended = new Promise<void>((resolve) => gateway.on("close", () => resolve()));
  try {
    await new Promise<void>((resolve, reject) => {
      let said = "";
      gateway.stdout.on("data", (data: Buffer) => (said += data.toString()).includes("listening") && resolve());
      void ended.then(() => reject(new Error(`the executable does not start: ${said}`)));
    });
    const health = spawn(program, ["gateway", "health"], { stdio: "ignore", env, timeout });
    const code = await new Promise((resolve) => health.on("close", resolve));
    if (code !== 0) throw new Error(`the executable's gateway health ended with ${String(code)}`);
  } finally {
    gateway.kill("SIGTERM");
    await ended;
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}
