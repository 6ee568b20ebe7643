import { createBucket } from "../kit/bucket.ts";
import { Failure } from "../kit/error.ts";
import { withoutCodes } from "../kit/irc-line.ts";
import { createLanes } from "../kit/lanes.ts";
import { stopped } from "../kit/stream.ts";
import { channel, type Channel, type ChannelContext, type Self } from "./channel.ts";
import { keepConnected } from "./channel-connection.ts";
import { createInbox } from "./channel-inbox.ts";
import { plain, withMarks } from "./channel-marks.ts";
import { needed } from "./channel-needs.ts";
import { openTwitch, type TwitchChat } from "./twitch-chat.ts";
import { twitchMessage } from "./twitch-message.ts";
import { loginOf, twitchPolicy, twitchSettings, type TwitchSettings, twitchTarget } from "./twitch-settings.ts";
import { twitchToken } from "./twitch-token.ts";

/** The chat of a channel of Twitch, which is spoken to in IRC over a WebSocket and says everything once. */
export const twitch = channel({
  id: "twitch",
  label: "Twitch",
  settings: twitchSettings,
  credentials: [
    { key: "username", public: true, help: "The login name of the account that we use." },
    {
      key: "accessToken",
      variable: "OPENCLAW_TWITCH_ACCESS_TOKEN",
      help: "A user access token of that account with the scopes chat:read and chat:edit.",
    },
    { key: "channel", public: true, optional: true, help: "The channel to be in; our own unless given." },
    { key: "clientId", public: true, optional: true, help: "The application that the token is for, to renew it." },
    { key: "clientSecret", optional: true, help: "The secret of that application, to renew the token." },
    { key: "refreshToken", optional: true, help: "The refresh token that came with the access token, to renew it." },
  ],
  abilities: { chats: ["group"], media: false, reactions: false, edit: false, typing: false },
  ignoreCase: true,
  policy: twitchPolicy,
  target: twitchTarget,
  person() {
    throw new Failure("invalid-request", "Twitch lets programs write to channels alone");
  },
  open: async (settings, context) => openAccount(settings, context),
});

/** One less than Twitch takes: `oneLine` may put a character in front. */
const MAX_TEXT = 499;
/** Never more than 20 messages in 30 seconds: ten at once, and ten more in that time. */
const RATE = { size: 10, everyMs: 3000 };

function openAccount(settings: TwitchSettings, given: ChannelContext): Channel {
  const { username: name, accessToken } = needed(settings, ["username", "accessToken"], twitch);
  const [username, room] = [loginOf(name), loginOf(settings.channel ?? name)];
  const ending = new AbortController();
  const context = { ...given, signal: AbortSignal.any([given.signal, ending.signal]) };
  const token = twitchToken(context, { ...settings, accessToken });
  const inbox = createInbox(context);
  const lanes = createLanes();
  const bucket = createBucket(context.clock, RATE);
  let chat: TwitchChat | undefined;
  let self: Self | undefined;
  /** The token is a new one, which has not been good for anything yet. */
  let untried = false;

  const running = keepConnected(context, async (attempt) => {
    const opened = openTwitch(context, {
      username,
      room,
      token: await token.current(),
      ready(userId) {
        chat = opened;
        untried = false;
        self = { id: userId ?? username, name: username };
        attempt.ready(self);
      },
      async heard(line) {
        const message = twitchMessage(line, { username, now: context.clock.now() });
        if (message) await inbox.put(message);
      },
    });
    try {
      await opened.ended;
    } catch (error) {
      if (untried || Failure.from(error).code !== "unauthorized") throw error;
      await token.renew(context.signal);
      untried = true;
    } finally {
      chat = undefined;
    }
  });

  return {
    maxText: MAX_TEXT,
    send: ({ to }, { text, replyTo }, { signal }) =>
      // One after another: Twitch says of the last one what became of it.
      lanes.run("", async () => {
        if (to !== `#${room}`) throw new Failure("not-found", `this account is in #${room} alone, not in ${to}`);
        if (replyTo !== undefined && !/^[\w-]{1,64}$/.test(replyTo))
          throw new Failure("invalid-request", `${JSON.stringify(replyTo.slice(0, 64))} is no message in Twitch`);
        const words = oneLine(text);
        if (words === "") throw new Failure("invalid-request", "the message is empty: there is nothing to send");
        if (!chat) throw new Failure("unavailable", "there is no connection to Twitch at the moment");
        await bucket.take(AbortSignal.any([signal, context.signal])).catch(() => {
          throw stopped(signal.aborted ? signal : context.signal);
        });
        if (!chat) throw new Failure("unavailable", "there is no connection to Twitch at the moment");
        return chat.say(words, { replyTo, signal });
      }),
    async probe() {
      if (self && chat) return self;
      throw new Failure("unavailable", "there is no connection to Twitch at the moment");
    },
    async close() {
      ending.abort();
      await running;
    },
  };
}

/** A message of Twitch is one line. What begins as a command of its chat is not to be one (threat M). */
function oneLine(markdown: string): string {
  const text = withoutCodes(withMarks(markdown, plain).replaceAll(/\s*[\r\n]+\s*/g, " ")).trim();
  return /^[/.]/.test(text) ? `\u200b${text}` : text;
}
