import { channels } from "../channels/index.ts";
import type { CommandContext } from "../commands/command.ts";
import type { ConfigWrite } from "../config/config.ts";
import { type Plan, planAccounts } from "../flow/networks-plan.ts";
import { Failure } from "../kit/error.ts";
import { openConfigFile, warningsTo } from "./config-file.ts";

/** The chat networks of this machine's configuration, as its file has them. */
export interface NetworkAccounts {
  /** The section `channels` as it is in force. */
  readonly section: Readonly<Record<string, unknown>>;
  /** Every account that the section `channels` would have; that of the file unless given. */
  readonly plan: (section?: Readonly<Record<string, unknown>>) => Promise<readonly Plan[]>;
  /** Applies a merge patch to the section, unless the file has changed since it was read. `by` is for the history. */
  readonly patch: (changed: unknown, by: string) => Promise<ConfigWrite>;
}

/** Opens the file through which `config set` writes too, so that a change is checked, durable and can be taken back. */
export async function openNetworkAccounts(
  context: Pick<CommandContext, "host" | "flavour" | "paths" | "output">,
): Promise<NetworkAccounts> {
  const { host } = context;
  const log = warningsTo(context);
  const store = await openConfigFile(context, log);
  const { value, exists, hash } = store.current();
  return {
    section: value.channels,
    async plan(section = value.channels) {
      const environment = store.environment?.() ?? host.env;
      return (await planAccounts(section, { kinds: channels, host, environment, log })).plans;
    },
    patch: (changed, by) => store.patch({ channels: changed }, { baseHash: exists ? hash : undefined, by }),
  };
}

/** Networks that others have and this program has not, each with why and what to do. */
const elsewhere: Readonly<Record<string, string>> = {
  feishu: "Feishu and Lark are not there yet",
  nostr: "Nostr direct messages are encrypted by a scheme (NIP-04) that is given up as unsafe, and are not there",
  tlon: "Tlon needs an Urbit ship's own protocol, and is not there",
  zalouser: "a personal Zalo account has no interface that Zalo allows; use `zalo`, a bot",
  imsg: "use `imessage`, which runs the program imsg",
  webchat: "the web page needs no channel: open it with `dashboard`",
  sms: "text messages are not there",
  wechat: "WeChat is not there",
  "voice-call": "telephone calls are not there",
};

/** The id of a network that there is. Throws `usage`, saying what there is instead. */
export function networkId(written: string): string {
  const id = written.trim().toLowerCase();
  if (channels.some((entry) => entry.id === id)) return id;
  const why = Object.hasOwn(elsewhere, id) ? `: ${elsewhere[id]}` : "";
  throw new Failure("usage", `there is no network ${JSON.stringify(written.slice(0, 80))} here${why}`, {
    hints: [`There is: ${channels.map((entry) => entry.id).join(", ")}`],
  });
}
