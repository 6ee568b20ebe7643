import { parseLine } from "../kit/log.ts";
import { flavours, type Flavour } from "../host/flavour.ts";
import { basename, join, type Paths } from "../host/paths.ts";
import type { PortOwner } from "../host/host.ts";
import type { CommandContext } from "../commands/command.ts";
import { clean } from "./layout.ts";
import { runningGateway, type Running } from "./settings.ts";

type Context = Pick<CommandContext, "host" | "flavour" | "paths" | "output">;

/** Who listens on the port, the gateway or anybody else. */
export async function portState({ host }: Context, port: number): Promise<PortState> {
  const listeners = await host.processes.listeners(port);
  // Listeners of other users may be hidden from us, but still take the port.
  const busy = listeners.length > 0 || (await host.net.reaches("127.0.0.1", port, 500));
  return { port, status: busy ? "busy" : "free", listeners };
}

export interface PortState {
  readonly port: number;
  readonly status: "busy" | "free";
  readonly listeners: readonly PortOwner[];
}

/** The last error in the gateway's log, in the part of it that is near the end. */
export async function lastError({ host, paths }: Context): Promise<string | undefined> {
  const stat = await host.files.stat(paths.log);
  if (!stat) return undefined;
  const bytes = await host.files.readRange(paths.log, Math.max(0, stat.size - nearTheEnd), stat.size);
  const records = new TextDecoder().decode(bytes).split("\n").map(parseLine);
  const last = records.findLast((record) => record?.level === "error");
  return last && `${new Date(last.time).toISOString()} ${clean(last.message)}`;
}

const nearTheEnd = 65_536;

/** Gateways that run for other profiles of this user. */
export async function otherGateways(context: Context): Promise<readonly OtherGateway[]> {
  return (await otherProfiles(context)).map(({ paths, running: { url, pid } }) => ({
    label: basename(paths.state),
    detail: `${url} (PID ${pid})`,
    scope: "user",
    platform: context.host.os,
  }));
}

/** The same with where each keeps its things. They say so themselves, in folders that this user alone writes. */
export async function otherProfiles(context: Context): Promise<readonly OtherProfile[]> {
  const { host, paths: own } = context;
  const found = (await host.files.list(host.home)).flatMap((name) =>
    Object.values(flavours).flatMap((flavour) => {
      const { stateFolder, configFile } = flavour;
      if (name !== stateFolder && !name.startsWith(`${stateFolder}-`)) return [];
      const state = join(host.home, name);
      const profile = name.slice(stateFolder.length + 1);
      return [{ flavour, paths: { ...own, profile, state, config: join(state, configFile) } }];
    }),
  );
  const running = await Promise.all(
    found
      .filter(({ paths }) => paths.state !== own.state)
      .map(async (each) => ({ ...each, running: await runningGateway({ ...context, paths: each.paths }) })),
  );
  return running.flatMap(({ running: here, ...each }) => (here ? [{ ...each, running: here }] : []));
}

export interface OtherProfile {
  readonly flavour: Flavour;
  readonly paths: Paths;
  readonly running: Running;
}

export interface OtherGateway {
  readonly platform: string;
  readonly label: string;
  readonly detail: string;
  readonly scope: string;
}
