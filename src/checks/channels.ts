import { join } from "../host/paths.ts";
import { isObject } from "../kit/json.ts";
import type { Check, CheckContext, Finding } from "./check.ts";

/** The chat networks that are configured: whether each has what it signs in with, and whom it lets in. */
export const channels: Check = {
  id: "channels",
  title: "Channels",
  security: true,
  async look(context) {
    const entries = Object.entries(context.config.snapshot.value.channels).filter(
      (entry): entry is [string, Record<string, unknown>] => isObject(entry[1]) && entry[1]["enabled"] !== false,
    );
    const found = await Promise.all(
      entries.map(async ([id, channel]) => [...(await unsigned(context, id, channel)), ...open(context, id, channel)]),
    );
    return found.flat();
  },
};

/** What a network signs in with: keys of its section, each with the variable that does as well. */
const credentials: Readonly<Record<string, readonly (readonly [keys: readonly string[], variable?: string])[]>> = {
  telegram: [[["botToken", "tokenFile"], "TELEGRAM_BOT_TOKEN"]],
  discord: [[["token"], "DISCORD_BOT_TOKEN"]],
  slack: [
    [["botToken"], "SLACK_BOT_TOKEN"],
    [["appToken", "signingSecret"], "SLACK_APP_TOKEN"],
  ],
  mattermost: [
    [["botToken"], "MATTERMOST_BOT_TOKEN"],
    [["baseUrl"], "MATTERMOST_URL"],
  ],
  matrix: [[["accessToken", "password"], "MATRIX_ACCESS_TOKEN"]],
  signal: [[["account"]]],
  line: [[["channelAccessToken", "tokenFile"], "LINE_CHANNEL_ACCESS_TOKEN"]],
};

async function unsigned(
  { host, paths, config, program }: CheckContext,
  id: string,
  channel: Readonly<Record<string, unknown>>,
): Promise<Finding[]> {
  const accounts = isObject(channel["accounts"]) ? Object.values(channel["accounts"]).filter(isObject) : [];
  const finding = (what: string, command: string): Finding => ({
    code: "channel-credentials-missing",
    level: "warning",
    message: `channels.${id} is configured, and there is no ${what} to sign in with.`,
    path: `channels.${id}`,
    command,
  });
  // It signs in by a code that a phone scans; what comes of it lies in a folder for each account.
  if (id === "whatsapp")
    return (await host.files.list(join(paths.state, "credentials", "whatsapp"))).length > 0
      ? []
      : [finding("linked phone", `${program} channels login --channel whatsapp`)];
  const needed = Object.hasOwn(credentials, id) ? (credentials[id] ?? []) : [];
  return needed
    .filter(([keys, variable]) => {
      const has = (holder: Readonly<Record<string, unknown>>): boolean =>
        keys.some((key) => typeof holder[key] === "string" && holder[key] !== "");
      return !has(channel) && !accounts.some(has) && !(variable !== undefined && config.environment[variable]);
    })
    .map(([keys]) => finding(keys.join(" or "), `${program} config set channels.${id}.${keys[0]} <value>`));
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
