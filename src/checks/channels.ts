import { channels as networks } from "../channels/index.ts";
import { type Plan, planAccounts } from "../flow/networks-plan.ts";
import { isObject } from "../kit/json.ts";
import { createLogger } from "../kit/log.ts";
import type { Check, CheckContext, Finding } from "./check.ts";

/** The chat networks that are configured: whether each can sign in and its settings are in order, and whom it lets in. */
export const channels: Check = {
  id: "channels",
  title: "Channels",
  security: true,
  async look(context) {
    const { host, config } = context;
    const { channels: section } = config.snapshot.value;
    const { environment } = config;
    const log = createLogger(() => host.clock.now(), []);
    const { plans, unknown } = await planAccounts(section, { kinds: networks, host, environment, log });
    return [
      ...unknown.map(unknownFinding),
      ...plans.filter(({ enabled }) => enabled).flatMap((plan) => broken(plan, context)),
      ...Object.entries(section).flatMap(([id, channel]) =>
        isObject(channel) && channel["enabled"] !== false ? open(context, id, channel) : [],
      ),
    ];
  },
};

function unknownFinding(id: string): Finding {
  const path = `channels.${id}`;
  const known = networks.map((network) => network.id).join(", ");
  return { code: "channel-unknown", level: "info", message: `There is no network ${id} here, only ${known}.`, path };
}

function broken({ channel, accountId, path, configured, problem }: Plan, { program }: CheckContext): Finding[] {
  if (!problem) return [];
  const account = accountId === "default" ? "" : ` --account ${accountId}`;
  return [
    {
      code: configured ? "channel-settings-wrong" : "channel-credentials-missing",
      level: "warning",
      message: `${problem.message.replace(/[.!]$/, "")}.`,
      path,
      ...(configured ? {} : { command: `${program} channels add --channel ${channel}${account}` }),
    },
  ];
}

function open({ program }: CheckContext, id: string, channel: Readonly<Record<string, unknown>>): Finding[] {
  const dm = isObject(channel["dm"]) ? channel["dm"] : {};
  const [path, policy] =
    channel["dmPolicy"] === undefined
      ? [`channels.${id}.dm.policy`, dm["policy"]]
      : [`channels.${id}.dmPolicy`, channel["dmPolicy"]];
  const groups = channel["groupPolicy"];
  return [
    ...(policy === "open"
      ? [
          {
            code: `channels.${id}.dm.open`,
            level: "error" as const,
            message: `Anybody on ${id} may write to the agent and make it act.`,
            path,
            command: `${program} config set ${path} pairing`,
          },
        ]
      : []),
    ...(groups === "open"
      ? [
          {
            code: `channels.${id}.groups.open`,
            level: "warning" as const,
            message: `Any group on ${id} that the agent is added to may make it act.`,
            path: `channels.${id}.groupPolicy`,
            command: `${program} config set channels.${id}.groupPolicy allowlist`,
          },
        ]
      : []),
  ];
}
