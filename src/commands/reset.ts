import { clean } from "../cli/layout.ts";
import { thrownLine } from "../cli/removal-view.ts";
import { tildify } from "../host/paths.ts";
import { exit, Failure } from "../kit/error.ts";
import { command } from "./command.ts";

/** Throws away configuration, credentials, sessions or everything of this profile, into the trash. */
export const reset = command({
  path: ["reset"],
  summary: "Throw away configuration, credentials and sessions, or everything; into the trash.",
  options: {
    scope: {
      value: "<scope>",
      choices: ["config", "config+creds+sessions", "full"],
      description: "How much; full is the whole state folder and the workspaces.",
    },
    yes: { description: "Do not ask." },
    "non-interactive": { description: "Never ask; needs --scope and --yes." },
    "dry-run": { description: "Show what would be done, and do nothing." },
  },
  examples: [
    { command: "reset --scope full --dry-run", description: "What would go." },
    { command: "reset --scope config", description: "Only the configuration file; asks first." },
  ],
  async run(context) {
    const { host, options, output, program } = context;
    const { scope } = options;
    const dryRun = options["dry-run"];
    if (scope === undefined)
      throw new Failure("usage", "reset needs --scope: how much is to go", {
        hints: [`Such as: ${program} reset --scope config, config+creds+sessions or full`],
      });
    if (options["non-interactive"] && !options.yes && !dryRun)
      throw new Failure("usage", "Non-interactive mode requires --yes.");
    const { refuseStrange, resetTargets, throwAll } = await import("../backup/removal.ts");
    const targets = await resetTargets(context, scope);
    const lines: string[] = [];
    const tell = (line: string): void => {
      lines.push(line);
      output.print(clean(line));
    };
    if (dryRun) {
      await refuseStrange(host, targets);
      if (scope !== "config") tell("[dry-run] stop gateway service");
      for (const { path } of targets) tell(`[dry-run] remove ${tildify(host, path)}`);
    } else {
      const { agreed } = await import("../cli/agreed.ts");
      const what = targets.map(({ path }) => tildify(host, path)).join(", ");
      if (targets.length > 0 && !(await agreed(context, `Throw away ${clean(what)}?`))) return exit.failed;
      await refuseStrange(host, targets);
      if (scope !== "config") {
        const { stopService } = await import("../backup/service-end.ts");
        const { explainRoot } = await import("../cli/service-place.ts");
        const stopped = await stopService(context).catch((error: unknown) => {
          throw explainRoot(context, error, ["gateway", "stop", "--system"]);
        });
        if (stopped) tell("Stopped the gateway service.");
      }
      await throwAll(context, targets, (target, thrown) => tell(thrownLine(host, target, thrown)));
      if (targets.length === 0) tell("Nothing to remove.");
    }
    const next = `${program} onboard && ${program} gateway install`;
    if (output.json)
      output.data({ ok: true, dryRun, scope, targets: targets.map(({ path }) => path), done: lines, next });
    output.print(`Next: ${next}`);
    return exit.ok;
  },
});
