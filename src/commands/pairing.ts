import { ago } from "../cli/format.ts";
import { columns } from "../cli/layout.ts";
import { clientOptions } from "../cli/options.ts";
import { at, listAt, stringAt, textAt } from "../cli/pick.ts";
import { ask, type ReachContext, withGateway } from "../cli/reach.ts";
import { Failure } from "../kit/error.ts";
import { isObject } from "../kit/json.ts";
import { command } from "./command.ts";

const scopes = ["operator.pairing"];
const options = {
  channel: { value: "<channel>", description: "The same as the argument." },
  account: { value: "<id>", description: "Only this account of the channel." },
  ...clientOptions,
};

/** Lists who wrote through a channel and waits to be let in. */
export const pairingList = command({
  path: ["pairing", "list"],
  summary: "List who wrote through a channel and waits to be let in.",
  positionals: [{ name: "channel", description: "Such as telegram; every channel when left out.", optional: true }],
  options,
  examples: [{ command: "pairing list telegram", description: "Codes to use with `pairing approve`." }],
  async run(context) {
    const { output, host } = context;
    const channel = context.args[0] ?? context.options.channel;
    const requests = listAt(
      await ask(context, "channels.pairing.list", wanted(context, channel), { scopes }),
      "requests",
    );
    if (output.json) output.data({ ...(channel === undefined ? {} : { channel }), requests: requests.map(jsonOf) });
    else if (requests.length === 0)
      output.print(`No pending ${channel === undefined ? "" : `${channel} `}pairing requests.`);
    else output.print(columns([head, ...requests.map((request) => row(request, host.clock.now()))]));
    return 0;
  },
});

/** Lets a sender in by the code that he was told. */
export const pairingApprove = command({
  path: ["pairing", "approve"],
  summary: "Let somebody write to your agents who was told a code.",
  positionals: [
    { name: "channel", description: "Such as telegram; may be left out when only one knows the code." },
    { name: "code", description: "What the sender was told.", optional: true },
  ],
  options: { notify: { description: "Tell the sender, where the channel can." }, ...options },
  examples: [
    { command: "pairing approve telegram ABCD2345", description: "With the code that the sender tells you." },
    {
      command: "pairing approve --channel telegram --account work ABCD2345",
      description: "At one of several accounts.",
    },
  ],
  async run(context) {
    const { output, program, args } = context;
    const { notify } = context.options;
    const [first = "", second] = args;
    if (second !== undefined && context.options.channel !== undefined)
      throw new Failure("usage", `two channels given, ${first} and ${context.options.channel}: leave one out`);
    const code = (second ?? first).trim().toUpperCase();
    const channel = second === undefined ? context.options.channel : first;
    const approved = await withGateway(context, scopes, async (client) => {
      const list = await client.call("channels.pairing.list", wanted(context, channel));
      const found = listAt(list, "requests").filter(
        (request) => stringAt(request, "requestId")?.toUpperCase() === code,
      );
      const [request] = found;
      if (request === undefined)
        throw new Failure("not-found", `nobody waits with the code ${code}: it counts once, and for an hour`, {
          hints: [`See: ${program} pairing list${channel === undefined ? "" : ` ${channel}`}`],
        });
      if (found.length > 1)
        throw new Failure("usage", `the code ${code} is known at several places: pass --channel and --account`);
      const where = { channel: stringAt(request, "channel") ?? "", accountId: stringAt(request, "accountId") ?? "" };
      const requestId = stringAt(request, "requestId") ?? "";
      return { ...where, ...(await client.call("channels.pairing.approve", { ...where, requestId, notify })) };
    });
    if (output.json) output.data(approved);
    else
      output.print(`✓ Approved ${textAt(approved, "channel") ?? "-"} sender ${textAt(approved, "senderId") ?? "-"}.`);
    if (notify && textAt(approved, "notification") !== "sent")
      output.warn(
        `! The sender was not told: ${textAt(approved, "channel") ?? "the channel"} cannot do it from here. Tell them yourself.`,
      );
    return 0;
  },
});

type Context = ReachContext & { readonly options: { readonly account: string | undefined } };

function wanted({ options }: Context, channel: string | undefined): { channel?: string; accountId?: string } {
  const { account } = options;
  return { ...(channel === undefined ? {} : { channel }), ...(account === undefined ? {} : { accountId: account }) };
}

const head = ["Code", "Channel", "Account", "Sender", "About", "Asked"];

function row(request: unknown, now: number): readonly string[] {
  const asked = Date.parse(stringAt(request, "createdAt") ?? "");
  const metadata = at(request, "metadata");
  const about = isObject(metadata) ? Object.keys(metadata).flatMap((key) => textAt(metadata, key) ?? []) : [];
  return [
    textAt(request, "requestId") ?? "-",
    textAt(request, "channel") ?? "-",
    textAt(request, "accountId") ?? "-",
    textAt(request, "senderId") ?? "-",
    about.join(", ") || "-",
    ago(now, Number.isFinite(asked) ? asked : undefined),
  ];
}

/** A request as scripts know it that were written for other gateways. */
function jsonOf(request: unknown): object {
  const metadata = at(request, "metadata");
  return {
    id: stringAt(request, "senderId"),
    code: stringAt(request, "requestId"),
    createdAt: stringAt(request, "createdAt"),
    lastSeenAt: stringAt(request, "lastSeenAt"),
    channel: stringAt(request, "channel"),
    meta: { ...(isObject(metadata) ? metadata : {}), accountId: stringAt(request, "accountId") },
  };
}
