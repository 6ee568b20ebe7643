import type { ByteStream, ByteStreamEvents, ConnectOptions } from "../../../src/host/byte-stream.ts";
import { ircLines, nickOf, parseIrcLine, type IrcLine } from "../../../src/kit/irc-line.ts";
import type { ContextOptions } from "../channel-context.ts";

export interface IrcServerOptions {
  /** What CAP LS offers; undefined for a server that knows no CAP. */
  readonly caps?: string | undefined;
  readonly password?: string;
  /** The one account of its services, which SASL and NickServ know. */
  readonly account?: { readonly name: string; readonly password: string };
  /** Nicks of others, with the accounts of those who are logged in. */
  readonly others?: Readonly<Record<string, string | undefined>>;
  /** Keys of channels. */
  readonly keys?: Readonly<Record<string, string>>;
}

/** A server of IRC that knows one client, takes nothing that a real one would refuse, and remembers the rest. */
export interface IrcServer {
  readonly reached: Pick<Required<ContextOptions>, "connected">;
  /** What is wrong with what the client sent; tests expect it to stay empty. */
  readonly problems: readonly string[];
  /** Lines of the client, without those of keep-alive. */
  readonly heard: readonly string[];
  /** Texts that were said to somebody who is there, one for each line. */
  readonly sent: readonly { readonly to: string; readonly text: string }[];
  readonly connections: readonly ConnectOptions[];
  readonly nick: string;
  readonly joined: ReadonlySet<string>;
  /** Somebody says something, with these tags. */
  say(from: string, to: string, text: string, tags?: string): void;
  /** Sends the client a line, or garbage. */
  line(text: string | Uint8Array): void;
  /** Does something now, or as soon as the client has been welcomed. */
  whenThere(work: () => void): void;
  drop(): void;
  revoke(): void;
  /** Answers nothing any more, with the connection open. */
  deafen(): void;
  release(nick: string): void;
}

const NAME = "irc.test";
const PLACE = "~clawd@somewhere.example.net";

export function ircServer(options: IrcServerOptions = {}): IrcServer {
  const { caps, account, keys = {} } = options;
  const others = new Map(Object.entries(options.others ?? {}));
  const [problems, heard]: [string[], string[]] = [[], []];
  const sent: { to: string; text: string }[] = [];
  const connections: ConnectOptions[] = [];
  const joined = new Set<string>();
  let client: { reply: ByteStreamEvents & { stream: ByteStream }; enabled: Set<string> } | undefined;
  let nick = "";
  let revoked = false;
  let deaf = false;
  let welcomed = false;
  const waiting: (() => void)[] = [];

  const tell = (text: string): void => {
    const { reply } = client ?? {};
    // As from afar: never while the client is still speaking.
    queueMicrotask(() => reply?.data(reply.stream, new TextEncoder().encode(`${text}\r\n`)));
  };
  const number = (code: string, ...words: readonly string[]): void =>
    tell(
      `:${NAME} ${code} ${nick || "*"} ${words.slice(0, -1).join(" ")}${words.length > 1 ? " " : ""}:${words.at(-1)}`,
    );
  const cut = (reason: string | undefined): void => {
    const old = client;
    client = undefined;
    welcomed = false;
    joined.clear();
    old?.reply.close(old.reply.stream, reason);
  };

  function connected(to: ConnectOptions, reply: ByteStreamEvents & { stream: ByteStream }): ByteStream {
    connections.push(to);
    nick = "";
    const state = { pass: "", user: false, negotiating: false, welcomed: false, loggedIn: false };
    const own = { reply, enabled: new Set<string>() };
    client = own;
    queueMicrotask(() => reply.open(reply.stream));

    /** After what was told before it. */
    const leave = (): void => queueMicrotask(() => client === own && cut(undefined));
    const welcome = (): void => {
      if (state.welcomed || nick === "" || !state.user || state.negotiating) return;
      if (revoked || state.pass !== (options.password ?? "")) {
        number("464", "Password incorrect");
        tell(`ERROR :Closing Link: (Bad Password)`);
        return leave();
      }
      state.welcomed = true;
      number("001", `Welcome to the test, ${nick}`);
      tell(`:${NAME} 005 ${nick} CASEMAPPING=rfc1459 NICKLEN=30 :are supported by this server`);
      number("375", "- message of the day");
      tell(":not a line that means anything");
      number("376", "End of MOTD");
      welcomed = true;
      for (const work of waiting.splice(0)) work();
    };
    const takeNick = (wanted: string): void => {
      if (!/^[A-Za-z[\]\\`_^{|}][A-Za-z0-9[\]\\`_^{|}-]{0,29}$/.test(wanted)) return number("432", wanted, "Erroneous");
      if (others.has(wanted)) return number("433", wanted, "Nickname is already in use");
      if (state.welcomed) tell(`:${nick}!${PLACE} NICK :${wanted}`);
      nick = wanted;
      welcome();
    };

    const commands: Readonly<Record<string, (line: IrcLine) => void>> = {
      CAP({ params: [verb, list = ""] }) {
        if (caps === undefined) return number("421", "CAP", "Unknown command");
        if (verb === "END") {
          state.negotiating = false;
          return welcome();
        }
        state.negotiating = true;
        if (verb === "LS") {
          tell(`:${NAME} CAP * LS * :cap-notify example.org/unknown=1`);
          return tell(`:${NAME} CAP * LS :${caps}`);
        }
        const offered = caps.split(" ").map((cap) => cap.split("=")[0]);
        const wanted = list.split(" ").filter((cap) => cap !== "");
        if (verb !== "REQ" || !wanted.every((cap) => offered.includes(cap)))
          return void problems.push(`CAP ${verb} ${list}`);
        for (const cap of wanted) own.enabled.add(cap);
        tell(`:${NAME} CAP * ACK :${list}`);
      },
      AUTHENTICATE({ params: [what = ""] }) {
        if (!own.enabled.has("sasl")) return void problems.push("AUTHENTICATE without sasl");
        if (what === "PLAIN") return tell("AUTHENTICATE +");
        const right = btoa(`\0${account?.name ?? ""}\0${account?.password ?? ""}`);
        if (revoked || what !== right) return number("904", "SASL authentication failed");
        state.loggedIn = true;
        number("903", "SASL authentication successful");
      },
      PASS: ({ params: [pass = ""] }) => void (state.pass = pass),
      NICK: ({ params: [wanted = ""] }) => takeNick(wanted),
      USER({ params }) {
        if (params.length !== 4) problems.push("USER takes four parameters");
        state.user = true;
        welcome();
      },
      PING: ({ params: [token = ""] }) => tell(`:${NAME} PONG ${NAME} :${token}`),
      PONG: () => undefined,
      JOIN({ params: [room = "", key] }) {
        if (keys[room] !== undefined && keys[room] !== key) return number("475", room, "Cannot join channel (+k)");
        joined.add(room.toLowerCase());
        tell(`:${nick}!${PLACE} JOIN ${room}`);
        number("353", "=", room, `${nick} @somebody`);
        number("366", room, "End of /NAMES list");
      },
      PRIVMSG({ params: [to = "", text = ""] }) {
        if (/^nickserv$/i.test(to)) return services(text);
        const there = /^[#&]/.test(to) ? joined.has(to.toLowerCase()) : others.has(to);
        if (!there && /^[#&]/.test(to)) return number("404", to, "Cannot send to channel");
        if (!there) return number("401", to, "No such nick");
        sent.push({ to, text });
      },
      QUIT: () => leave(),
    };
    const services = (text: string): void => {
      const [act = "", name = "", password = ""] = text.split(" ");
      if (account?.password !== password) return tell(`:NickServ!s@services NOTICE ${nick} :Invalid password`);
      if (act === "GHOST" || act === "REGAIN") others.delete(name);
      if (act === "REGAIN") takeNick(name);
    };

    const lines = ircLines((text) => {
      const line = parseIrcLine(text);
      if (!line) return void problems.push(`no line: ${text}`);
      if (!/^(PING|PONG)$/.test(line.command)) heard.push(text);
      if (new TextEncoder().encode(`:${nick}!${PLACE} ${text}\r\n`).length > 512) problems.push(`too long: ${text}`);
      if (!state.welcomed && ["JOIN", "PRIVMSG"].includes(line.command)) return number("451", "Not registered");
      const command = commands[line.command];
      if (command) command(line);
      else problems.push(`unknown command: ${text}`);
    });
    return {
      write(data) {
        const text = typeof data === "string" ? data : new TextDecoder().decode(data);
        if (!/^[^\r\n\0]+\r\n$/.test(text)) problems.push(`not one line: ${JSON.stringify(text)}`);
        if (client === own && !deaf) lines(text);
      },
      close: () => void (client === own && cut(undefined)),
    };
  }

  return {
    reached: { connected },
    problems,
    heard,
    sent,
    connections,
    joined,
    get nick() {
      return nick;
    },
    say(from, to, text, tags = "") {
      const user = others.get(nickOf(from));
      const vouched = user !== undefined && client?.enabled.has("account-tag") ? [`account=${user}`] : [];
      const given = client?.enabled.has("message-tags") && tags !== "" ? [tags] : [];
      const words = [...vouched, ...given].join(";");
      tell(
        `${words === "" ? "" : `@${words} `}:${from.includes("!") ? from : `${from}!u@host.example`} PRIVMSG ${to} :${text}`,
      );
    },
    line: (text) =>
      client?.reply.data(client.reply.stream, typeof text === "string" ? new TextEncoder().encode(text) : text),
    whenThere: (work) => void (welcomed ? work() : waiting.push(work)),
    drop: () => cut("read ECONNRESET"),
    revoke() {
      revoked = true;
      cut("read ECONNRESET");
    },
    deafen: () => void (deaf = true),
    release: (name) => void others.delete(name),
  };
}
