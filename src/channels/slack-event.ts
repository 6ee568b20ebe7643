import * as v from "valibot";

/** What somebody did in Slack that is a message to us, in Slack's own words: ids for people, mrkdwn for text. */
export interface SlackNews {
  readonly id: string;
  readonly channel: string;
  /** Undefined where the event does not say. */
  readonly chat: "direct" | "group" | "channel" | undefined;
  readonly user: string;
  readonly isBot: boolean;
  readonly text: string;
  readonly thread?: string | undefined;
  /** Who began the thread. */
  readonly parentUser?: string | undefined;
  readonly team?: string | undefined;
  readonly files: readonly SlackFile[];
  readonly command: boolean;
  readonly at: number;
}

/** Who we are in a workspace: our messages come back to us under either id. */
export interface SlackSelf {
  readonly userId: string;
  readonly botId?: string | undefined;
}

/**
 * Reads a payload of the Events API, a slash command or an interaction; undefined when it is no message of somebody else,
 * `garbled` when it should be one. A command of the app's own name, such as `/clawd`, is what stands behind it.
 */
export function readNews(
  kind: string,
  payload: unknown,
  { self, commandName, now }: { self: SlackSelf; commandName: string; now: number },
): SlackNews | "garbled" | undefined {
  if (kind === "events_api") return readMessage(payload, self);
  if (kind === "slash_commands") return readCommand(payload, commandName, now);
  return kind === "interactive" ? readAction(payload) : undefined;
}

/** A message in a channel that names us comes as `message` and as `app_mention`: both have the time that is its id. */
function readMessage(payload: unknown, self: SlackSelf): SlackNews | "garbled" | undefined {
  if (!v.is(messageShape, payload)) return undefined;
  const parsed = v.safeParse(callbackShape, payload);
  if (!parsed.success) return "garbled";
  const { event, team_id: team } = parsed.output;
  const { subtype, user = event.bot_id, thread_ts: thread, bot_id: botId } = event;
  if (user === undefined || user === "" || (subtype !== undefined && !taken.has(subtype))) return undefined;
  if (user === self.userId || (botId !== undefined && botId === self.botId)) return undefined;
  return {
    id: event.ts,
    channel: event.channel,
    chat: event.channel_type === undefined ? undefined : chatOf(event.channel, event.channel_type),
    user,
    isBot: botId !== undefined,
    text: event.text ?? "",
    thread: thread === event.ts ? undefined : thread,
    parentUser: event.parent_user_id,
    team,
    files: event.files ?? [],
    command: false,
    at: Math.round(Number(event.ts) * 1000),
  };
}

function readCommand(payload: unknown, commandName: string, now: number): SlackNews | "garbled" {
  const parsed = v.safeParse(commandShape, payload);
  if (!parsed.success) return "garbled";
  const { trigger_id: id, channel_id: channel, channel_name: name, user_id: user, team_id: team } = parsed.output;
  const { command, text = "" } = parsed.output;
  const words = command === `/${commandName}` ? text : `${command} ${text}`.trim();
  const chat = chatOf(channel, name);
  return { id, channel, chat, user, isBot: false, text: words, team, files: [], command: true, at: now };
}

/** A button or a menu says what it stands for. */
function readAction(payload: unknown): SlackNews | "garbled" | undefined {
  if (!v.is(v.looseObject({ type: v.literal("block_actions") }), payload)) return undefined;
  const parsed = v.safeParse(actionShape, payload);
  if (!parsed.success) return "garbled";
  const { actions, channel, user, container, team, trigger_id: id } = parsed.output;
  const [action] = actions;
  const text = action?.value ?? action?.selected_option?.value;
  if (action === undefined || text === undefined) return undefined;
  const at = Math.round(Number(action.action_ts) * 1000);
  const place = { channel: channel.id, chat: chatOf(channel.id, channel.name), thread: container?.thread_ts };
  return { id, ...place, user: user.id, isBot: false, text, team: team?.id, files: [], command: true, at };
}

/** By its type where it has one, or by the name that Slack gives to conversations without one. */
function chatOf(channel: string, type: string | undefined): NonNullable<SlackNews["chat"]> {
  if (channel.startsWith("D") || type === "im") return "direct";
  return type === "mpim" || type?.startsWith("mpdm-") === true ? "group" : "channel";
}

/** Other subtypes tell of changes, deletions, and who joined. */
const taken: ReadonlySet<string> = new Set(["bot_message", "file_share", "thread_broadcast", "me_message"]);

const channelId = v.pipe(v.string(), v.regex(/^[A-Z][A-Z0-9]{1,30}$/));
const timestamp = v.pipe(v.string(), v.regex(/^\d{1,12}\.\d{1,9}$/));
const person = v.pipe(v.string(), v.regex(/^[A-Z][A-Z0-9]{1,30}$/));

const fileShape = v.looseObject({
  name: v.optional(v.nullable(v.string())),
  mimetype: v.optional(v.string()),
  size: v.optional(v.number()),
  mode: v.optional(v.string()),
  url_private_download: v.optional(v.string()),
  url_private: v.optional(v.string()),
});
export type SlackFile = v.InferOutput<typeof fileShape>;

const messageShape = v.looseObject({ event: v.looseObject({ type: v.picklist(["message", "app_mention"]) }) });

const callbackShape = v.looseObject({
  team_id: v.optional(v.string()),
  event: v.looseObject({
    channel: channelId,
    channel_type: v.optional(v.string()),
    ts: timestamp,
    thread_ts: v.optional(timestamp),
    parent_user_id: v.optional(v.string()),
    subtype: v.optional(v.string()),
    user: v.optional(person),
    bot_id: v.optional(person),
    text: v.optional(v.string()),
    files: v.optional(v.pipe(v.array(fileShape), v.maxLength(100))),
  }),
});

const commandShape = v.looseObject({
  command: v.string(),
  text: v.optional(v.string()),
  user_id: person,
  channel_id: channelId,
  channel_name: v.optional(v.string()),
  team_id: v.optional(v.string()),
  trigger_id: v.pipe(v.string(), v.minLength(1), v.maxLength(200)),
});

const actionShape = v.looseObject({
  trigger_id: v.pipe(v.string(), v.minLength(1), v.maxLength(200)),
  user: v.looseObject({ id: person }),
  team: v.optional(v.looseObject({ id: v.string() })),
  channel: v.looseObject({ id: channelId, name: v.optional(v.string()) }),
  container: v.optional(v.looseObject({ thread_ts: v.optional(timestamp) })),
  actions: v.array(
    v.looseObject({
      action_ts: timestamp,
      value: v.optional(v.string()),
      selected_option: v.optional(v.nullable(v.looseObject({ value: v.string() }))),
    }),
  ),
});
