import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import { keepConnected } from "./channel-connection.ts";
import { needed } from "./channel-needs.ts";
import { tellOfNames } from "./channel-people.ts";
import { createRecent } from "./channel-recent.ts";
import { channel, type Channel, type ChannelContext, type Inbound, type Self, type Target } from "./channel.ts";
import { matrixApi } from "./matrix-api.ts";
import { readEvent, type MatrixNews } from "./matrix-event.ts";
import { signIn, signOut } from "./matrix-login.ts";
import { matrixRooms } from "./matrix-rooms.ts";
import { matrixSender } from "./matrix-send.ts";
import { aliasesIn, matrixPolicy, matrixSettings, type MatrixSettings } from "./matrix-settings.ts";
import { follow, type Invitation, type MatrixBatch } from "./matrix-sync.ts";

/** Matrix, by the client-server API of any homeserver. Encrypted rooms cannot be read. */
export const matrix = channel({
  id: "matrix",
  label: "Matrix",
  settings: matrixSettings,
  credentials: [
    {
      key: "homeserver",
      variable: "MATRIX_HOMESERVER",
      public: true,
      help: "The address of the homeserver, such as https://matrix.example.org.",
    },
    {
      key: "accessToken",
      variable: "MATRIX_ACCESS_TOKEN",
      optional: true,
      help: "An access token of the bot's account; or leave it out, and give userId and password.",
    },
    {
      key: "userId",
      variable: "MATRIX_USER_ID",
      optional: true,
      public: true,
      help: "The bot's account, such as @bot:example.org; not needed with an access token.",
    },
    {
      key: "password",
      variable: "MATRIX_PASSWORD",
      optional: true,
      help: "The password of the bot's account; not needed with an access token.",
    },
  ],
  abilities: { chats: ["direct", "channel", "thread"], media: true, reactions: true, edit: true, typing: true },
  policy: (settings) => matrixPolicy(settings, new Map()),
  target: readTarget,
  open: async (settings, context) => openMatrix(settings, context),
});

/** A message has 65,536 bytes at most, in which it stands twice: as text, and as HTML. */
const MAX_TEXT = 4000;
const MAX_REMEMBERED = 2000;

function openMatrix(settings: MatrixSettings, given: ChannelContext): Channel {
  const wanted = settings.accessToken ? ["homeserver" as const] : (["homeserver", "userId", "password"] as const);
  needed(settings, wanted, { id: "matrix", label: "Matrix" });
  const ending = new AbortController();
  const context = { ...given, signal: AbortSignal.any([given.signal, ending.signal]) };
  const { log } = context;
  const api = matrixApi(context, settings.homeserver ?? "");
  const rooms = matrixRooms(context, api);
  const names = createRecent<string>(MAX_REMEMBERED);
  const unreadable = createRecent<true>(MAX_REMEMBERED);
  let aliases: ReadonlyMap<string, string> = new Map();
  let policy = matrixPolicy(settings, aliases);
  let self: Self | undefined;
  tellOfNames(log, policy, (id) => /^@[^:\s]+:\S+$/.test(id));

  async function whoWeAre(signal?: AbortSignal): Promise<Self> {
    const { user_id: id } = await api.call("v3/account/whoami", selfShape, signal ? { signal } : {});
    return (self = { id });
  }

  async function lookUpAliases(): Promise<void> {
    const found = new Map<string, string>();
    for (const alias of aliasesIn(settings))
      await rooms.resolve(alias).then(
        (id) => found.set(alias, id),
        (error: unknown) => log.warn("a room of the settings is not to be found", { alias, reason: reasonOf(error) }),
      );
    aliases = found;
    policy = matrixPolicy(settings, found);
  }

  async function accept({ roomId, inviter, isDirect }: Invitation): Promise<void> {
    const { autoJoin, autoJoinAllowlist = [] } = settings;
    const listed = [roomId, inviter].some((id) =>
      autoJoinAllowlist.some((each) => each === id || aliases.get(each) === id),
    );
    if (autoJoin === "off" || (autoJoin === "allowlist" && !listed))
      return log.info("an invitation was left alone, as autoJoin says", { room: roomId, inviter });
    try {
      await api.call(`v3/join/${encodeURIComponent(roomId)}`, v.unknown(), { method: "POST", json: {} });
      if (isDirect) await rooms.mark(roomId, inviter);
      log.info("joined a room", { room: roomId, inviter });
    } catch (error) {
      // Told again when there were too many; a room that cannot be joined must not hold up all others.
      if (Failure.from(error).code === "rate-limited") throw error;
      log.warn("an invitation could not be accepted", { room: roomId, inviter, reason: reasonOf(error) });
    }
  }

  async function hear(own: string, batch: MatrixBatch): Promise<void> {
    if (batch.marks !== undefined) rooms.marked(batch.marks);
    for (const invitation of batch.invitations) await accept(invitation);
    for (const { roomId, events, changed, names: told } of batch.rooms) {
      if (changed) rooms.changed(roomId);
      for (const [id, name] of told) names.set(id, name);
      for (const event of events) await hearOne(roomId, readEvent(event, own));
    }
  }

  async function hearOne(roomId: string, news: ReturnType<typeof readEvent>): Promise<void> {
    if (news === undefined) return;
    if (news === "garbled") return log.warn("a message that cannot be read was skipped", { room: roomId });
    if (news !== "encrypted") return context.receive(await inboundOf(roomId, news));
    if (unreadable.get(roomId)) return;
    unreadable.set(roomId, true);
    log.warn("a room is encrypted, and cannot be read: use one without encryption", { room: roomId });
  }

  async function inboundOf(roomId: string, news: MatrixNews): Promise<Inbound> {
    const { id, sender, text, thread, answers, file, at } = news;
    const isDirect = await rooms.isDirect(roomId);
    const quoted = answers === undefined ? undefined : await quote(roomId, answers);
    const answerIn = { off: undefined, inbound: thread, always: thread ?? id }[settings.threadReplies];
    const name = names.get(sender);
    return {
      id,
      peer: isDirect ? { kind: "direct", id: sender, name } : { kind: "channel", id: roomId },
      ...(answerIn === undefined || isDirect ? {} : { thread: { kind: "thread" as const, id: answerIn } }),
      sender: { id: sender, name },
      text,
      attachments: file && [
        {
          kind: file.kind,
          mimeType: file.mimeType,
          fileName: file.name,
          size: file.size,
          load: (o) => api.fetch(file.mxc, o),
        },
      ],
      mentioned: news.mentioned || (quoted?.sender !== undefined && quoted.sender === self?.id),
      ...(quoted === undefined ? {} : { quoted }),
      to: answerIn === undefined ? { to: roomId } : { to: roomId, thread: answerIn },
      at,
    };
  }

  /** A message that cannot be had is named by its id alone. */
  async function quote(roomId: string, id: string): Promise<NonNullable<Inbound["quoted"]>> {
    const path = `v3/rooms/${encodeURIComponent(roomId)}/event/${encodeURIComponent(id)}`;
    try {
      const { sender, content } = await api.call(path, quotedShape);
      return { id, sender, text: content.body };
    } catch (error) {
      if (["rate-limited", "aborted"].includes(Failure.from(error).code)) throw error;
      return { id };
    }
  }

  const running = keepConnected(context, async (attempt) => {
    try {
      await signIn(context, api, settings);
      const own = await whoWeAre();
      await rooms.begin(own.id);
      await lookUpAliases();
      await follow(context, api, {
        self: own.id,
        ready: () => attempt.ready(own),
        heard: (batch) => hear(own.id, batch),
      });
    } catch (error) {
      if (Failure.from(error).code !== "unauthorized" || !(await signOut(context, settings))) throw error;
      throw new Failure("unavailable", "the session has ended: a new one is made", { cause: error });
    }
  });

  return {
    maxText: MAX_TEXT,
    get policy() {
      return policy;
    },
    ...matrixSender({ api, rooms, self: async () => (self ?? (await whoWeAre())).id }),
    probe: whoWeAre,
    async close() {
      ending.abort();
      await running;
    },
  };
}

/** `!room:example.org`, `#alias:example.org` or `@person:example.org`, with or without what it is before it. */
function readTarget(written: string): Target {
  const bare = written.trim().replace(/^matrix:/, "");
  const found = /^(?:(?:room|channel):(?=[!#])|user:(?=@))?([!#@][^\s:/?]{1,200}(?::[A-Za-z0-9.:[\]-]{1,200})?)$/.exec(
    bare,
  )?.[1];
  // Ids of rooms may lack a server (room version 12); people and aliases never do.
  if (found !== undefined && (found.startsWith("!") || found.includes(":"))) return { to: found };
  throw new Failure(
    "invalid-request",
    `${JSON.stringify(written.slice(0, 100))} is no recipient in Matrix: write !room:example.org, #alias:example.org or @person:example.org`,
  );
}

function reasonOf(error: unknown): string {
  return Failure.from(error).message;
}

const selfShape = v.looseObject({ user_id: v.pipe(v.string(), v.startsWith("@")) });
const quotedShape = v.looseObject({
  sender: v.string(),
  content: v.looseObject({ body: v.optional(v.string()) }),
});
