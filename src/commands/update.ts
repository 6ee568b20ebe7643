import { columns } from "../cli/layout.ts";
import type { Installation } from "../cli/installation.ts";
import { tildify } from "../host/paths.ts";
import { exit, Failure } from "../kit/error.ts";
import { VERSION } from "../kit/version.ts";
import { command, type CommandContext, type OptionValues } from "./command.ts";

const options = {
  check: { description: "Ask the npm registry for the newest release; nothing else asks the network." },
  timeout: {
    value: "<seconds>",
    number: { min: 1, max: 3600 },
    default: 3,
    description: "How long --check waits.",
  },
} as const;

type Context = Pick<CommandContext, "host" | "output" | "signal" | "program"> & {
  readonly options: OptionValues<typeof options>;
};

const summary = "Say how this copy was installed, and what to type to update it.";

/** Says how to update this copy, and that nothing here does it by itself. */
export const update = command({
  path: ["update"],
  summary,
  options,
  examples: [{ command: "update", description: "The commands that update this copy." }],
  run: (context) => tell(context, "It never updates itself: that is for you to type."),
});

/** Says how this copy was installed and how to update it; with `--check`, whether there is something newer. */
export const updateStatus = command({
  path: ["update", "status"],
  summary,
  options,
  examples: [
    { command: "update status", description: "Without asking the network." },
    { command: "update status --check --json", description: "Whether there is a newer release, for programs." },
  ],
  run: (context) => tell(context),
});

async function tell(context: Context, remark?: string): Promise<number> {
  const { host, output } = context;
  const { installationOf } = await import("../cli/installation.ts");
  const installation = await installationOf(host);
  const newest = context.options.check ? await check(context) : undefined;
  if (output.json) {
    output.data({
      version: VERSION,
      install: { kind: installation.kind, path: installation.location },
      commands: installation.commands,
      advice: installation.advice ?? null,
      runtime: host.runtimeVersion,
      ...(newest && { check: newest }),
    });
  } else {
    output.print(asText(context, installation, newest));
    if (remark) output.print(`\n${remark}`);
  }
  return exit.ok;
}

interface Newest {
  readonly latest: string | null;
  readonly isNewer: boolean;
  readonly error: string | null;
}

/** A registry that cannot be reached is part of the answer: how to update is known all the same. */
async function check({ host, output, signal, options: { timeout } }: Context): Promise<Newest> {
  const { isNewer, latestRelease } = await import("../cli/latest-release.ts");
  try {
    const asking = latestRelease({ fetch, signal, clock: host.clock, timeoutMs: timeout * 1000 });
    const latest = await output.progress("Asking the npm registry", asking);
    return { latest, isNewer: isNewer(latest, VERSION), error: null };
  } catch (error) {
    const failure = Failure.from(error);
    if (failure.code === "aborted") throw failure;
    return { latest: null, isNewer: false, error: failure.message };
  }
}

function asText({ host, output, program }: Context, installation: Installation, newest: Newest | undefined): string {
  const { label, location, commands, advice } = installation;
  const rows = [
    ["Version", VERSION],
    ["Installed as", label],
    ["Where", tildify(host, location)],
    ["Runtime", host.runtimeVersion],
    ...(newest ? [["Newest", newestText(newest)]] : []),
  ];
  const restart = commands.length > 0 ? ["", `Then: ${program} gateway restart`] : [];
  return [
    output.style.bold("Update status"),
    columns(rows),
    "",
    ...(commands.length > 0 ? ["To update:", ...commands.map((each) => `  ${each}`)] : []),
    ...(advice ? [advice] : []),
    ...restart,
  ].join("\n");
}

function newestText({ latest, isNewer, error }: Newest): string {
  if (latest === null) return `✗ unknown: ${error}`;
  return isNewer ? `${latest}: newer than this one` : `✓ ${latest}: this one is up to date`;
}
