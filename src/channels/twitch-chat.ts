import { type Code, Failure } from "../kit/error.ts";
import { uuid } from "../kit/ids.ts";
import { type IrcLine, ircLine, parseIrcLine } from "../kit/irc-line.ts";
import { stopped } from "../kit/stream.ts";
import type { ChannelContext, Sent } from "./channel.ts";
import { type Line, openLine } from "./channel-socket.ts";

/** A connection to Twitch's chat, in one channel. */
export interface TwitchChat {
  /** Resolves when Twitch wants us to connect again; rejects when it broke. */
  readonly ended: Promise<void>;
  /** Says something, once at a time. Rejects as `Channel.send` does. */
  say(text: string, options: { readonly replyTo?: string | undefined; readonly signal: AbortSignal }): Promise<Sent>;
}

export interface TwitchListener {
  readonly username: string;
  /** Without its mark. */
  readonly room: string;
  readonly token: string;
  ready(userId: string | undefined): void;
  heard(line: IrcLine): Promise<void>;
}

const URL_OF_CHAT = "wss://irc-ws.chat.twitch.tv:443";
const ANSWER_MS = 15_000;
const JOIN_MS = 30_000;

export function openTwitch(context: ChannelContext, listener: TwitchListener): TwitchChat {
  const { clock, signal } = context;
  const { username, token } = listener;
  const room = `#${listener.room}`;
  let joined = false;
  let userId: string | undefined;
  let asked: { readonly nonce: string; readonly done: (sent: Sent | Failure) => void } | undefined;

  async function hear(line: IrcLine, socket: Line): Promise<void> {
    const { command, params, tags } = line;
    switch (command) {
      case "PING":
        return void socket.say(ircLine("PONG", params.at(-1) ?? ""));
      case "RECONNECT":
        return socket.close();
      case "CAP":
        if (params[1] === "NAK") throw new Failure("unavailable", "Twitch does not tell who writes at the moment");
        return;
      case "001":
        return void socket.say(ircLine("JOIN", room));
      case "GLOBALUSERSTATE":
        userId = tags.get("user-id");
        return;
      case "ROOMSTATE":
        if (!joined) listener.ready(userId);
        joined = true;
        return stopWaiting();
      case "USERSTATE":
        if (params[0] === room && (tags.get("client-nonce") ?? asked?.nonce) === asked?.nonce)
          asked?.done({ id: tags.get("id") || uuid() });
        return;
      case "NOTICE":
        return notice(params.at(-1) ?? "", tags.get("msg-id") ?? "");
      case "PRIVMSG":
        return listener.heard(line);
      default:
    }
  }

  function notice(text: string, id: string): void {
    if (!joined && /^(login (authentication failed|unsuccessful)|improperly formatted auth|invalid nick)/i.test(text))
      throw new Failure("unauthorized", "Twitch does not accept accessToken for this username");
    const code = refusals[id];
    if (code === undefined) return;
    const failure = new Failure(code, `Twitch: ${text.slice(0, 200)}`, {
      retryAfterMs: code === "rate-limited" ? RETRY_MS : undefined,
    });
    if (!joined) throw failure;
    asked?.done(failure);
  }

  const line = openLine(context, {
    label: "Twitch",
    url: URL_OF_CHAT,
    signal,
    opened(socket) {
      socket.say("CAP REQ :twitch.tv/tags twitch.tv/commands twitch.tv/membership");
      socket.say(`PASS oauth:${token}`);
      socket.say(ircLine("NICK", username));
    },
    async heard(text, socket) {
      for (const one of text.split(/\r?\n/)) {
        const parsed = parseIrcLine(one);
        if (parsed) await hear(parsed, socket);
      }
    },
  });
  let gaveUp = false;
  const stopWaiting = clock.after(JOIN_MS, () => {
    gaveUp = true;
    line.close();
  });
  const over = line.ended.then(() => {
    // Twitch is silent about a channel that there is not.
    if (gaveUp) throw new Failure("unavailable", `Twitch has not let us into ${room}: is there such a channel?`);
  });
  const ended = over.finally(() => {
    stopWaiting();
    asked?.done(new Failure("timeout", "the connection broke before Twitch said whether it has the message"));
  });
  // Who awaits it hears of it; nobody has to.
  ended.catch(() => undefined);

  return {
    ended,
    say: (text, { replyTo, signal: until }) =>
      new Promise((resolve, reject) => {
        const nonce = uuid().replaceAll("-", "");
        const tags = [`client-nonce=${nonce}`, ...(replyTo === undefined ? [] : [`reply-parent-msg-id=${replyTo}`])];
        const said = line.say(`@${tags.join(";")} ${ircLine("PRIVMSG", room, text)}`);
        if (!said) return reject(new Failure("unavailable", "there is no connection to Twitch at the moment"));
        const disarm = clock.after(ANSWER_MS, () =>
          asked?.done(new Failure("timeout", "Twitch has not said whether it has the message")),
        );
        const leave = (): void => asked?.done(stopped(until));
        until.addEventListener("abort", leave, { once: true });
        asked = {
          nonce,
          done(sent) {
            asked = undefined;
            disarm();
            until.removeEventListener("abort", leave);
            if (sent instanceof Failure) reject(sent);
            else resolve(sent);
          },
        };
      }),
  };
}

const RETRY_MS = 30_000;

/** What the `msg-id` of a notice says of the message, or of joining the channel. */
const refusals: Readonly<Record<string, Code>> = {
  msg_ratelimit: "rate-limited",
  msg_duplicate: "rate-limited",
  msg_slowmode: "rate-limited",
  msg_timedout: "rate-limited",
  msg_banned: "forbidden",
  msg_channel_suspended: "forbidden",
  msg_channel_blocked: "forbidden",
  msg_bad_characters: "invalid-request",
  msg_emoteonly: "forbidden",
  msg_followersonly: "forbidden",
  msg_followersonly_followed: "forbidden",
  msg_followersonly_zero: "forbidden",
  msg_r9k: "forbidden",
  msg_rejected: "forbidden",
  msg_rejected_mandatory: "forbidden",
  msg_requires_verified_phone_number: "forbidden",
  msg_subsonly: "forbidden",
  msg_suspended: "forbidden",
  msg_verified_email: "forbidden",
  tos_ban: "forbidden",
};
