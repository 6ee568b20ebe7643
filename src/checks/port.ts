import { setting } from "../host/paths.ts";
import type { PortOwner } from "../host/host.ts";
import { redact } from "../kit/redact.ts";
import type { Check, CheckContext, Finding } from "./check.ts";

/** The port: who has it when the gateway does not, and whether it listens where it should. */
export const port: Check = {
  id: "port",
  title: "Gateway port",
  async look(context) {
    const { host, config } = context;
    if (config.snapshot.value.gateway.mode === "remote") return [];
    const { running } = await context.gateway();
    const number = running?.port ?? portOf(context);
    const owners = await host.processes.listeners(number);
    // Who listens for another user may be hidden from us, and has the port all the same.
    const busy = owners.length > 0 || (await host.net.reaches("127.0.0.1", number, 500));
    if (running)
      return busy
        ? strangers(
            context,
            number,
            owners.filter(({ pid }) => pid !== running.pid),
          )
        : [silent(context, number)];
    if (!busy) return [];
    return owners.length > 0 ? strangers(context, number, owners) : [unknownOwner(context, number)];
  },
};

/** Environment, then configuration, as the gateway itself decides when it is started without `--port`. */
function portOf({ flavour, config }: CheckContext): number {
  const text = setting({ env: config.environment }, flavour, "GATEWAY_PORT") ?? "";
  return /^\d{1,5}$/.test(text) ? Number(text) : config.snapshot.value.gateway.port;
}

function strangers({ program, host }: CheckContext, number: number, owners: readonly PortOwner[]): Finding[] {
  return owners.map(({ pid, command, commandLine, user }) => ({
    code: "port-taken",
    level: "error",
    message: `Port ${number} belongs to process ${pid}${user === undefined ? "" : ` of ${user}`}: ${redact(commandLine ?? command).slice(0, 200)}.`,
    path: "gateway.port",
    command: host.os === "windows" ? `${program} gateway --port ${number + 20}` : `${program} gateway --force`,
  }));
}

function unknownOwner({ program }: CheckContext, number: number): Finding {
  return {
    code: "port-taken",
    level: "error",
    message: `Port ${number} belongs to a process of another user, or one that this system does not name.`,
    path: "gateway.port",
    command: `${program} gateway --port ${number + 20}`,
  };
}

function silent({ program }: CheckContext, number: number): Finding {
  return {
    code: "gateway-not-listening",
    level: "error",
    message: `The gateway's process lives, and nothing listens on port ${number}.`,
    path: "gateway.port",
    command: `${program} gateway restart`,
  };
}
