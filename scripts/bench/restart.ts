// Restarts a gateway in its process under a constant load of calls, each over a connection of its own, and prints what
// the callers met. The runtime that runs this runs the gateway too.
//   bun scripts/bench/restart.ts [--restarts 20] [--callers 8]
import mri from "mri";
import { startGateway } from "../../test/support/gateway-process.ts";
import { loadOverRestarts } from "../../test/support/restart-load.ts";
import { runtime } from "../../test/support/runtime.ts";

const options = mri(process.argv.slice(2), { string: ["restarts", "callers"] });
const auth = { mode: "token", token: "a-token-of-this-test" };
const gateway = await startGateway({
  config: { gateway: { mode: "local", auth }, commands: { restart: true } },
  args: [],
});
try {
  const figures = await loadOverRestarts(gateway, {
    restarts: Number(options["restarts"] ?? 20),
    callers: Number(options["callers"] ?? 8),
  });
  const sorted = figures.restartMs.toSorted((a, b) => a - b);
  const rows = [
    ["runtime", runtime],
    ["calls answered", figures.calls],
    ["calls cut and made again", figures.cut],
    ["connections refused", figures.refused.length],
    ["messages acknowledged", figures.acknowledged],
    ["of these lost or doubled", figures.lost.length],
    ["longest wait of a call", `${Math.round(figures.longestMs)} ms`],
    ["restart, median", `${Math.round(sorted[Math.floor(sorted.length / 2)] ?? 0)} ms`],
    ["restart, longest", `${Math.round(sorted.at(-1) ?? 0)} ms`],
  ];
  for (const [label, value] of rows) process.stdout.write(`${String(label).padEnd(26)}${value}\n`);
} finally {
  await gateway.stop();
}
