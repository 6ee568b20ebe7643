import type { SocketEvents } from "../../../src/host/socket.ts";
import { ircLines, parseIrcLine, type IrcLine } from "../../../src/kit/irc-line.ts";
import type { ContextOptions, SentRequest } from "../channel-context.ts";

/** Twitch's chat with one channel, and the place where tokens are renewed. */
export interface TwitchDouble {
  readonly reached: Pick<Required<ContextOptions>, "dialled" | "answer">;
  readonly problems: string[];
  readonly sent: string[];
  /** Lines of the client. */
  readonly heard: readonly string[];
  /** Messages that were answered by the ones that came, by id. */
  readonly replies: readonly string[];
  /** The tokens that count, now and after the next renewals. */
  tokens: string[];
  refresh: string[];
  connections: number;
  /** There is no such channel, of which Twitch says nothing. */
  closed: boolean;
  /** Somebody says something in the channel, with these tags beside the usual ones. */
  say(text: string, tags?: Readonly<Record<string, string>>, login?: string): void;
  line(text: string): void;
  /** The next message is refused with this `msg-id`. */
  refuse(id: string): void;
  drop(): void;
}

export const twitchName = "clawbot";

export function twitchDouble(room = "streamer"): TwitchDouble {
  const [problems, sent, heard, replies]: [string[], string[], string[], string[]] = [[], [], [], []];
  let socket: Parameters<SocketEvents["open"]>[0] | undefined;
  let refused: string | undefined;
  let joined = false;
  let ids = 0;
  const waiting: (() => void)[] = [];
  const tell = (...lines: readonly string[]): void => void socket?.send(lines.map((line) => `${line}\r\n`).join(""));
  const host = ":tmi.twitch.tv";

  const double: TwitchDouble = {
    reached: { dialled, answer },
    problems,
    sent,
    heard,
    replies,
    tokens: ["tok1"],
    refresh: ["refresh1"],
    connections: 0,
    closed: false,
    say(text, tags = {}, login = "alice") {
      const usual = {
        badges: "",
        "display-name": "Alice",
        id: `m${++ids}`,
        "room-id": "7",
        "tmi-sent-ts": "1700000000000",
        "user-id": "42",
      };
      const all = Object.entries({ ...usual, ...tags }).map(([key, value]) => `${key}=${value}`);
      const work = (): void =>
        tell(`@${all.join(";")} :${login}!${login}@${login}.tmi.twitch.tv PRIVMSG #${room} :${text}`);
      if (joined) work();
      else waiting.push(work);
    },
    line: (text) => tell(text),
    refuse: (id) => void (refused = id),
    drop() {
      joined = false;
      socket?.close(1011, "");
      socket = undefined;
    },
  };

  function dialled(url: URL): SocketEvents {
    double.connections++;
    if (url.href !== "wss://irc-ws.chat.twitch.tv/") problems.push(`dialled ${url.href}`);
    let pass = "";
    const commands: Readonly<Record<string, (line: IrcLine) => void>> = {
      CAP: ({ params }) => tell(`${host} CAP * ACK :${params[1]}`),
      PASS: ({ params }) => void (pass = params[0] ?? ""),
      NICK({ params }) {
        if (params[0] !== twitchName) problems.push(`NICK ${params[0]}`);
        if (pass !== `oauth:${double.tokens[0]}`) return tell(`${host} NOTICE * :Login authentication failed`);
        tell(
          `${host} 001 ${twitchName} :Welcome, GLHF!`,
          `${host} 376 ${twitchName} :>`,
          `@user-id=99 ${host} GLOBALUSERSTATE`,
          "PING :tmi.twitch.tv",
        );
      },
      PONG: () => undefined,
      JOIN({ params }) {
        if (params[0] !== `#${room}`) problems.push(`JOIN ${params[0]}`);
        if (double.closed) return;
        joined = true;
        const own = `:${twitchName}!${twitchName}@${twitchName}.tmi.twitch.tv`;
        tell(`${own} JOIN #${room}`, `@mod=0 ${host} USERSTATE #${room}`, `@room-id=7 ${host} ROOMSTATE #${room}`);
        for (const work of waiting.splice(0)) work();
      },
      PRIVMSG({ tags, params: [to, text = ""] }) {
        if (to !== `#${room}` || text === "" || text.length > 500 || /^[/.]/.test(text))
          problems.push(`PRIVMSG ${to} ${text}`);
        if (refused !== undefined) {
          tell(`@msg-id=${refused} ${host} NOTICE #${room} :Your message was not sent.`);
          refused = undefined;
          return;
        }
        sent.push(text);
        replies.push(tags.get("reply-parent-msg-id") ?? "");
        tell(`@client-nonce=${tags.get("client-nonce")};id=own${++ids} ${host} USERSTATE #${room}`);
      },
    };
    const lines = ircLines((text) => {
      heard.push(text);
      const line = parseIrcLine(text);
      const command = commands[line?.command ?? ""];
      if (line && command) command(line);
      else problems.push(`unknown: ${text}`);
    });
    return {
      open: (opened) => void (socket = opened),
      message: (_, text) => lines(`${text}\r\n`),
      pong: () => undefined,
      drain: () => undefined,
      close: () => void (joined = false),
    };
  }

  function answer({ method, url, body, headers, text }: SentRequest): Response {
    const form = new URLSearchParams(text);
    const right =
      method === "POST" &&
      url.href === "https://id.twitch.tv/oauth2/token" &&
      headers.get("content-type")?.startsWith("application/x-www-form-urlencoded") === true &&
      form.get("grant_type") === "refresh_token" &&
      form.get("client_id") === "client" &&
      form.get("client_secret") === "sesame";
    if (!right) problems.push(`${method} ${url.href} ${body.length}`);
    if (form.get("refresh_token") !== double.refresh[0] || double.tokens.length < 2)
      return Response.json({ status: 400, message: "Invalid refresh token" }, { status: 400 });
    // Both old ones are worth nothing from now on.
    double.tokens = double.tokens.slice(1);
    double.refresh = double.refresh.slice(1);
    return Response.json({
      access_token: double.tokens[0],
      refresh_token: double.refresh[0],
      expires_in: 14_000,
      scope: [],
      token_type: "bearer",
    });
  }
  return double;
}
