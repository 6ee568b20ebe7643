import { clean, columns } from "../cli/layout.ts";
import { clientOptions } from "../cli/options.ts";
import { listAt, numberAt, textAt } from "../cli/pick.ts";
import { withGateway } from "../cli/reach.ts";
import { adviceFor } from "../cli/run-advice.ts";
import type { Client } from "../client/client.ts";
import { exit } from "../kit/error.ts";
import { command } from "./command.ts";

/** Asks a provider with a tiny request for each of its credentials. */
export const modelsProbe = command({
  path: ["models", "probe"],
  summary: "Ask a provider, with a tiny request for each credential, whether it answers.",
  positionals: [{ name: "provider", description: "Its id, such as anthropic." }],
  options: {
    profile: { value: "<id>", description: "Only this credential, such as anthropic:default." },
    agent: { value: "<id>", description: "Whose credentials; the default agent's when left out." },
    ...clientOptions,
  },
  examples: [{ command: "models probe anthropic", description: "Status 1 when it does not answer." }],
  run: (context) =>
    withGateway(context, ["operator.admin"], async (client) => {
      const { output, options: given, args, program } = context;
      const [provider = ""] = args;
      const target = { provider, profileId: given.profile, agentId: given.agent };
      const probe = await output.progress(`Asking ${clean(provider)}`, probeOf(client, target));
      const kind = textAt(probe, "status");
      if (output.json) output.data(probe);
      else output.print(columns(probeRows([probe])));
      if (kind === "ok") return exit.ok;
      if (!output.json) for (const line of adviceFor({ program, kind, provider })) output.warn(line);
      return exit.failed;
    }),
});

export interface ProbeTarget {
  readonly provider: string;
  readonly profileId?: string | undefined;
  readonly agentId?: string | undefined;
}

/** Has the gateway ask a provider. */
export function probeOf(client: Client, target: ProbeTarget): Promise<unknown> {
  return client.call("models.probe", target, { timeoutMs: patienceMs });
}

/** Several credentials, each with its own deadline on the gateway. */
const patienceMs = 120_000;

/** Probes as a table, a line for each credential. */
export function probeRows(probes: readonly unknown[]): readonly (readonly string[])[] {
  const rows = probes.flatMap((probe) => {
    const provider = textAt(probe, "provider") ?? "-";
    const results = listAt(probe, "results");
    return (results.length > 0 ? results : [probe]).map((result) => {
      const ms = numberAt(result, "latencyMs");
      return [
        provider,
        textAt(result, "label") ?? "-",
        textAt(result, "status") ?? "unknown",
        ms === undefined ? "-" : `${Math.round(ms)}ms`,
        textAt(result, "error") ?? "",
      ];
    });
  });
  return [["Provider", "Credential", "Result", "Time", "Error"], ...rows];
}
