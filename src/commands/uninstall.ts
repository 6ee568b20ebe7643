import { clean } from "../cli/layout.ts";
import { thrownLine } from "../cli/removal-view.ts";
import { tildify } from "../host/paths.ts";
import { exit, Failure } from "../kit/error.ts";
import type { Target } from "../backup/removal.ts";
import { command, type CommandContext } from "./command.ts";

const options = {
  service: { description: "Stop and remove the gateway service." },
  state: { description: "The state folder and the configuration." },
  workspace: { description: "The folders of the agents." },
  app: { description: "The app (macOS)." },
  all: { description: "All of it." },
  yes: { description: "Do not ask." },
  "non-interactive": { description: "Never ask; needs --yes." },
  "dry-run": { description: "Show what would be done, and do nothing." },
} as const;

type Context = CommandContext<typeof options>;

/** Removes the service and throws away what this profile keeps, into the trash; the program itself stays. */
export const uninstall = command({
  path: ["uninstall"],
  summary: "Remove the gateway service and what it keeps; the program itself stays.",
  options,
  examples: [
    { command: "uninstall --all --dry-run", description: "What would go." },
    { command: "uninstall --service --state", description: "Keep the workspaces." },
  ],
  async run(context) {
    const { host, options: flags, output, program } = context;
    const dryRun = flags["dry-run"];
    const wants = (part: "service" | "state" | "workspace" | "app"): boolean => flags.all || flags[part];
    if (!(["service", "state", "workspace", "app"] as const).some(wants))
      throw new Failure("usage", "uninstall needs to know what: --service, --state, --workspace, --app or --all", {
        hints: [`See first: ${program} uninstall --all --dry-run`],
      });
    if (flags["non-interactive"] && !flags.yes && !dryRun)
      throw new Failure("usage", "Non-interactive mode requires --yes.");
    const { refuseStrange, throwAll } = await import("../backup/removal.ts");
    const targets = await targetsOf(context, wants);
    await refuseStrange(host, targets);
    const lines: string[] = [];
    const tell = (line: string): void => {
      lines.push(line);
      output.print(clean(line));
    };
    if (dryRun) {
      if (wants("service")) tell("[dry-run] remove gateway service");
      for (const { path } of targets) tell(`[dry-run] remove ${tildify(host, path)}`);
    } else {
      const { agreed } = await import("../cli/agreed.ts");
      const what = [...(wants("service") ? ["the gateway service"] : []), ...targets.map(({ path }) => path)];
      if (what.length > 0 && !(await agreed(context, `Remove ${clean(what.join(", "))}?`))) return exit.failed;
      if (wants("service")) await endService(context, tell);
      if (targets.length > 0)
        await throwAll(context, targets, (target, thrown) => tell(thrownLine(host, target, thrown)));
    }
    if (output.json) output.data({ ok: true, dryRun, targets: targets.map(({ path }) => path), done: lines });
    output.print("CLI still installed. Remove via npm/pnpm if desired.");
    return exit.ok;
  },
});

async function targetsOf(context: Context, wants: (part: "state" | "workspace" | "app") => boolean) {
  const { stateTargets, workspaceTargets } = await import("../backup/removal.ts");
  const app = `/Applications/${context.flavour.title}.app`;
  const hasApp = wants("app") && context.host.os === "darwin" && (await context.host.files.stat(app)) !== undefined;
  const apps: readonly Target[] = hasApp ? [{ path: app, kind: "part" }] : [];
  return [
    ...(wants("state") ? await stateTargets(context) : []),
    ...(wants("workspace") ? await workspaceTargets(context) : []),
    ...apps,
  ];
}

async function endService(context: Context, tell: (line: string) => void): Promise<void> {
  const { host } = context;
  if (!host.services) return tell("Gateway service: this system has no way to run one that is known here.");
  const { removeService } = await import("../backup/service-end.ts");
  const { explainRoot } = await import("../cli/service-place.ts");
  const removed = await removeService(context).catch((error: unknown) => {
    throw explainRoot(context, error, ["gateway", "uninstall", "--system"]);
  });
  const { label } = host.services.words;
  if (removed.length === 0) tell("Gateway service not installed.");
  for (const path of removed) tell(`Removed ${label} service: ${tildify(host, path)}`);
}
