import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import { channel, type Attachment, type ChannelContext, type Self, type Target } from "./channel.ts";
import { needed } from "./channel-needs.ts";
import type { RoomPolicy } from "./channel-policy.ts";
import { createRecent } from "./channel-recent.ts";
import { download } from "./channel-request.ts";
import { stayConnected } from "./discord-gateway.ts";
import { inboundOf, readMessage, type DiscordMessage, type Place } from "./discord-message.ts";
import { bareId, discordPolicy, discordPolicySettings, roomOf } from "./discord-policy.ts";
import { discordRest, type DiscordRest } from "./discord-rest.ts";
import { discordSender } from "./discord-send.ts";

const KNOWN = 2000;

/** Discord, as a bot: told of messages by the Gateway, and writing by the REST API. */
export const discord = channel({
  id: "discord",
  label: "Discord",
  settings: v.looseObject({
    ...discordPolicySettings,
    token: v.pipe(
      v.optional(
        v.pipe(
          v.string("a text in quotes"),
          v.transform((written) => written.trim().replace(/^Bot /, "")),
          v.regex(/^[\w-]{20,}\.[\w-]+\.[\w-]+$/, "a token, which is three parts with dots between them"),
        ),
      ),
      v.description("The token of the bot."),
    ),
    apiRoot: v.pipe(
      v.optional(
        v.pipe(v.string(), v.url("an address such as https://discord.com/api/v10")),
        "https://discord.com/api/v10",
      ),
      v.description("Where the REST API is."),
    ),
  }),
  credentials: [
    {
      key: "token",
      file: "tokenFile",
      variable: "DISCORD_BOT_TOKEN",
      help: "The token of your bot: https://discord.com/developers/applications, Bot, Reset Token; switch on Message Content Intent there.",
    },
  ],
  abilities: { chats: ["direct", "channel", "thread"], media: true, reactions: true, edit: true, typing: true },

  policy: (settings) => discordPolicy(settings),
  target,
  person: (id) => ({ to: `user:${id}` }),

  async open(settings, given) {
    const ending = new AbortController();
    const context = { ...given, signal: AbortSignal.any([given.signal, ending.signal]) };
    const { token } = needed(settings, ["token"], { id: "discord", label: "Discord" });
    if (!context.net.dial)
      throw new Failure("config", "Discord needs WebSockets, which there are none of where this gateway runs");
    for (const name of [...(settings.allowFrom ?? settings.dm?.allowFrom ?? []), ...(settings.groupAllowFrom ?? [])])
      if (!/^(?:\*|\d+)$/.test(bareId(name)))
        context.log.warn("a name lets nobody in, for anybody may take it: write the id that /whoami shows", { name });

    const rest = discordRest({ token, apiRoot: settings.apiRoot }, context);
    const sender = discordSender(rest);
    const places = createRecent<Place>(KNOWN);
    const rooms = createRecent<RoomPolicy>(KNOWN);
    let policy = discordPolicy(settings);

    /** What holds for a channel is found by its guild, which is known when somebody writes in it. */
    function meet(guildId: string, channelId: string): void {
      if (rooms.get(channelId)) return;
      const room = roomOf(settings, { guildId, channelId });
      if (!room) return;
      rooms.set(channelId, room);
      policy = discordPolicy(settings, rooms.entries());
    }

    async function placeOf({ guild_id, channel_id }: DiscordMessage): Promise<Place | undefined> {
      if (guild_id === undefined) return undefined;
      const place = places.get(channel_id) ?? (await lookUp(rest, channel_id));
      places.set(channel_id, place);
      meet(guild_id, place.parent?.id ?? channel_id);
      return place;
    }

    async function take({ type, data }: { readonly type: string; readonly data: unknown }, self: Self): Promise<void> {
      if (/^(?:CHANNEL|THREAD)_(?:UPDATE|DELETE)$/.test(type)) return forget(data);
      if (type !== "MESSAGE_CREATE") return;
      const message = readMessage(data);
      if (typeof message === "string")
        return context.log.warn("a message of Discord cannot be understood", { reason: message });
      if (!message || message.author.id === self.id) return;
      if (message.guild_id === undefined) sender.met(message.author.id, message.channel_id);
      const place = await placeOf(message);
      const inbound = inboundOf(message, { self, place, load: (url) => loader(url, context) });
      if (inbound) await context.receive(inbound);
    }

    /** It may have another name now, or be somewhere else. */
    function forget(data: unknown): void {
      const found = v.safeParse(v.looseObject({ id: v.string() }), data);
      if (found.success) places.set(found.output.id, undefined);
    }

    const ended = stayConnected({ context, rest, token, take });
    return {
      ...sender,
      maxText: 2000,
      get policy() {
        return policy;
      },
      probe: (signal) => rest.me(signal),
      async close() {
        ending.abort();
        await ended;
      },
    };
  },
});

const placeSchema = v.looseObject({ type: v.number(), name: v.nullish(v.string()), parent_id: v.nullish(v.string()) });
const threads = new Set([10, 11, 12]);

/** Asks what a channel is. One that we may read and not look at is taken for what it seems to be. */
async function lookUp(rest: DiscordRest, id: string): Promise<Place> {
  const ask = async (which: string): Promise<v.InferOutput<typeof placeSchema> | undefined> => {
    const answer = await rest.call("GET", `/channels/${which}`).catch((error: unknown) => {
      const failure = Failure.from(error);
      if (failure.code !== "forbidden" && failure.code !== "not-found") throw failure;
      return undefined;
    });
    const found = v.safeParse(placeSchema, answer);
    return found.success ? found.output : undefined;
  };
  const found = await ask(id);
  const name = found?.name ?? undefined;
  const parent = found && threads.has(found.type) ? found.parent_id : undefined;
  if (!parent || !/^\d+$/.test(parent)) return { name };
  return { name, parent: { id: parent, name: (await ask(parent))?.name ?? undefined } };
}

/** Where Discord keeps files. What an address in a message leads to otherwise is none of our business (threat N). */
const stores = /^(?:cdn\.discordapp\.com|media\.discordapp\.net)$/;

function loader(address: string, context: ChannelContext): Attachment["load"] {
  return async (options) => {
    const url = new URL(address);
    if (url.protocol !== "https:" || url.port !== "" || !stores.test(url.hostname))
      throw new Failure("invalid-request", "the file is not where Discord keeps files");
    return download(context, { label: "Discord", url, ...options });
  };
}

function target(written: string): Target {
  const bare = written.trim().replace(/^discord:/i, "");
  const [, user] = /^(?:user:|<@!?)(\d{1,20})>?$/.exec(bare) ?? [];
  if (user !== undefined) return { to: `user:${user}` };
  const [, id] = /^(?:channel:|<#)(\d{1,20})>?$/.exec(bare) ?? [];
  if (id !== undefined) return { to: `channel:${id}` };
  const example = /^\d+$/.test(bare) ? bare : "123456789012345678";
  throw new Failure(
    "invalid-request",
    `${JSON.stringify(written.slice(0, 80))} may be a person or a channel: write user:${example} or channel:${example}`,
  );
}
