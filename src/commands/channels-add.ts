import { type Credential, type ChannelKind } from "../channels/channel.ts";
import { channels } from "../channels/index.ts";
import { networkId, openNetworkAccounts } from "../cli/network-accounts.ts";
import { runningGateway } from "../cli/settings.ts";
import type { Plan } from "../flow/networks-plan.ts";
import { exit, Failure } from "../kit/error.ts";
import { isObject, type JsonObject } from "../kit/json.ts";
import { accountName, DEFAULT_ACCOUNT } from "../pairing/sender-place.ts";
import { command, type Command, type CommandContext, type OptionTable } from "./command.ts";

type Context = CommandContext;

/** Adds an account of a chat network. Its options are what the networks themselves say that they sign in with. */
export async function channelsAdd(): Promise<Command> {
  const kinds = await Promise.all(channels.map((entry) => entry.load()));
  const names = channels.map(({ id, label }) => `${id} (${label})`).join(", ");
  return command({
    path: ["channels", "add"],
    summary: "Add an account of a chat network, or change what it signs in with.",
    options: {
      channel: { value: "<id>", description: `Which network: ${names}.` },
      account: { value: "<id>", description: "Which of its accounts, where there are several.", default: "default" },
      name: { value: "<text>", description: "What people call the account." },
      "webhook-path": { value: "<path>", description: "Where on the gateway's port the network's requests arrive." },
      ...credentialOptions(kinds),
    },
    examples: [
      { command: "channels add", description: "Asks for everything." },
      { command: "channels add --channel telegram --token-file ~/telegram.token", description: "From a file." },
      { command: "channels add --channel discord --token -", description: "From standard input: not shown by ps." },
    ],
    guides: ["channels"],
    run: (context: Context) => add(context, kinds),
  });
}

/** What the command's own options are called: a credential of that name gets the network's before it. */
const own: ReadonlySet<string> = new Set(["channel", "account", "name", "webhook-path"]);

/** Options that stand for a credential of whichever network is meant. */
const standIns = {
  token: "What the network signs in with first, whatever it calls it; - reads it from standard input.",
  "token-file": "A file with it, readable by you alone.",
  url: "The address of your server, where the network is one.",
};

function credentialOptions(kinds: readonly ChannelKind[]): OptionTable {
  const told = new Map<string, string[]>(Object.entries(standIns).map(([name, text]) => [name, [text]]));
  const tell = (name: string, text: string): void => void told.set(name, [...(told.get(name) ?? []), text]);
  const files = new Map<string, string[]>();
  for (const { id, label, credentials } of kinds) {
    for (const { key, file, help, optional } of credentials) {
      tell(optionOf(id, key), `${label}: ${help}${optional ? " May be left out." : ""}`);
      if (file !== undefined) files.set(file, [...(files.get(file) ?? []), label]);
    }
  }
  for (const [file, labels] of files) tell(kebab(file), `${labels.join(", ")}: a file with it.`);
  const table = [...told].map(([name, texts]) => [name, { value: "<text>", description: texts.join(" ") }] as const);
  return Object.fromEntries(table);
}

function optionOf(id: string, key: string): string {
  const name = kebab(key);
  return own.has(name) ? `${id}-${name}` : name;
}

function kebab(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

async function add(context: Context, kinds: readonly ChannelKind[]): Promise<number> {
  const { output, program, host } = context;
  const id = await networkOf(context);
  const kind = kinds.find((each) => each.id === id);
  if (!kind) throw new Failure("internal", `no network ${id}`);
  const accountId = accountName(textOf(context, "account") ?? DEFAULT_ACCOUNT);
  const { section, plan, patch } = await openNetworkAccounts(context);
  const given = await givenFor(context, kind);
  const settings = { ...given, enabled: true };
  let planned: Plan | undefined;
  const complete = async (more: JsonObject): Promise<JsonObject> => {
    const known = (await plan(withAccount(section, { id, accountId, settings: more }))).find(
      (each) => each.channel === id && each.accountId === accountId,
    );
    planned = known;
    if (!known?.problem) return more;
    const missing = known.configured ? undefined : missingIn(kind, more);
    if (!missing || !host.terminal.interactive || output.json)
      throw new Failure("usage", known.problem.message, {
        hints: missing ? [`Give it with --${optionOf(id, missing.key)}; - reads it from standard input.`] : [],
      });
    const { askCredential } = await import("../cli/questions.ts");
    return complete({ ...more, [missing.key]: await askCredential(kind.label, missing) });
  };
  const added = withAccount({}, { id, accountId, settings: await complete(settings) });
  const { snapshot, changedPaths } = await patch(added, "channels add");
  if (output.json) {
    output.data({ ok: true, channel: id, accountId, path: snapshot.path, changedPaths });
    return exit.ok;
  }
  const running = await runningGateway(context);
  output.print(`✓ ${kind.label} (${accountId}) is configured.`);
  output.print(
    running ? `See how it fares: ${program} channels status --probe` : `Start the gateway: ${program} gateway`,
  );
  output.print(whoMayWrite(planned, program));
  return exit.ok;
}

/** What is left to do for people to be heard. */
function whoMayWrite(planned: Plan | undefined, program: string): string {
  const { ready, channel = "" } = planned ?? {};
  const { policy, allowFrom } = ready?.kind.policy(ready.settings).direct ?? { policy: "pairing", allowFrom: [] };
  if (policy === "pairing")
    return `Who writes to it is told a code; let them in with: ${program} pairing approve ${channel} <code>`;
  if (policy === "open") return `Anybody may write to it: ${program} config set channels.${channel}.dmPolicy allowlist`;
  if (allowFrom.length > 0 && policy === "allowlist") return `It hears ${allowFrom.join(", ")}, and nobody else.`;
  return `It hears nobody yet: its settings in channels.${channel} say whom it may hear.`;
}

async function networkOf(context: Context): Promise<string> {
  const written = textOf(context, "channel");
  if (written !== undefined) return networkId(written);
  const { host, output } = context;
  if (!host.terminal.interactive || output.json)
    throw new Failure("usage", "which network? pass --channel", {
      hints: [`There is: ${channels.map(({ id }) => id).join(", ")}`],
    });
  const { askNetwork } = await import("../cli/questions.ts");
  return askNetwork(channels);
}

/** The settings that the options say, by the keys of this network. */
async function givenFor(context: Context, kind: ChannelKind): Promise<JsonObject> {
  const { id, credentials, label } = kind;
  const keys = new Map<string, string>();
  for (const { key, file } of credentials) {
    keys.set(optionOf(id, key), key);
    if (file !== undefined) keys.set(kebab(file), file);
  }
  const secret = credentials.find((each) => !each.public) ?? credentials[0];
  const server = credentials.find(({ key, public: shown }) => shown && /url$|^homeserver$/i.test(key));
  const standIn = (name: string, key: string | undefined): void =>
    void (key !== undefined && !keys.has(name) && keys.set(name, key));
  standIn("token", secret?.key);
  standIn("token-file", secret?.file);
  standIn("url", server?.key);
  keys.set("name", "name").set("webhook-path", "webhookPath");
  const given: JsonObject = {};
  for (const name of Object.keys(context.options)) {
    const text = textOf(context, name);
    if (text === undefined || name === "channel" || name === "account") continue;
    const key = keys.get(name);
    if (key === undefined) throw new Failure("usage", `${label} does not take --${name}`);
    given[key] = text === "-" ? (await context.host.terminal.readInput()).trim() : text;
  }
  return given;
}

function textOf({ options }: Context, name: string): string | undefined {
  const value = options[name];
  return typeof value === "string" ? value : undefined;
}

function missingIn({ credentials }: ChannelKind, settings: JsonObject): Credential | undefined {
  return credentials.find(({ key, file, optional }) => {
    return !optional && settings[key] === undefined && (file === undefined || settings[file] === undefined);
  });
}

interface Added {
  readonly id: string;
  readonly accountId: string;
  readonly settings: JsonObject;
}

/** The section with these settings of one account laid over what it has. */
function withAccount(section: Readonly<JsonObject>, { id, accountId, settings }: Added): JsonObject {
  const network = isObject(section[id]) ? section[id] : {};
  if (accountId === DEFAULT_ACCOUNT) return { ...section, [id]: { ...network, ...settings } };
  const accounts = isObject(network["accounts"]) ? network["accounts"] : {};
  const own = isObject(accounts[accountId]) ? accounts[accountId] : {};
  return {
    ...section,
    [id]: { ...network, enabled: true, accounts: { ...accounts, [accountId]: { ...own, ...settings } } },
  };
}
