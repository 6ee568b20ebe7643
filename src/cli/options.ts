import type { OptionTable } from "../commands/command.ts";
import { levels } from "../kit/log.ts";

/** Options that every command takes, wherever they stand on the command line. */
export const globalOptions = {
  dev: { description: "Use the dev profile: its own state, config and workspace." },
  profile: { value: "<name>", description: "Use a named profile: its own state, config, workspace and service." },
  json: { description: "Write JSON to stdout and nothing else." },
  "no-color": { description: "Write no colours (also NO_COLOR=1)." },
  "log-level": { value: "<level>", choices: levels, description: "Least severe log record to show." },
  verbose: { description: "Say more; with an error, where it came from." },
  version: { description: "Print the version (-V)." },
  help: { description: "Show this help (-h)." },
} as const satisfies OptionTable;

/** Options of the commands that ask a gateway. */
export const clientOptions = {
  url: { value: "<url>", description: "WebSocket URL of the gateway; credentials are then taken from the flags only." },
  token: { value: "<token>", description: "Gateway token." },
  password: { value: "<password>", description: "Gateway password." },
  "tls-fingerprint": {
    value: "<sha256>",
    description: "The one certificate that the gateway may show, for wss; the gateway prints it when it starts.",
  },
  timeout: {
    value: "<ms>",
    description: "How long to wait for the gateway.",
    number: { min: 1, max: 3_600_000 },
    default: 10_000,
  },
} as const satisfies OptionTable;

/** The one-letter forms; `-m` counts where a command has a message. */
export const shortOptions: Readonly<Record<string, string>> = { h: "help", V: "version", m: "message" };
