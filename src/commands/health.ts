import { clientOptions } from "../cli/options.ts";
import { at, listAt, numberAt, textAt } from "../cli/pick.ts";
import { withGateway } from "../cli/reach.ts";
import { safeModeText } from "../cli/safe-mode.ts";
import { exit } from "../kit/error.ts";
import { command } from "./command.ts";

/** Asks a gateway how it is. Fails when it cannot be asked, and when it says that it is not well. */
export const health = command({
  path: ["gateway", "health"],
  summary: "Ask the gateway how it and its parts are.",
  options: clientOptions,
  examples: [
    { command: "gateway health", description: "The gateway of this profile." },
    { command: "gateway health --url ws://127.0.0.1:18789", description: "One that is named." },
  ],
  run: (context) =>
    withGateway(context, ["operator.read"], async (client) => {
      const { host, output } = context;
      const started = host.clock.monotonic();
      const payload = await output.progress("Asking the gateway", client.request("health", {}));
      const elapsed = Math.round(host.clock.monotonic() - started);
      const well = at(payload, "ok") === true;
      if (output.json) output.data(payload);
      else for (const line of lines(payload, { well, elapsed, program: context.program })) output.print(line);
      return well ? exit.ok : exit.failed;
    }),
});

function lines(
  payload: unknown,
  { well, elapsed, program }: { well: boolean; elapsed: number; program: string },
): readonly string[] {
  const parts = listAt(payload, "parts").filter((part) => !["ok", "starting"].includes(textAt(part, "state") ?? ""));
  const standby = at(payload, "standby");
  const safeMode = at(payload, "safeMode");
  return [
    "Gateway Health",
    `${well ? "OK" : "Not OK"} (${elapsed}ms)`,
    well ? "✓ Gateway is healthy" : "✗ Gateway is not healthy",
    "✓ WebSocket connection: OK",
    "✓ RPC methods: available",
    ...(standby ? [`! standby: process ${numberAt(standby, "pid") ?? "unknown"} owns the state folder`] : []),
    ...(safeMode ? [`✗ safe mode: ${safeModeText(safeMode, program)}`] : []),
    ...parts.map((part) => {
      const reason = textAt(part, "reason");
      return `! ${textAt(part, "part") ?? "unnamed part"}: ${textAt(part, "state") ?? "unknown"}${reason ? `: ${reason}` : ""}`;
    }),
  ];
}
