import { channels } from "../channels/index.ts";
import { ago } from "../cli/format.ts";
import { clean, columns } from "../cli/layout.ts";
import { logLine, showLine } from "../cli/log-line.ts";
import { networkId, openNetworkAccounts } from "../cli/network-accounts.ts";
import { clientOptions } from "../cli/options.ts";
import { at, listAt, numberAt, stringAt, textAt } from "../cli/pick.ts";
import { ask } from "../cli/reach.ts";
import { exit, Failure } from "../kit/error.ts";
import { isObject } from "../kit/json.ts";
import { accountName, DEFAULT_ACCOUNT } from "../pairing/sender-place.ts";
import { command, type CommandContext } from "./command.ts";

const which = {
  channel: { value: "<id>", description: "Which network, such as telegram." },
  account: { value: "<id>", description: "Which of its accounts; the default one when left out." },
} as const;

/** Lists the accounts of chat networks that the configuration has. */
export const channelsList = command({
  path: ["channels", "list"],
  summary: "List the accounts of chat networks that are configured.",
  options: { all: { description: "Also the networks of which there is no account." } },
  examples: [{ command: "channels list --all", description: "Everything that could be added." }],
  guides: ["channels"],
  async run(context) {
    const { output, options, program } = context;
    const plans = await (await openNetworkAccounts(context)).plan();
    const rest = channels.filter(({ id }) => !plans.some(({ channel }) => channel === id));
    if (output.json) {
      const accounts = plans.map(({ channel, label, accountId, name, enabled, configured, problem }) => ({
        channel,
        label,
        accountId,
        name,
        enabled,
        configured,
        problem: problem?.message,
      }));
      output.data({ accounts, available: rest.map(({ id, label }) => ({ id, label })) });
      return exit.ok;
    }
    const rows = [
      ...plans.map(({ channel, label, accountId, name, enabled, problem }) => [
        channel,
        label,
        clean(accountId),
        clean(name ?? "-"),
        enabled ? (problem ? clean(problem.message) : "configured") : "disabled",
      ]),
      ...(options.all ? rest.map(({ id, label }) => [id, label, "-", "-", "not added"]) : []),
    ];
    if (rows.length === 0) output.print(`No chat networks. Add one: ${program} channels add`);
    else output.print(columns([["Channel", "Network", "Account", "Name", "State"], ...rows]));
    return exit.ok;
  },
});

/** Shows how the chat networks of the running gateway fare. */
export const channelsStatus = command({
  path: ["channels", "status"],
  summary: "Show how the chat networks fare in the gateway that runs.",
  options: {
    channel: { ...which.channel, description: "Only this network." },
    probe: { description: "Also ask each network who we are." },
    ...clientOptions,
  },
  examples: [{ command: "channels status --probe", description: "Status 1 when one of them does not answer." }],
  guides: ["channels"],
  async run(context) {
    const { output, options, host, program } = context;
    const { channel, probe, timeout } = options;
    const params = { probe, timeoutMs: timeout, ...(channel === undefined ? {} : { channel: networkId(channel) }) };
    // The gateway has the time that a network may take, and then some.
    const patient = { ...context, options: { ...options, timeout: probe ? timeout + 5000 : timeout } };
    const answer = await ask(patient, "channels.status", params, { scopes: ["operator.read"] });
    const rows = Object.entries(asObject(answer.channelAccounts)).flatMap(([id, accounts]) =>
      (Array.isArray(accounts) ? accounts : []).map((account: unknown) => ({ id, account })),
    );
    const bad = rows.some(({ account }) => at(account, "probe", "ok") === false);
    if (output.json) output.data(answer);
    else if (rows.length === 0) output.print(`No chat networks run. Add one: ${program} channels add`);
    else {
      const now = host.clock.now();
      output.print(
        columns([
          ["Channel", "Account", "State", "As", "Last in", "Last out", "About"],
          ...rows.map(({ id, account }) => statusRow(id, account, now)),
        ]),
      );
    }
    return bad ? exit.failed : exit.ok;
  },
});

function statusRow(id: string, account: unknown, now: number): readonly string[] {
  const probe = at(account, "probe");
  const self = textAt(probe, "bot", "username") ?? textAt(account, "application", "name");
  return [
    clean(id),
    textAt(account, "accountId") ?? "-",
    at(account, "enabled") === false && at(account, "running") !== true
      ? "disabled"
      : (textAt(account, "healthState") ?? "-"),
    self ?? textAt(account, "application", "id") ?? "-",
    ago(now, numberAt(account, "lastInboundAt")),
    ago(now, numberAt(account, "lastOutboundAt")),
    textAt(probe, "error") ?? textAt(account, "lastError") ?? "",
  ];
}

/** Says what each network can do. */
export const channelsCapabilities = command({
  path: ["channels", "capabilities"],
  summary: "Show what each chat network can do here.",
  options: { channel: { ...which.channel, description: "Only this network." } },
  examples: [{ command: "channels capabilities --channel slack", description: "One of them." }],
  guides: ["channels"],
  async run({ output, options }) {
    const wanted = options.channel === undefined ? undefined : networkId(options.channel);
    const kinds = await Promise.all(
      channels.filter(({ id }) => wanted === undefined || id === wanted).map((entry) => entry.load()),
    );
    if (output.json) output.data({ channels: kinds.map(({ id, label, abilities }) => ({ id, label, ...abilities })) });
    else {
      const mark = (can: boolean): string => (can ? "yes" : "-");
      const rows = kinds.map(({ id, abilities: can }) => [
        id,
        can.chats.join(", "),
        mark(can.media),
        mark(can.reactions),
        mark(can.edit),
        mark(can.typing),
      ]);
      output.print(columns([["Channel", "Chats", "Files", "Reactions", "Edits", "Typing"], ...rows]));
    }
    return exit.ok;
  },
});

/** Switches an account off, or takes it out of the configuration. */
export const channelsRemove = command({
  path: ["channels", "remove"],
  summary: "Switch an account of a chat network off; with --delete, forget its settings.",
  options: { ...which, delete: { description: "Take its settings out of the configuration." } },
  examples: [{ command: "channels remove --channel telegram --account work --delete", description: "For good." }],
  guides: ["channels"],
  async run(context) {
    const { output, options } = context;
    const { id, accountId } = named(options);
    const { plan, patch } = await openNetworkAccounts(context);
    const here = (await plan()).filter(({ channel }) => channel === id);
    const found = here.find((each) => each.accountId === accountId);
    if (!found) throw new Failure("not-found", `channels.${id} has no account ${accountId}`);
    const own = found.path !== `channels.${id}`;
    const written = own ? (found.path.split(".accounts.")[1] ?? accountId) : accountId;
    const account = options.delete ? null : { enabled: false };
    // The default account's settings are the network's own: what the others have stays.
    const others = here.length > 1 && !own;
    if (others)
      throw new Failure("usage", `channels.${id} itself is the account default, and others share its settings`, {
        hints: [`Edit channels.${id} by hand, or remove the others first.`],
      });
    const changed = own ? { accounts: { [written]: account } } : account;
    const { snapshot, changedPaths } = await patch({ [id]: changed }, "channels remove");
    if (output.json) output.data({ ok: true, channel: id, accountId, path: snapshot.path, changedPaths });
    else output.print(`✓ ${found.label} (${accountId}) is ${options.delete ? "removed" : "switched off"}.`);
    return exit.ok;
  },
});

/** Has the running gateway sign an account in again, and says as whom. */
export const channelsLogin = command({
  path: ["channels", "login"],
  summary: "Sign an account in again, and say as whom.",
  options: { ...which, ...clientOptions },
  examples: [{ command: "channels login --channel matrix", description: "After its token was renewed." }],
  guides: ["channels"],
  async run(context) {
    const { output, options, program } = context;
    const { id, accountId } = named(options);
    await ask(context, "channels.start", { channel: id, accountId }, { scopes: ["operator.admin"] });
    const params = { channel: id, probe: true, timeoutMs: options.timeout };
    const answer = await ask(context, "channels.status", params, { scopes: ["operator.read"] });
    const accounts: unknown = answer.channelAccounts[id];
    const account = (Array.isArray(accounts) ? accounts : []).find(
      (each: unknown) => stringAt(each, "accountId") === accountId,
    );
    const trouble = textAt(account, "probe", "error") ?? textAt(account, "lastError");
    const self = textAt(account, "probe", "bot", "username") ?? textAt(account, "probe", "bot", "id");
    if (output.json) output.data(account ?? {});
    else if (trouble === undefined) output.print(`✓ Signed in${self === undefined ? "" : ` as ${self}`}.`);
    else output.warn(`${id} (${accountId}): ${trouble}\nSee: ${program} channels status --channel ${id}`);
    return trouble === undefined ? exit.ok : exit.failed;
  },
});

/** Has the running gateway close an account and forget what it kept. */
export const channelsLogout = command({
  path: ["channels", "logout"],
  summary: "Close an account until the gateway ends, and forget what it kept; its settings stay.",
  options: { ...which, ...clientOptions },
  examples: [{ command: "channels logout --channel matrix", description: "Forgets the session it was given." }],
  guides: ["channels"],
  async run(context) {
    const { output, options } = context;
    const { id, accountId } = named(options);
    const scopes = ["operator.admin"];
    const answer = await ask(context, "channels.logout", { channel: id, accountId }, { scopes });
    if (output.json) output.data(answer);
    else output.print(`✓ ${id} (${accountId}) is closed${answer.cleared ? ", and what it kept is forgotten" : ""}.`);
    return exit.ok;
  },
});

/** Shows what the gateway's log says of the chat networks. */
export const channelsLogs = command({
  path: ["channels", "logs"],
  summary: "Show what the gateway's log says of the chat networks.",
  options: {
    channel: { ...which.channel, description: "Only this network." },
    lines: { value: "<n>", description: "How many lines at most.", number: { min: 1, max: 5000 }, default: 200 },
    ...clientOptions,
  },
  examples: [{ command: "channels logs --channel slack --lines 50", description: "One of them." }],
  async run(context) {
    const { output, options } = context;
    const about = options.channel === undefined ? "channels" : `channels/${networkId(options.channel)}`;
    const params = { limit: 5000, maxBytes: 1_000_000 };
    const tail = await ask(context, "logs.tail", params, { scopes: ["operator.read"] });
    const lines = listAt(tail, "lines").flatMap((raw) => {
      const parsed = typeof raw === "string" ? logLine(raw) : undefined;
      const { subsystem = "" } = parsed ?? {};
      return parsed && (subsystem === about || subsystem.startsWith(`${about}/`)) ? [{ raw: String(raw), parsed }] : [];
    });
    for (const { raw, parsed } of lines.slice(-options.lines)) {
      if (output.json) output.data({ type: "log", ...parsed }, { line: true });
      else output.print(showLine(parsed, raw, output.style));
    }
    if (lines.length === 0 && !output.json) output.print("The log says nothing of them.");
    return exit.ok;
  },
});

function named({ channel, account }: CommandContext<typeof which>["options"]): {
  readonly id: string;
  readonly accountId: string;
} {
  if (channel === undefined) throw new Failure("usage", "which network? pass --channel");
  return { id: networkId(channel), accountId: accountName(account ?? DEFAULT_ACCOUNT) };
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? value : {};
}
