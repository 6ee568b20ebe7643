import { ensureWorkspace } from "../agent/workspace.ts";
import type { Flavour } from "../host/flavour.ts";
import type { Host } from "../host/host.ts";
import { isLink } from "../host/link.ts";
import { basename, dirname, join, tildify, type Paths } from "../host/paths.ts";
import { Failure } from "../kit/error.ts";
import { acquireLock } from "../store/lock.ts";
import { devState } from "./defaults.ts";

/** Makes the config and the workspace of the dev profile where they are missing. Answers a line for each it made. */
export async function bootstrapDev(host: Host, paths: Paths): Promise<readonly string[]> {
  const lines: string[] = [];
  if (!(await host.files.stat(paths.config))) {
    await host.files.makeFolder(dirname(paths.config));
    await host.files.write(paths.config, `${JSON.stringify(devConfig(paths), null, 2)}\n`);
    lines.push(`✓ dev config created at ${tildify(host, paths.config)}`);
  }
  if (await ensureWorkspace(host, paths.workspace, "dev"))
    lines.push(`✓ dev workspace initialized at ${tildify(host, paths.workspace)}`);
  return lines;
}

/**
 * Clears config, credentials, sessions and workspace of the dev profile. They go to its `trash` folder, which keeps the
 * last reset only. Refuses when the paths are not the dev profile's own.
 */
export async function resetDev(host: Host, flavour: Flavour, paths: Paths): Promise<void> {
  await assertDev(host, flavour, paths);
  const lock = await acquireLock(host, join(paths.state, "gateway.lock"), {
    port: 0,
    since: host.clock.now(),
    command: "reset of the dev profile",
  });
  if (!lock.held)
    throw new Failure("conflict", `The dev gateway is running (pid ${lock.owner.pid}): stop it before --reset.`);
  try {
    await clear(host, paths);
  } finally {
    await lock.release();
  }
}

async function clear(host: Host, paths: Paths): Promise<void> {
  const trash = join(paths.state, "trash");
  await host.files.remove(trash);
  await host.files.makeFolder(trash);
  for (const path of [
    paths.config,
    join(paths.state, "credentials"),
    join(paths.state, "agents"), // sessions, and the agents' own API keys
    paths.workspace,
  ])
    if (await host.files.stat(path)) await host.files.rename(path, join(trash, basename(path)));
}

/** A moved state folder or a link could make "the dev profile" mean somebody's real one. */
async function assertDev(host: Host, flavour: Flavour, paths: Paths): Promise<void> {
  const workspace = join(host.home, `${flavour.workspace}-dev`);
  const wrong =
    paths.profile !== "dev" || basename(paths.state) !== devState(flavour)
      ? paths.state
      : !paths.config.startsWith(`${paths.state}/`)
        ? paths.config
        : paths.workspace !== workspace
          ? paths.workspace
          : ((await linked(host, paths.state)) ?? (await linked(host, paths.workspace)));
  if (wrong === undefined) return;
  throw new Failure("config", `Refusing to reset ${tildify(host, wrong)}: it is not the dev profile's own.`, {
    hints: [
      `--reset clears ~/${devState(flavour)} and ${tildify(host, workspace)} only; remove anything else by hand.`,
    ],
  });
}

async function linked({ files }: Host, path: string): Promise<string | undefined> {
  return (await isLink(files, path)) ? path : undefined;
}

function devConfig({ workspace }: Paths): unknown {
  return {
    gateway: { mode: "local", bind: "loopback" },
    agents: {
      defaults: { workspace, skipBootstrap: true },
      list: [
        {
          id: "dev",
          default: true,
          workspace,
          identity: { name: "C3-PO", theme: "protocol droid", emoji: "🤖" },
        },
      ],
    },
  };
}
