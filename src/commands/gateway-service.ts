import { tellVerdict } from "../cli/service-verdict.ts";
import { Failure } from "../kit/error.ts";
import { command } from "./command.ts";
import { controlService, removeService } from "./gateway-service-control.ts";

const common = {
  system: { description: "The service of the whole machine instead of your own (systemd; needs root)." },
} as const;

export const installOptions = {
  ...common,
  port: {
    value: "<port>",
    number: { min: 1, max: 65_535 },
    invalid: "Invalid port {} (use a number from 1 to 65535, for example 18789)",
    description: "Port it listens on; by default *_GATEWAY_PORT, then gateway.port, then 18789.",
  },
  // Judged by the command itself: programs that ask with --json want to read of it as of any other failure of it.
  runtime: {
    value: "<name>",
    description: "What runs it: bun, node, deno, or binary; by default what runs this command.",
  },
  token: { value: "<token>", description: "Token of its own, kept in a file that only you can read." },
  force: { description: "Install anew, over a service that is there." },
  "dry-run": { description: "Show the files and commands, and do nothing." },
} as const;

/** Makes the gateway a service that starts with the machine or the login, and starts it. */
export const serviceInstall = command({
  path: ["gateway", "install"],
  summary: "Install the gateway as a service, and start it.",
  options: installOptions,
  examples: [
    { command: "gateway install", description: "Runs in the background from now on." },
    { command: "gateway install --dry-run", description: "What that would write and run." },
    { command: "gateway install --port 19001 --force", description: "Again, with another port." },
    { command: "--profile rescue gateway install --port 19001", description: "A second one beside it." },
  ],
  async run(context) {
    const { installService } = await import("./gateway-service-install.ts");
    return tellVerdict(context, "install", () => installService(context));
  },
});

/** Ends the service and removes it from the system. */
export const serviceUninstall = command({
  path: ["gateway", "uninstall"],
  summary: "Stop the gateway's service and remove it; configuration and conversations stay.",
  options: common,
  examples: [{ command: "gateway uninstall", description: "The gateway no longer starts by itself." }],
  run: (context) => tellVerdict(context, "uninstall", () => removeService(context)),
});

/** Starts the service; one that runs is left alone. */
export const serviceStart = command({
  path: ["gateway", "start"],
  summary: "Start the gateway's service.",
  options: common,
  examples: [{ command: "gateway start", description: "One that runs already is left alone." }],
  run: (context) => tellVerdict(context, "start", () => controlService(context, "start")),
});

/** Stops the service until the next start, login or boot. */
export const serviceStop = command({
  path: ["gateway", "stop"],
  summary: "Stop the gateway's service until the next start, login or boot.",
  options: common,
  examples: [{ command: "gateway stop", description: "Answers in work are finished first." }],
  run: (context) => tellVerdict(context, "stop", () => controlService(context, "stop")),
});

/** Restarts the service; starts one that does not run. */
export const serviceRestart = command({
  path: ["gateway", "restart"],
  summary: "Restart the gateway's service.",
  options: {
    ...common,
    safe: { description: "Let the gateway that runs begin anew in its process: nobody is refused meanwhile." },
  },
  examples: [
    { command: "gateway restart", description: "A new process, such as after an update; answers end first." },
    { command: "gateway restart --safe", description: "The same process, whoever started it." },
  ],
  async run(context) {
    if (!context.options.safe) return tellVerdict(context, "restart", () => controlService(context, "restart"));
    if (context.options.system) throw new Failure("usage", "--safe asks the gateway itself: leave --system out");
    const { restartSafely } = await import("./gateway-service-safe.ts");
    return restartSafely(context);
  },
});
