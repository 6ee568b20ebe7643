import { textAt } from "../cli/pick.ts";
import { open, targetOf, withGateway, type ReachContext } from "../cli/reach.ts";
import { drainMs } from "../gateway/defaults.ts";
import { exit, Failure } from "../kit/error.ts";
import type { CommandContext } from "./command.ts";

/**
 * Asks the gateway that runs, as a service or not, to begin anew in its process: when its turns have ended, with its
 * sockets kept, so that nobody is refused. Answers the exit status when the new one has answered.
 */
export async function restartSafely(context: CommandContext): Promise<number> {
  const { output } = context;
  const options = { url: undefined, token: undefined, password: undefined, timeout: 10_000 };
  const reach: ReachContext = { ...context, options };
  const { before, asked } = await withGateway(reach, ["operator.admin"], async (client) => ({
    before: bootOf(client),
    asked: await client.call("gateway.restart.request", { reason: "gateway restart --safe" }),
  }));
  const { status, preflight, restart } = asked;
  if (status === "deferred" && !output.json) output.print(`The gateway answers first: ${preflight.summary}.`);
  await output.progress("Waiting for the gateway to be back", backAfter(reach, before));
  if (output.json) output.data({ action: "restart", ok: true, result: "restarted", pid: restart.pid, status });
  else output.print(`✓ Restarted the gateway in its process (PID ${restart.pid})`);
  return exit.ok;
}

/** Each start in a process has an id of its own. */
function bootOf({ hello }: Awaited<ReturnType<typeof open>>): string | undefined {
  return textAt(hello.payload, "server", "bootId");
}

/** What the gateway allows its turns and its closing, and then some. */
const patienceMs = drainMs + 15_000;
const POLL_MS = 250;

async function backAfter(context: ReachContext, before: string | undefined): Promise<void> {
  const { clock } = context.host;
  const deadline = clock.monotonic() + patienceMs;
  for (;;) {
    await clock.sleep(POLL_MS, context.signal);
    try {
      // The next one may listen elsewhere, and show another certificate.
      const client = await open(context, await targetOf(context), { scopes: ["operator.read"] });
      client.close();
      if (bootOf(client) !== before) return;
    } catch (error) {
      if (Failure.from(error).code === "aborted") throw error;
      // It makes way for the next one at this very moment: asked again below.
    }
    if (clock.monotonic() > deadline)
      throw new Failure("timeout", `the gateway has not restarted within ${patienceMs / 1000} s`, {
        hints: [`See: ${context.program} gateway status`],
      });
  }
}
