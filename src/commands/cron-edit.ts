import { ahead, scheduleOf } from "../cli/cron-view.ts";
import { clientOptions } from "../cli/options.ts";
import { numberAt, textAt } from "../cli/pick.ts";
import { ask, type ReachContext } from "../cli/reach.ts";
import type { ParamsOf } from "../client/typed.ts";
import { exit, Failure } from "../kit/error.ts";
import { thinkingLevels } from "../providers/provider.ts";
import { command, type CommandContext, type OptionTable, type OptionValues } from "./command.ts";

const admin = { scopes: ["operator.admin"] };

const jobOptions = {
  name: { value: "<name>", description: "What people know it by." },
  description: { value: "<text>", description: "More on it." },
  at: {
    value: "<when>",
    description: "Once: a time such as 2026-12-24T18:00 (UTC without a zone), or a span such as 20m.",
  },
  every: { value: "<span>", description: "Again and again: a span such as 10m, 2h or 1d." },
  cron: { value: "<expr>", description: "By a cron expression of 5 fields, or 6 with seconds first." },
  tz: { value: "<zone>", description: "The time zone of --cron, such as Europe/Vienna; the gateway's when not given." },
  "system-event": { value: "<text>", description: "Tell the main session this." },
  message: { value: "<text>", description: "Ask the agent this, in a session of the job's own." },
  session: {
    value: "<target>",
    description: "Where it happens, main or isolated; follows from what it does.",
    choices: ["main", "isolated"],
  },
  wake: {
    value: "<mode>",
    description: "Tell the main session at once, or with its next turn.",
    choices: ["now", "next-heartbeat"],
  },
  agent: { value: "<id>", description: "The agent; the default one when not given." },
  model: { value: "<model>", description: "Ask this model, as provider/model." },
  thinking: { value: "<level>", description: "How hard it thinks.", choices: thinkingLevels },
  "timeout-seconds": { value: "<s>", description: "Longest run.", number: { min: 1, max: 86_400 } },
  announce: { description: "Send the answer to a chat: --channel and --to, or where the main session last spoke." },
  "no-deliver": { description: "Tell nobody; `cron runs` has what became of it." },
  channel: { value: "<network>", description: "The chat network to send the answer to; last is where it last spoke." },
  to: { value: "<whom>", description: "Whom to send it to in that network." },
  account: { value: "<id>", description: "The account of that network to send it by." },
  "delete-after-run": { description: "Remove it when it has run; so is what runs once." },
  "keep-after-run": { description: "Keep it when it has run." },
} as const satisfies OptionTable;

/** Makes a job. */
export const cronAdd = command({
  path: ["cron", "add"],
  summary: "Schedule a job.",
  options: { ...jobOptions, disabled: { description: "Make it without switching it on." }, ...clientOptions },
  examples: [
    { command: 'cron add --name tea --at 20m --system-event "Tea is ready"', description: "A reminder in 20 minutes." },
    {
      command:
        'cron add --name brief --cron "0 7 * * 1-5" --tz Europe/Vienna --message "What is new today?" --announce',
      description: "A question each working day, its answer sent to the last chat.",
    },
  ],
  async run(context) {
    const { options, host, output } = context;
    const schedule = scheduleOf(options, host.clock.now());
    const payload = payloadOf(options);
    if (options.name === undefined) throw new Failure("usage", "--name is missing: what people know the job by");
    if (!schedule) throw new Failure("usage", "the time is missing: give --at, --every or --cron");
    if (!payload) throw new Failure("usage", "what to do is missing: give --message or --system-event");
    const params: ParamsOf<"cron.add"> = {
      ...commonOf(options),
      name: options.name,
      schedule,
      payload,
      sessionTarget: options.session ?? targetOf(payload),
      wakeMode: options.wake ?? "now",
      enabled: !options.disabled,
      delivery:
        deliveryOf(options) ?? (payload.kind === "agentTurn" ? { mode: "announce", channel: "last" } : undefined),
    };
    const job = await inOptions(ask(context, "cron.add", params, admin));
    if (output.json) output.data(job);
    else output.print(`✓ Added ${textAt(job, "name") ?? ""} (${textAt(job, "id") ?? ""})${nextOf(context, job)}.`);
    return exit.ok;
  },
});

/** Changes a job: what is not given stays. */
export const cronEdit = command({
  path: ["cron", "edit"],
  summary: "Change a job; what is not given stays.",
  positionals: [{ name: "id", description: "The job's id, from `cron list`." }],
  options: { ...jobOptions, ...clientOptions },
  examples: [{ command: "cron edit <id> --every 30m", description: "Run it at another interval." }],
  async run(context) {
    const { options, host, output, args } = context;
    const schedule = scheduleOf(options, host.clock.now());
    const payload = payloadOf(options);
    const sessionTarget = options.session ?? (payload && targetOf(payload));
    const patch: ParamsOf<"cron.update">["patch"] = {
      ...commonOf(options),
      ...(options.name === undefined ? {} : { name: options.name }),
      ...(schedule ? { schedule } : {}),
      ...(payload ? { payload } : {}),
      ...(sessionTarget ? { sessionTarget } : {}),
      ...(options.wake ? { wakeMode: options.wake } : {}),
      ...definedDelivery(options),
    };
    if (Object.keys(patch).length === 0) throw new Failure("usage", "there is nothing to change: give what is to be");
    const job = await inOptions(ask(context, "cron.update", { id: args[0], patch }, admin));
    if (output.json) output.data(job);
    else output.print(`✓ Changed ${textAt(job, "name") ?? ""}${nextOf(context, job)}.`);
    return exit.ok;
  },
});

/** What the gateway says of a job by the names of the wire, said by those of the options. */
const optionOf: Readonly<Record<string, string>> = {
  "schedule.at": "--at",
  "schedule.everyMs": "--every",
  "schedule.expr": "--cron",
  "schedule.tz": "--tz",
  "payload.model": "--model",
  "payload.thinking": "--thinking",
  "delivery.channel": "--channel",
  "delivery.to": "--to",
  "delivery.accountId": "--account",
};

async function inOptions<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    const { code, message, details, retryable, retryAfterMs, hints } = Failure.from(error);
    const said = message.replace(/\b(schedule|payload|delivery)\.[A-Za-z]+/g, (name) => optionOf[name] ?? name);
    throw new Failure(code, said, { details, retryable, retryAfterMs, hints, cause: error });
  }
}

type Given = OptionValues<typeof jobOptions>;
type Payload = NonNullable<ParamsOf<"cron.add">["payload"]>;

function commonOf(given: Given) {
  const { description, agent } = given;
  if (given["delete-after-run"] && given["keep-after-run"])
    throw new Failure("usage", "--delete-after-run and --keep-after-run exclude each other");
  const isKept = given["keep-after-run"] ? { deleteAfterRun: false } : {};
  return {
    ...(description === undefined ? {} : { description }),
    ...(agent === undefined ? {} : { agentId: agent }),
    ...(given["delete-after-run"] ? { deleteAfterRun: true } : isKept),
  };
}

function payloadOf(given: Given): Payload | undefined {
  const { message, model, thinking } = given;
  const text = given["system-event"];
  const timeoutSeconds = given["timeout-seconds"];
  if (message !== undefined && text !== undefined)
    throw new Failure("usage", "--message and --system-event exclude each other: give one of them");
  if (text !== undefined) return { kind: "systemEvent", text };
  if (message !== undefined) return { kind: "agentTurn", message, model, thinking, timeoutSeconds };
  if (model !== undefined || thinking !== undefined || timeoutSeconds !== undefined)
    throw new Failure("usage", "--model, --thinking and --timeout-seconds go with --message: give that too");
  return undefined;
}

function targetOf({ kind }: Payload): "main" | "isolated" {
  return kind === "systemEvent" ? "main" : "isolated";
}

function deliveryOf(given: Given): ParamsOf<"cron.add">["delivery"] {
  const { channel, to, account } = given;
  const isNamed = given.announce || channel !== undefined || to !== undefined;
  if (isNamed && given["no-deliver"])
    throw new Failure("usage", "--no-deliver tells nobody: leave out --announce, --channel and --to");
  if (given["no-deliver"]) return { mode: "none" };
  return isNamed ? { mode: "announce", channel: channel ?? "last", to, accountId: account } : undefined;
}

function definedDelivery(given: Given) {
  const delivery = deliveryOf(given);
  return delivery ? { delivery } : {};
}

function nextOf({ host }: Pick<CommandContext, "host"> & ReachContext, job: unknown): string {
  const next = numberAt(job, "state", "nextRunAtMs");
  return next === undefined ? "" : `: runs ${ahead(next, host.clock.now())}`;
}
