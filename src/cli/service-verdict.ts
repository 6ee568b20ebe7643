import type { CommandContext } from "../commands/command.ts";
import { codes, exit, Failure } from "../kit/error.ts";
import { redact } from "../kit/redact.ts";
import type { ServiceManager, Verb } from "../service/service.ts";
import { asRoot, explainRoot } from "./service-place.ts";

type Context = Pick<CommandContext, "host" | "paths" | "output">;

/** How a verb on the service ended: for a person as lines, for a program as one object (cli.md 3.4). */
export interface Verdict {
  readonly result:
    | "installed"
    | "already-installed"
    | "started"
    | "stopped"
    | "restarted"
    | "uninstalled"
    | "not-loaded"
    | "planned";
  readonly lines: readonly string[];
  readonly loaded: boolean;
  readonly message?: string;
  /** What a person may do next. */
  readonly hints?: readonly string[];
  readonly warnings?: readonly string[];
  /** What was asked for did not happen, though nothing broke. */
  readonly unmet?: boolean;
  /** Further fields for `--json`. */
  readonly more?: Readonly<Record<string, unknown>>;
}

/** Does the work of a verb and tells how it ended; answers the exit status. */
export async function tellVerdict(
  context: Context,
  action: Verb,
  work: () => Promise<{ readonly manager: ServiceManager; readonly verdict: Verdict }>,
): Promise<number> {
  const { output } = context;
  try {
    const { manager, verdict } = await work();
    if (output.json) output.data(asJson(action, manager, verdict));
    for (const line of [...verdict.lines, ...(verdict.hints ?? [])]) output.print(line);
    if (!output.json) for (const warning of verdict.warnings ?? []) output.warn(output.errorStyle.yellow(warning));
    return verdict.unmet ? exit.failed : exit.ok;
  } catch (error) {
    const failure = explained(context, action, error);
    if (!output.json || failure.code === "aborted" || failure.code === "internal") throw failure;
    const { message, hints } = failure;
    output.data({ action, ok: false, error: redact(message), ...(hints.length > 0 ? { hints } : {}) });
    return codes[failure.code].exit;
  }
}

function asJson(action: Verb, manager: ServiceManager, verdict: Verdict): unknown {
  const { result, loaded, message, hints, warnings, unmet, more } = verdict;
  const { label, loaded: loadedText, notLoaded: notLoadedText } = manager.words;
  return {
    action,
    ok: !unmet,
    result,
    ...(message === undefined ? {} : { message }),
    ...(hints?.length ? { hints } : {}),
    ...(warnings?.length ? { warnings } : {}),
    ...more,
    service: { label, loaded, loadedText, notLoadedText },
  };
}

/** Tools that cannot be used here will not be there in a minute either: that is a failure, not "try again". */
function explained(context: Context, action: Verb, error: unknown): Failure {
  const failure = explainRoot(context, error, ["gateway", action, "--system"]);
  if (failure.code !== "unavailable") return failure;
  const what = action === "uninstall" ? "Gateway uninstall failed" : "Gateway service check failed";
  const machines =
    action === "install" && context.host.services?.kind === "systemd"
      ? [`Or as a service of the whole machine: ${asRoot(context, ["gateway", "install", "--system"])}`]
      : [];
  return new Failure("failed", `${what}: Error: ${failure.message}`, {
    hints: [...failure.hints, ...machines],
    cause: failure,
  });
}
