import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import type { Target } from "./channel.ts";
import { withIds } from "./channel-people.ts";
import { commonSettings, type Policy, policyOf } from "./channel-policy.ts";

const text = v.string("a text in quotes");
const flag = (otherwise: boolean) => v.optional(v.boolean("true or false"), otherwise);

export const signalSettings = v.looseObject({
  ...commonSettings,
  account: v.pipe(
    v.optional(v.pipe(text, v.regex(/^\+\d{5,17}$/, "a phone number such as +15551234567"))),
    v.description("Our own phone number, as signal-cli knows it."),
  ),
  httpUrl: v.pipe(
    v.optional(v.pipe(text, v.url("an address such as http://127.0.0.1:8080"))),
    v.description("A signal-cli daemon that runs already; it is then not started by us."),
  ),
  httpHost: v.pipe(v.optional(text, "127.0.0.1"), v.description("Where the daemon that we start listens.")),
  httpPort: v.pipe(
    v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535)), 8080),
    v.description("Its port."),
  ),
  cliPath: v.pipe(v.optional(text, "signal-cli"), v.description("The program signal-cli.")),
  autoStart: v.pipe(
    v.optional(v.boolean("true or false")),
    v.description("Whether we start signal-cli; unless given, when there is no httpUrl."),
  ),
  startupTimeoutMs: v.pipe(
    v.optional(v.pipe(v.number(), v.integer(), v.minValue(1000), v.maxValue(120_000)), 30_000),
    v.description("How long the daemon that we start may take until it answers."),
  ),
  receiveMode: v.pipe(
    v.optional(v.picklist(["on-connection", "on-start"]), "on-connection"),
    v.description(
      "When signal-cli takes messages from Signal. With on-start, those that come while nobody listens to it are lost.",
    ),
  ),
  ignoreAttachments: v.pipe(flag(false), v.description("Whether files are left where they are.")),
  ignoreStories: v.pipe(flag(true), v.description("Whether stories are no messages.")),
  sendReadReceipts: v.pipe(flag(false), v.description("Whether people are shown that we have read what they wrote.")),
});

export type SignalSettings = v.InferOutput<typeof signalSettings>;

/** Phone numbers however they were written, and ids of people as `uuid:…`, as they stand in messages. */
export function signalPolicy(settings: SignalSettings): Policy {
  return withIds(policyOf(settings), { person: personOf, room: (id) => id.replace(/^(signal:)?group:/i, "") });
}

const uuidForm = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

function personOf(written: string): string {
  const id = written.trim().replace(/^signal:/i, "");
  const bare = id.replace(/^uuid:/i, "");
  if (uuidForm.test(bare)) return `uuid:${bare.toLowerCase()}`;
  const number = id.replaceAll(/[\s().-]/g, "");
  return /^\+\d+$/.test(number) ? number : id;
}

export function signalTarget(written: string): Target {
  const id = written.trim().replace(/^signal:/i, "");
  const [, group] = /^group:([A-Za-z0-9+/_=-]{16,128})$/i.exec(id) ?? [];
  if (group !== undefined) return { to: `group:${group}` };
  const [, username] = /^(?:username|u):([A-Za-z_][\w]{2,31}\.\d{2,9})$/i.exec(id) ?? [];
  if (username !== undefined) return { to: `username:${username}` };
  const person = personOf(id);
  if (/^\+\d{5,17}$/.test(person) || /^uuid:[0-9a-f-]{36}$/.test(person)) return { to: person };
  throw new Failure(
    "invalid-request",
    `${JSON.stringify(written.slice(0, 64))} is no recipient in Signal: write +15551234567, uuid:…, username:name.01 or group:…`,
  );
}

/** How signal-cli is told of a recipient. */
export function recipientOf({ to }: Target): Readonly<Record<string, unknown>> {
  if (to.startsWith("group:")) return { groupId: to.slice("group:".length) };
  if (to.startsWith("username:")) return { username: [to.slice("username:".length)] };
  return { recipient: [to.replace(/^uuid:/, "")] };
}
