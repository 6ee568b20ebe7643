import { count, span } from "../cli/format.ts";
import { columns } from "../cli/layout.ts";
import { clientOptions } from "../cli/options.ts";
import { at, listAt, numberAt, textAt } from "../cli/pick.ts";
import { targetOf, withGateway } from "../cli/reach.ts";
import { safeModeText } from "../cli/safe-mode.ts";
import type { Client } from "../client/client.ts";
import type { Target } from "../client/target.ts";
import { tildify } from "../host/paths.ts";
import { Failure } from "../kit/error.ts";
import { VERSION } from "../kit/version.ts";
import { command, type CommandContext } from "./command.ts";

const options = {
  ...clientOptions,
  all: { description: "Also channels, nodes and devices one by one." },
  deep: { description: "Let the gateway look again instead of telling what it knows." },
} as const;

type Context = CommandContext<typeof options>;

/** An overview of the gateway. It reports, so a gateway that cannot be reached is part of the answer: status 0. */
export const status = command({
  path: ["status"],
  summary: "Show an overview: gateway, sessions, channels, nodes, devices, configuration.",
  options,
  examples: [
    { command: "status", description: "The gateway of this profile." },
    { command: "status --all", description: "With every channel, node and device." },
  ],
  async run(context) {
    const { output } = context;
    const seen = await look(context);
    if (output.json) output.data(asJson(context, seen));
    else for (const line of asText(context, seen)) output.print(line);
    if (!output.json) for (const line of seen.trouble?.hints ?? []) output.warn(line);
    return 0;
  },
});

interface Seen {
  readonly target: Target;
  readonly answers: Answers | undefined;
  readonly trouble: Failure | undefined;
}

/** What the gateway answered; null where it refused or does not know the question. */
interface Answers {
  readonly hello: Client["hello"];
  readonly health: unknown;
  readonly status: unknown;
  readonly channels: unknown;
  readonly sessions: unknown;
  readonly nodes: unknown;
  readonly nodePairing: unknown;
  readonly devices: unknown;
}

async function look(context: Context): Promise<Seen> {
  const target = await targetOf(context);
  try {
    const answers = await withGateway(context, ["operator.read", "operator.pairing"], (client) => ask(context, client));
    return { target, answers, trouble: undefined };
  } catch (error) {
    const failure = Failure.from(error);
    if (failure.code === "aborted" || failure.code === "usage") throw failure;
    return { target, answers: undefined, trouble: failure };
  }
}

async function ask({ options: { timeout, deep } }: Context, client: Client): Promise<Answers> {
  const question = async (method: string, params: object = {}): Promise<unknown> => {
    try {
      return await client.request(method, params);
    } catch (error) {
      if (Failure.from(error).code === "aborted") throw error;
      return null; // one answer less is no reason to show none
    }
  };
  const [health, status, channels, sessions, nodes, nodePairing, devices] = await Promise.all([
    question("health", deep ? { probe: true } : {}),
    question("status"),
    question("channels.status", deep ? { probe: true, timeoutMs: timeout } : {}),
    question("sessions.list", { limit: 1 }),
    question("node.list"),
    question("node.pair.list"),
    question("device.pair.list"),
  ]);
  return { hello: client.hello, health, status, channels, sessions, nodes, nodePairing, devices };
}

function asText(context: Context, seen: Seen): readonly string[] {
  const { host, paths, output, options: flags } = context;
  const { target, answers, trouble } = seen;
  const gateway = answers ? `✓ reachable (${answers.hello.latencyMs}ms)` : `✗ unreachable: ${trouble?.message ?? ""}`;
  const rows = [
    ["Gateway", `${target.url} ${gateway}`],
    ["Config", tildify(host, paths.config)],
    ["State", tildify(host, paths.state)],
    ["Log file", tildify(host, paths.log)],
    ...(answers ? overview(answers, context.program) : []),
  ];
  return [
    output.style.bold(`${context.flavour.title} status`),
    columns(rows),
    ...(answers && flags.all ? details(answers) : []),
  ];
}

function overview(
  { hello, health, status, channels, sessions, nodes, nodePairing, devices }: Answers,
  program: string,
): string[][] {
  const { payload } = hello;
  const uptime = numberAt(payload, "snapshot", "uptimeMs");
  const rows = listAt(nodes, "nodes");
  const online = rows.filter((node) => at(node, "connected") === true).length;
  const total = numberAt(sessions, "count") ?? numberAt(status, "sessions", "count");
  const parts = listAt(health, "parts");
  const ailing = parts.filter((part) => !["ok", "starting"].includes(textAt(part, "state") ?? ""));
  const tailscale = parts.find((part) => textAt(part, "part") === "tailscale");
  return [
    ["Version", `${textAt(payload, "server", "version") ?? "unknown"} (this program ${VERSION})`],
    ["Uptime", uptime === undefined ? "unknown" : span(uptime)],
    ["Health", at(health, "ok") === true ? "✓ ok" : "✗ not ok"],
    ...(at(health, "safeMode") ? [["Safe mode", `✗ ${safeModeText(at(health, "safeMode"), program)}`]] : []),
    ...(at(health, "standby")
      ? [["Standby", `process ${numberAt(health, "standby", "pid") ?? "unknown"} owns the state folder`]]
      : []),
    ...(tailscale ? tailscaleRow(tailscale) : []),
    ["Sessions", total === undefined ? "unknown" : String(total)],
    [
      "Channels",
      listAt(channels, "channelOrder")
        .filter((id) => typeof id === "string")
        .join(", ") || "none",
    ],
    ["Nodes", `${count(rows.length, "node")}, ${online} connected, ${listAt(nodePairing, "pending").length} pending`],
    ["Devices", `${listAt(devices, "paired").length} paired, ${listAt(devices, "pending").length} pending`],
    ...ailing
      .filter((part) => part !== tailscale)
      .map((part) => [
        "Part",
        [textAt(part, "part"), textAt(part, "state"), textAt(part, "reason")].filter(Boolean).join(": "),
      ]),
  ];
}

/** Where Tailscale leads to this gateway, or why nowhere; nothing when nobody wished it. */
function tailscaleRow(part: unknown): string[][] {
  const [url, reason] = [textAt(part, "url"), textAt(part, "reason")];
  if (url !== undefined) return [["Tailscale", `✓ ${url}`]];
  return reason === undefined ? [] : [["Tailscale", `✗ ${reason}`]];
}

function details({ nodes, devices, channels }: Answers): readonly string[] {
  const section = (title: string, rows: readonly (readonly string[])[]) =>
    rows.length === 0 ? [] : ["", title, columns(rows)];
  return [
    ...section(
      "Channels",
      listAt(channels, "channelOrder").map((id) => [
        `  ${String(id)}`,
        textAt(channels, "channelLabels", String(id)) ?? "",
      ]),
    ),
    ...section(
      "Nodes",
      listAt(nodes, "nodes").map((node) => [
        `  ${textAt(node, "displayName") ?? textAt(node, "nodeId") ?? "unnamed"}`,
        textAt(node, "platform") ?? "",
        at(node, "connected") === true ? "connected" : "away",
        textAt(node, "approvalState") ?? "",
      ]),
    ),
    ...section(
      "Devices",
      listAt(devices, "paired").map((device) => [
        `  ${textAt(device, "label") ?? textAt(device, "displayName") ?? textAt(device, "clientId") ?? "unnamed"}`,
        (textAt(device, "deviceId") ?? "").slice(0, 12),
        textAt(device, "platform") ?? "",
      ]),
    ),
  ];
}

function asJson({ paths }: Context, { target, answers, trouble }: Seen): unknown {
  const { hello, ...parts } = answers ?? {};
  return {
    version: VERSION,
    configPath: paths.config,
    stateDir: paths.state,
    logFile: paths.log,
    gateway: {
      url: target.url,
      source: target.source,
      reachable: answers !== undefined,
      latencyMs: hello?.latencyMs ?? null,
      error: trouble?.message ?? null,
      version: textAt(hello?.payload, "server", "version") ?? null,
      uptimeMs: numberAt(hello?.payload, "snapshot", "uptimeMs") ?? null,
    },
    ...parts,
  };
}
