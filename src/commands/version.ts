import { VERSION } from "../kit/version.ts";
import { command } from "./command.ts";

/** Prints the version and nothing else; with `--json` an object of it and the runtime. */
export const version = command({
  path: ["version"],
  summary: "Print the version.",
  options: {},
  examples: [{ command: "version --json", description: "With the runtime, for programs." }],
  run: async ({ host, output }) => {
    if (output.json) output.data({ version: VERSION, runtime: host.runtimeVersion });
    else output.print(VERSION);
    return 0;
  },
});
