import { Failure } from "../kit/error.ts";
import { uuid } from "../kit/ids.ts";
import { fitLines, foldName } from "../kit/irc-line.ts";
import { createLanes } from "../kit/lanes.ts";
import { channel, type Channel, type ChannelContext } from "./channel.ts";
import { keepConnected } from "./channel-connection.ts";
import { createInbox } from "./channel-inbox.ts";
import { plain, withMarks } from "./channel-marks.ts";
import { needed } from "./channel-needs.ts";
import { createParts } from "./channel-parts.ts";
import { type IrcConnection, openIrc } from "./irc-connection.ts";
import { ircMessage } from "./irc-message.ts";
import { ircPolicy, ircSettings, type IrcSettings, ircTarget, roomsToJoin } from "./irc-settings.ts";

/**
 * IRC (RFC 1459, RFC 2812, IRCv3). A server says everything once: what is said while we are not there is not heard, and
 * of a process that is killed the last moments are not either.
 */
export const irc = channel({
  id: "irc",
  label: "IRC",
  settings: ircSettings,
  credentials: [
    { key: "host", variable: "IRC_HOST", public: true, help: "The server, such as irc.libera.chat." },
    { key: "nick", variable: "IRC_NICK", public: true, help: "The name that we want to have there." },
    {
      key: "password",
      file: "passwordFile",
      variable: "IRC_PASSWORD",
      optional: true,
      help: "The server's own password, where it has one; our account's goes to nickserv.password.",
    },
  ],
  abilities: { chats: ["direct", "channel"], media: false, reactions: false, edit: false, typing: false },
  ignoreCase: true,
  policy: (settings) => ircPolicy(settings, foldName),
  target: ircTarget,
  open: async (settings, context) => openAccount(settings, context),
});

/** Some lines: an answer that is longer comes in several messages. */
const MAX_TEXT = 2000;

function openAccount(settings: IrcSettings, given: ChannelContext): Channel {
  const { host, nick } = needed(settings, ["host", "nick"], irc);
  const ending = new AbortController();
  const context = { ...given, signal: AbortSignal.any([given.signal, ending.signal]) };
  const inbox = createInbox(context);
  const lanes = createLanes();
  const parts = createParts();
  let policy = ircPolicy(settings, foldName);
  let connection: IrcConnection | undefined;

  const running = keepConnected(context, async (attempt) => {
    const opened = openIrc(
      context,
      { ...settings, host, nick, rooms: roomsToJoin(settings) },
      {
        ready() {
          policy = ircPolicy(settings, opened.fold);
          connection = opened;
          attempt.ready({ id: opened.nick, name: opened.nick });
        },
        async heard(line) {
          const message = await ircMessage(line, {
            nick: opened.nick,
            fold: opened.fold,
            namesCount: settings.dangerouslyAllowNameMatching,
            now: context.clock.now(),
          });
          if (message) await inbox.put(message);
        },
      },
    );
    await opened.ended.finally(() => (connection = undefined));
  });

  const connected = (): IrcConnection => {
    if (connection) return connection;
    throw new Failure("unavailable", `there is no connection to ${host} at the moment`);
  };
  return {
    maxText: MAX_TEXT,
    get policy() {
      return policy;
    },
    send: ({ to }, message, { key, signal }) =>
      // One after another: what a server refuses is the message that it was asked of.
      lanes.run("", () => {
        const lines = fitLines(withMarks(message.text, plain), connected().room(to)).filter((line) => line !== "");
        if (lines.length === 0) throw new Failure("invalid-request", "the message is empty: there is nothing to send");
        const sent = { id: uuid() };
        return parts.send(key, [
          ...lines.map(
            (line) => () =>
              connected()
                .say(to, line, signal)
                .then(() => sent),
          ),
          () =>
            connected()
              .confirm(signal)
              .then(() => sent),
        ]);
      }),
    probe: (signal) =>
      lanes.run("", async () => {
        await connected().confirm(signal);
        return { id: connected().nick, name: connected().nick };
      }),
    async close() {
      ending.abort();
      await running;
    },
  };
}
