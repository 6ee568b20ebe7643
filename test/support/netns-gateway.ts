import { type GatewayProcess, type RunResult, startGateway, type StartOptions } from "./gateway-process.ts";
import { launch } from "./launch.ts";
import type { Side } from "./netns.ts";
import { program } from "./runtime.ts";

/** Starts a real gateway on one side of a network. Its `url` is the one that the other side uses. */
export async function startGatewayOn(side: Side, options: StartOptions = {}): Promise<GatewayProcess> {
  const gateway = await startGateway({ port: 18_789, ...options, program: side.command(program) });
  return { ...gateway, url: gateway.url.replace("127.0.0.1", side.address4) };
}

/** Runs a command of the product on one side, to its end or for 30 seconds. */
export async function runCommandOn(
  side: Side,
  args: readonly string[],
  home: string,
  env: Readonly<Record<string, string>> = {},
): Promise<RunResult> {
  const running = launch(args, home, { program: side.command(program), env });
  const deadline = setTimeout(() => running.child.kill("SIGKILL"), 30_000);
  const status = await running.exited;
  clearTimeout(deadline);
  return { status, stdout: running.stdout(), stderr: running.stderr() };
}
