import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import { parseJson } from "../kit/json.ts";
import type { Logger } from "../kit/log.ts";
import type { Attachment, Inbound } from "./channel.ts";
import { fitting } from "./channel-webhook.ts";
import type { Cloud } from "./whatsapp-cloud.ts";

export interface Reading {
  readonly phoneNumberId: string;
  readonly cloud: Cloud;
  readonly log: Logger;
}

/** The messages to our number in a body, and Meta's numbers for why messages of ours were not delivered. */
export function messagesOf(
  body: string,
  { phoneNumberId, cloud, log }: Reading,
): { readonly messages: readonly Inbound[]; readonly failures: readonly (number | undefined)[] } {
  const parsed = v.safeParse(bodySchema, parseJson(body));
  if (!parsed.success) throw new Failure("invalid-request", "the body is no notice of WhatsApp");
  const changes = parsed.output.entry.flatMap((entry) => entry.changes).filter(({ field }) => field === "messages");
  // An app tells the same address of all its numbers.
  const ours = fitting(
    valueSchema,
    changes.map((change) => change.value),
    log,
  ).filter(({ metadata }) => metadata.phone_number_id === phoneNumberId);
  return {
    messages: ours.flatMap(({ messages, contacts }) =>
      fitting(messageSchema, messages, log)
        .filter(({ type }) => !ignored.has(type))
        .map((message) => inboundOf(message, { name: nameOf(message.from, contacts), cloud })),
    ),
    failures: ours.flatMap(({ statuses }) =>
      statuses.flatMap(({ status, errors = [] }) => (status === "failed" ? [errors[0]?.code] : [])),
    ),
  };
}

/** What is no message to be answered. */
const ignored: ReadonlySet<string> = new Set(["reaction", "system", "unsupported", "request_welcome", "ephemeral"]);

function inboundOf(message: Message, { name, cloud }: { name: string | undefined; cloud: Cloud }): Inbound {
  const { from, context } = message;
  const quoted = context?.id === undefined ? {} : { quoted: { id: context.id, sender: context.from } };
  return {
    id: message.id,
    peer: { kind: "direct", id: from, name },
    sender: { id: from, name, aliases: [`+${from}`] },
    text: textOf(message),
    attachments: attachmentsOf(message, cloud),
    mentioned: false,
    ...quoted,
    to: { to: from },
    at: message.timestamp * 1000,
  };
}

function textOf({ text, button, interactive, location, contacts, ...files }: Message): string {
  const choice = interactive?.button_reply ?? interactive?.list_reply;
  const caption = files.image?.caption ?? files.video?.caption ?? files.document?.caption;
  const place = location && [location.name, location.address, `${location.latitude}, ${location.longitude}`];
  const card = contacts?.map((contact) =>
    [contact.name?.formatted_name, ...(contact.phones ?? []).map(({ phone }) => phone)].filter(Boolean).join(" "),
  );
  const shared = place ? `[location] ${place.filter(Boolean).join(", ")}` : card && `[contact] ${card.join("; ")}`;
  return text?.body ?? button?.text ?? choice?.title ?? caption ?? shared ?? "";
}

function attachmentsOf(message: Message, cloud: Cloud): readonly Attachment[] {
  const { image, sticker, audio, video, document } = message;
  const files = [
    ["image", image ?? sticker],
    ["audio", audio],
    ["video", video],
    ["file", document],
  ] as const;
  return files.flatMap(([kind, file]) => {
    if (!file) return [];
    const { id, mime_type: mimeType, filename: fileName } = file;
    return [{ kind, mimeType, fileName, load: (options) => cloud.load(id, options) } satisfies Attachment];
  });
}

function nameOf(from: string, contacts: v.InferOutput<typeof valueSchema>["contacts"]): string | undefined {
  return contacts.find((contact) => contact.wa_id === from)?.profile?.name;
}

const number = v.pipe(v.string(), v.regex(/^\d{5,20}$/));
const id = v.pipe(v.string(), v.minLength(1), v.maxLength(512));
const file = v.looseObject({
  id,
  mime_type: v.optional(v.string()),
  filename: v.optional(v.string()),
  caption: v.optional(v.string()),
});
const choice = v.optional(v.looseObject({ title: v.string() }));

const messageSchema = v.looseObject({
  from: number,
  id,
  timestamp: v.pipe(v.string(), v.regex(/^\d{1,12}$/), v.transform(Number)),
  type: v.string(),
  text: v.optional(v.looseObject({ body: v.string() })),
  button: v.optional(v.looseObject({ text: v.string() })),
  interactive: v.optional(v.looseObject({ button_reply: choice, list_reply: choice })),
  location: v.optional(
    v.looseObject({
      latitude: v.number(),
      longitude: v.number(),
      name: v.optional(v.string()),
      address: v.optional(v.string()),
    }),
  ),
  contacts: v.optional(
    v.array(
      v.looseObject({
        name: v.optional(v.looseObject({ formatted_name: v.optional(v.string()) })),
        phones: v.optional(v.array(v.looseObject({ phone: v.optional(v.string()) }))),
      }),
    ),
  ),
  image: v.optional(file),
  sticker: v.optional(file),
  audio: v.optional(file),
  video: v.optional(file),
  document: v.optional(file),
  context: v.optional(v.looseObject({ id: v.optional(id), from: v.optional(v.string()) })),
});

type Message = v.InferOutput<typeof messageSchema>;

const valueSchema = v.looseObject({
  metadata: v.looseObject({ phone_number_id: v.string() }),
  contacts: v.optional(
    v.array(v.looseObject({ wa_id: v.string(), profile: v.optional(v.looseObject({ name: v.optional(v.string()) })) })),
    [],
  ),
  messages: v.optional(v.array(v.unknown()), []),
  statuses: v.optional(
    v.array(
      v.looseObject({
        status: v.string(),
        errors: v.optional(v.array(v.looseObject({ code: v.optional(v.number()) }))),
      }),
    ),
    [],
  ),
});

const bodySchema = v.looseObject({
  object: v.literal("whatsapp_business_account"),
  entry: v.array(v.looseObject({ changes: v.array(v.looseObject({ field: v.string(), value: v.unknown() })) })),
});
