import { ago } from "../cli/format.ts";
import { columns } from "../cli/layout.ts";
import { clientOptions } from "../cli/options.ts";
import { listAt, numberAt, textAt, wordsAt } from "../cli/pick.ts";
import { ask, type ReachContext } from "../cli/reach.ts";
import type { MethodName, ParamsOf } from "../client/typed.ts";
import { Failure } from "../kit/error.ts";
import { command } from "./command.ts";

const scopes = ["operator.pairing"];
const requestId = { name: "request", description: "The request's id, from `devices list`." };
const deviceId = { name: "device", description: "The device's id, from `devices list`." };
/** Rotating and revoking take the device as an option too, as scripts written for other gateways give it. */
const optionalDevice = { ...deviceId, optional: true };
const device = { value: "<id>", description: "The same as the argument." };
const role = {
  value: "<role>",
  description: "The role that the token is for.",
  choices: ["operator", "node"],
  default: "operator",
} as const;

/** Lists the devices that are paired and those that ask to be. */
export const devicesList = command({
  path: ["devices", "list"],
  summary: "List paired devices and those that ask to be.",
  options: clientOptions,
  examples: [{ command: "devices list", description: "Ids to use with the other commands." }],
  async run(context) {
    const { output, host } = context;
    const list = await ask(context, "device.pair.list", {}, { scopes });
    if (output.json) output.data(list);
    else for (const text of tables(list, host.clock.now())) output.print(text);
    return 0;
  },
});

/** Lets a device in, or shows which one asked last: what is approved is what was looked at. */
export const devicesApprove = command({
  path: ["devices", "approve"],
  summary: "Let a device in that asks to be paired.",
  positionals: [{ ...requestId, optional: true }],
  options: { latest: { description: "Show the newest request, without approving it." }, ...clientOptions },
  examples: [
    { command: "devices approve", description: "Who asked last, and what for." },
    { command: "devices approve <request>", description: "With an id from `devices list`." },
  ],
  run: (context) =>
    context.args[0] === undefined || context.options.latest
      ? newest(context)
      : change(context, "device.pair.approve", { requestId: first(context) }, `Approved ${first(context)}.`),
});

/** Turns a device away. */
export const devicesReject = command({
  path: ["devices", "reject"],
  summary: "Turn away a device that asks to be paired.",
  positionals: [requestId],
  options: clientOptions,
  examples: [{ command: "devices reject <request>", description: "With an id from `devices list`." }],
  run: (context) => change(context, "device.pair.reject", { requestId: first(context) }, `Rejected ${first(context)}.`),
});

/** Forgets a device and ends its connections. */
export const devicesRemove = command({
  path: ["devices", "remove"],
  summary: "Forget a paired device and end its connections.",
  positionals: [deviceId],
  options: clientOptions,
  examples: [{ command: "devices remove <device>", description: "With an id from `devices list`." }],
  run: (context) => change(context, "device.pair.remove", { deviceId: first(context) }, `Removed ${first(context)}.`),
});

/** Gives a device a name to recognise it by. */
export const devicesRename = command({
  path: ["devices", "rename"],
  summary: "Give a paired device a name.",
  positionals: [deviceId, { name: "label", description: "Its new name." }],
  options: clientOptions,
  examples: [{ command: 'devices rename <device> "Kitchen tablet"', description: "A name to recognise it by." }],
  run(context) {
    const label = context.args[1] ?? "";
    return change(context, "device.pair.rename", { deviceId: first(context), label }, `Renamed it to ${label}.`);
  },
});

/** Replaces a device's token; its connections with the old one end. */
export const devicesRotate = command({
  path: ["devices", "rotate"],
  summary: "Replace a device's token and end its connections with the old one.",
  positionals: [optionalDevice],
  options: {
    device,
    role,
    scope: { value: "<scope>", description: "A scope of the new token; as before when none is given.", repeated: true },
    scopes: { value: "<list>", description: "The same, with commas between.", repeated: true },
    ...clientOptions,
  },
  examples: [
    { command: "devices rotate <device> --scope operator.read", description: "A token that may only read." },
    { command: "devices rotate <device> --scopes operator.read,operator.write", description: "Several scopes." },
  ],
  run(context) {
    const { role, scope, scopes: list } = context.options;
    const wanted = [scope, list].flatMap((given) => given?.split(",") ?? []);
    const params = {
      deviceId: deviceOf(context),
      role,
      ...(wanted.length === 0 ? {} : { scopes: wanted }),
    };
    return change(context, "device.token.rotate", params, `Rotated the ${role} token of ${params.deviceId}.`);
  },
});

/** Takes a device's token away; it must be approved again. */
export const devicesRevoke = command({
  path: ["devices", "revoke"],
  summary: "Take away a device's token and end its connections.",
  positionals: [optionalDevice],
  options: { device, role, ...clientOptions },
  examples: [
    { command: "devices revoke <device> --role node", description: "As a node; what it may do as an operator stays." },
  ],
  run(context) {
    const params = { deviceId: deviceOf(context), role: context.options.role };
    return change(context, "device.token.revoke", params, `Revoked the ${params.role} token of ${params.deviceId}.`);
  },
});

type Context = ReachContext & { readonly args: readonly string[] };

function first({ args }: Context): string {
  return args[0] ?? "";
}

function deviceOf(context: Context & { readonly options: { readonly device: string | undefined } }): string {
  const given = context.args[0] ?? context.options.device;
  if (given === undefined) throw new Failure("usage", `no device given: see ${context.program} devices list`);
  return given;
}

/** Approving whatever is newest would let in whoever asked a moment before: its id must be typed. */
async function newest(context: Context): Promise<number> {
  const { output, host, program } = context;
  const list = await ask(context, "device.pair.list", {}, { scopes });
  const [latest] = [...list.pending].sort((a, b) => (numberAt(b, "ts") ?? 0) - (numberAt(a, "ts") ?? 0));
  if (output.json) output.data({ request: latest ?? null });
  else if (latest === undefined) output.print("Nobody waits to be paired.");
  else {
    output.print(columns([requestHead, requestRow(latest, host.clock.now())]));
    output.print(`\nLet it in: ${program} devices approve ${textAt(latest, "requestId") ?? "-"}`);
  }
  return latest === undefined ? 0 : 1;
}

const requestHead = ["Request", "Device", "Role", "Scopes", "From", "Asked"];

function requestRow(request: unknown, now: number): readonly string[] {
  return [
    textAt(request, "requestId") ?? "-",
    textAt(request, "displayName") ?? textAt(request, "clientId") ?? "-",
    textAt(request, "role") ?? "-",
    wordsAt(request, "scopes"),
    textAt(request, "remoteIp") ?? "-",
    ago(now, numberAt(request, "ts")),
  ];
}

async function change<N extends MethodName>(
  context: Context,
  method: N,
  params: ParamsOf<N>,
  done: string,
): Promise<number> {
  try {
    const answer = await decide(context, method, params);
    if (context.output.json) context.output.data(answer);
    else context.output.print(`✓ ${done}`);
    return 0;
  } catch (error) {
    const failure = Failure.from(error);
    if (!failure.message.startsWith("unknown ")) throw failure;
    const hints = [`See: ${context.program} devices list`];
    throw new Failure(failure.code, `${failure.message}: ${first(context)}`, { details: failure.details, hints });
  }
}

/** Nobody decides about more than they hold: where pairing alone is not enough, the owner's full rights are asked for. */
async function decide<N extends MethodName>(context: Context, method: N, params: ParamsOf<N>): Promise<unknown> {
  try {
    return await ask(context, method, params, { scopes });
  } catch (error) {
    if (!Failure.from(error).message.endsWith(" denied")) throw error;
    return ask(context, method, params, { scopes: ["operator.admin"] });
  }
}

function tables(list: unknown, now: number): readonly string[] {
  const pending = listAt(list, "pending").map((request) => requestRow(request, now));
  const paired = listAt(list, "paired").map((device) => [
    textAt(device, "deviceId") ?? "-",
    textAt(device, "label") ?? textAt(device, "displayName") ?? textAt(device, "clientId") ?? "-",
    wordsAt(device, "roles"),
    wordsAt(device, "scopes"),
    ago(now, numberAt(device, "lastSeenAtMs")),
  ]);
  const waiting = pending.length === 0 ? [] : [`Pending (${pending.length})`, columns([requestHead, ...pending]), ""];
  const known = paired.length === 0 ? [] : [columns([["Device", "Name", "Roles", "Scopes", "Seen"], ...paired])];
  return [...waiting, `Paired (${paired.length})`, ...known];
}
