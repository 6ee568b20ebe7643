import { COMMIT, VERSION } from "../kit/version.ts";
import { command } from "./command.ts";

/** Prints the version on one line, with the commit it was built from and what it runs on; with `--json` as an object. */
export const version = command({
  path: ["version"],
  summary: "Print the version.",
  options: {},
  examples: [{ command: "version --json", description: "With the runtime, for programs." }],
  run: async ({ host, output }) => {
    const runtime = host.runtimeVersion;
    if (output.json) output.data({ version: VERSION, ...(COMMIT === undefined ? {} : { commit: COMMIT }), runtime });
    else output.print(`${VERSION} (${COMMIT === undefined ? "" : `${COMMIT}, `}${runtime})`);
    return 0;
  },
});
