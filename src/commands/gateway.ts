import type { Gateway, OpenOptions } from "../boot.ts";
import { restoreMark } from "../host/restore-mark.ts";
import { Failure } from "../kit/error.ts";
import { command, type CommandContext } from "./command.ts";

const options = {
  port: {
    value: "<port>",
    number: { min: 1, max: 65_535 },
    invalid: "Invalid port {} (use a number from 1 to 65535, for example 18789)",
    description: "TCP port; by default *_GATEWAY_PORT, then gateway.port, then 18789.",
  },
  bind: {
    value: "<mode>",
    choices: ["loopback", "lan", "tailnet", "auto", "custom"],
    description: "Addresses to listen on; anything beyond loopback needs auth.",
  },
  auth: {
    value: "<mode>",
    choices: ["none", "token", "password"],
    description: "How clients prove who they are; by default what is configured.",
  },
  token: { value: "<token>", description: "Token that clients must send (also *_GATEWAY_TOKEN)." },
  password: { value: "<password>", description: "Password that clients must send (also *_GATEWAY_PASSWORD)." },
  "allow-unconfigured": { description: "Start without gateway.mode=local in the configuration." },
  reset: { description: "With --dev: clear the dev profile's config, credentials, sessions and workspace first." },
  force: { description: "End whatever listens on the port, then start." },
  "no-watch": { description: "With --dev: do not restart when the source changes." },
  "ws-log": {
    value: "<style>",
    choices: ["auto", "full", "compact"],
    description: "Look of WebSocket traffic in the log; auto is compact.",
    default: "auto",
  },
  compact: { description: "Same as --ws-log compact." },
  "claude-cli-logs": { description: "Show only what the Claude command line says." },
  "raw-stream": {
    description: "Keep what models say as it comes, private text included (also *_RAW_STREAM=1).",
  },
  "raw-stream-path": {
    value: "<path>",
    description: "Where to keep it; by default logs/raw-stream.jsonl of the state folder (also *_RAW_STREAM_PATH).",
  },
  tailscale: {
    value: "<mode>",
    choices: ["off", "serve", "funnel"],
    description: "Publish through Tailscale: own tailnet, or the internet (needs a password).",
  },
  "tailscale-reset-on-exit": {
    description: "When the gateway ends, run tailscale serve or funnel reset: it withdraws what was published.",
  },
} as const;

type Context = CommandContext<typeof options>;

/** Runs a gateway in this process until a signal ends it. */
export const gatewayRun = command({
  path: ["gateway"],
  summary: "Run the gateway in the foreground.",
  options,
  examples: [
    { command: "gateway", description: "This machine only, on port 18789." },
    { command: "gateway --dev", description: "A profile of its own for development; restarts on changes." },
    { command: 'gateway --bind lan --token "$TOKEN"', description: "Other devices of the network may connect." },
    { command: "gateway --force", description: "Free the port first." },
    { command: "gateway --tailscale serve", description: "Your devices in the tailnet reach it over HTTPS." },
  ],
  guides: [
    "start",
    "configuration",
    "discovery",
    "remote",
    "tls",
    "tailscale",
    "webchat",
    "channels",
    "tools",
    "automation",
  ],
  ownsSignals: true,
  async run(context) {
    const { host, options, global } = context;
    if (options.reset && !global.dev) throw new Failure("usage", "Use --reset with --dev.");
    if (global.dev && host.sources.length > 0 && !options["no-watch"]) {
      const { superviseSources } = await import("../host/supervise.ts");
      const again = host.args.filter((arg) => arg !== "--reset" && arg !== "--force");
      return superviseSources(host, { first: [...host.args, "--no-watch"], again: [...again, "--no-watch"] });
    }
    const { startGatewayServer } = await import("../boot.ts");
    return runGatewayCommand(context, startGatewayServer);
  },
});

/** Prepares a gateway as the options say, opens it with `open` and serves it; answers the exit status. */
export async function runGatewayCommand(
  { host, flavour, paths, program, options, global }: Omit<Context, "output" | "signal" | "args">,
  open: (options: OpenOptions) => Promise<Gateway>,
): Promise<number> {
  // A restore that was cut off between two renames has left no state here to start with.
  if (await host.files.stat(restoreMark(paths.state)))
    await (await import("../backup/restore.ts")).resumeRestore({ host, flavour, paths });
  const { prepareGateway } = await import("../gateway/foreground.ts");
  const { bind, auth, token, password, tailscale } = options;
  const prepared = await prepareGateway(
    { host, flavour, paths, program },
    {
      exposure: { bind, auth, token, password, tailscale },
      tailscaleResetOnExit: options["tailscale-reset-on-exit"],
      port: options.port,
      allowUnconfigured: options["allow-unconfigured"],
      dev: global.dev,
      reset: options.reset,
      force: options.force,
      verbose: global.verbose,
      wsLog: options.compact ? "compact" : options["ws-log"],
      claudeCli: options["claude-cli-logs"],
      rawStream: options["raw-stream"] || options["raw-stream-path"] !== undefined,
      rawStreamPath: options["raw-stream-path"],
      json: global.json,
      logLevel: global["log-level"],
    },
  );
  try {
    return await prepared.serve(await open(prepared.options));
  } catch (error) {
    throw await prepared.abandon(error);
  }
}
