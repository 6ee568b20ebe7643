import { parseLine } from "../kit/log.ts";
import { flavours } from "../host/flavour.ts";
import { basename, join } from "../host/paths.ts";
import type { PortOwner } from "../host/host.ts";
import type { CommandContext } from "../commands/command.ts";
import { clean } from "./layout.ts";
import { runningGateway } from "./settings.ts";

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
  const { host, paths } = context;
  const folders = (await host.files.list(host.home)).filter((name) =>
    Object.values(flavours).some(({ stateFolder }) => name === stateFolder || name.startsWith(`${stateFolder}-`)),
  );
  const found = await Promise.all(
    folders
      .map((name) => join(host.home, name))
      .filter((state) => state !== paths.state)
      .map(async (state) => ({ state, running: await runningGateway({ ...context, paths: { ...paths, state } }) })),
  );
  return found.flatMap(({ state, running }) =>
    running
      ? [{ label: basename(state), detail: `${running.url} (PID ${running.pid})`, scope: "user", platform: host.os }]
      : [],
  );
}

export interface OtherGateway {
  readonly platform: string;
  readonly label: string;
  readonly detail: string;
  readonly scope: string;
}
