import { beaconData, beaconLines } from "../cli/beacon-view.ts";
import { findNearby } from "../cli/nearby.ts";
import { exit } from "../kit/error.ts";
import { command } from "./command.ts";

const options = {
  timeout: {
    value: "<ms>",
    description: "How long to listen for answers.",
    number: { min: 1, max: 600_000 },
    default: 2000,
  },
  server: {
    value: "<address>",
    description: "DNS server to ask for the wide-area domain, such as 100.100.100.100 (also *_WIDE_AREA_SERVER).",
  },
} as const;

/** Shows the gateways that announce themselves. It connects to none of them, and sends nobody a credential. */
export const discover = command({
  path: ["gateway", "discover"],
  summary: "Find gateways in the local network and in the wide-area domain.",
  options,
  examples: [
    { command: "gateway discover", description: "Everything that announces itself." },
    { command: "gateway discover --timeout 4000", description: "For a slow network." },
    { command: "gateway discover --json | jq '.beacons[].wsUrl'", description: "For programs." },
  ],
  guides: ["discovery", "remote"],
  async run(context) {
    const { output, options } = context;
    const discovered = await findNearby(context, { timeoutMs: options.timeout, server: options.server });
    for (const trouble of discovered.troubles) output.warn(trouble);
    if (output.json) output.data(beaconData(discovered));
    else for (const line of beaconLines(discovered, output.style)) output.print(line);
    return exit.ok;
  },
});
