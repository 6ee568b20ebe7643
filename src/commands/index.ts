import type { Command } from "./command.ts";

/** Every command by the words that call it, loaded when called: one command does not pay for the others. */
export const commands: CommandTable = {
  gateway: async () => (await import("./gateway.ts")).gatewayRun,
  "gateway run": async () => (await import("./gateway.ts")).gatewayRun,
  "gateway status": async () => (await import("./gateway-status.ts")).gatewayStatus,
  "gateway health": async () => (await import("./health.ts")).health,
  "gateway probe": async () => (await import("./probe.ts")).probe,
  "gateway call": async () => (await import("./call.ts")).call,
  "daemon status": async () => (await import("./gateway-status.ts")).gatewayStatus,
  setup: async () => (await import("./setup.ts")).setup,
  onboard: async () => (await import("./onboard.ts")).onboard,
  status: async () => (await import("./status.ts")).status,
  health: async () => (await import("./health.ts")).health,
  logs: async () => (await import("./logs.ts")).logs,
  "config get": async () => (await import("./config.ts")).configGet,
  "config set": async () => (await import("./config.ts")).configSet,
  "config unset": async () => (await import("./config.ts")).configUnset,
  "config validate": async () => (await import("./config.ts")).configValidate,
  "config file": async () => (await import("./config.ts")).configFile,
  "config history": async () => (await import("./config.ts")).configHistory,
  "config rollback": async () => (await import("./config.ts")).configRollback,
  "devices list": async () => (await import("./devices.ts")).devicesList,
  "devices approve": async () => (await import("./devices.ts")).devicesApprove,
  "devices reject": async () => (await import("./devices.ts")).devicesReject,
  "devices remove": async () => (await import("./devices.ts")).devicesRemove,
  "devices rename": async () => (await import("./devices.ts")).devicesRename,
  "devices rotate": async () => (await import("./devices.ts")).devicesRotate,
  "devices revoke": async () => (await import("./devices.ts")).devicesRevoke,
  version: async () => (await import("./version.ts")).version,
};

/** Keys are words joined by a space; a key that others begin with is a group too. */
export type CommandTable = Readonly<Record<string, () => Promise<Command>>>;
