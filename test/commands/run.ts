import { main } from "../../src/main.ts";
import { scriptedHost, type ScriptedOptions } from "../support/host.ts";

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command line in this process on a scripted machine, called `clawdbot` unless said otherwise. */
export async function run(line: readonly string[], options: ScriptedOptions = {}): Promise<Ran> {
  const host = scriptedHost({ name: "clawdbot", ...options, args: line });
  const code = await main(host);
  return { code, stdout: host.terminal.stdout.text, stderr: host.terminal.stderr.text };
}

export const token = "a".repeat(43);

/** A configured home folder. */
export const home = {
  "/home/me/.clawdbot/clawdbot.json": JSON.stringify({ gateway: { mode: "local", auth: { token } } }),
};
