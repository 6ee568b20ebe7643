import { toBase64 } from "../kit/base64.ts";
import { Failure } from "../kit/error.ts";
import { type IrcLine, ircLine } from "../kit/irc-line.ts";
import type { IrcSettings } from "./irc-settings.ts";

/** The introduction to a server (RFC 2812 3.1, IRCv3 capability negotiation), from the first line to the end of its welcome. */
export interface Registration {
  readonly nick: string;
  /** How the server tells names apart. */
  readonly mapping: string;
  readonly done: boolean;
  /** The lines that it begins with. */
  start(): readonly string[];
  /** What is answered to a line. Throws a Failure for a refusal. */
  hear(line: IrcLine): readonly string[];
}

const WANTED = ["message-tags", "server-time", "account-tag"];
const MAX_NICKS = 8;
/** Most base64 of one AUTHENTICATE (IRCv3 sasl-3.1). */
const SASL_PIECE = 400;

export interface RegistrationSettings extends IrcSettings {
  readonly nick: string;
  /** The channels to join, with the keys of those that have one. */
  readonly rooms: ReadonlyMap<string, string | undefined>;
}

export function register(settings: RegistrationSettings): Registration {
  const { nickserv } = settings;
  const password = nickserv?.enabled === false ? undefined : nickserv?.password;
  const account = nickserv?.account ?? settings.nick;
  const asked = new Set<string>();
  let nick = settings.nick;
  let mapping = "rfc1459";
  let tries = 1;
  let loggedIn = false;
  let done = false;

  function capability([, verb = "", ...rest]: readonly string[]): readonly string[] {
    const words = (rest.at(-1) ?? "").split(" ").filter((word) => word !== "");
    if (verb === "LS") {
      const wanted = password === undefined ? WANTED : [...WANTED, "sasl"];
      for (const word of words) {
        const [name = "", value = "PLAIN"] = word.split("=");
        if (wanted.includes(name) && (name !== "sasl" || value.split(",").includes("PLAIN"))) asked.add(name);
      }
      if (rest.length > 1) return []; // more of the list comes
      return asked.size === 0 ? ["CAP END"] : [ircLine("CAP", "REQ", [...asked].join(" "))];
    }
    if (verb === "ACK" && words.includes("sasl")) return ["AUTHENTICATE PLAIN"];
    return verb === "ACK" || verb === "NAK" ? ["CAP END"] : [];
  }

  /** RFC 4616: nothing, our account, its password. */
  function credentials(): readonly string[] {
    const text = toBase64(new TextEncoder().encode(`\0${account}\0${password ?? ""}`));
    const pieces = text.match(new RegExp(`.{1,${SASL_PIECE}}`, "g")) ?? [];
    return [...pieces, ...(text.length % SASL_PIECE === 0 ? ["+"] : [])].map((piece) => `AUTHENTICATE ${piece}`);
  }

  function anotherNick(): readonly string[] {
    if (++tries > MAX_NICKS) throw new Failure("unavailable", `the nick ${settings.nick} and others like it are taken`);
    nick += "_";
    return [ircLine("NICK", nick)];
  }

  function settle(): readonly string[] {
    done = true;
    const service = nickserv?.service ?? "NickServ";
    const tell = (words: string): string => ircLine("PRIVMSG", service, words);
    const lost = nick !== settings.nick;
    return [
      ...(password !== undefined && !loggedIn ? [tell(`IDENTIFY ${account} ${password}`)] : []),
      // Services know one of the two words, and tell of the other that they do not.
      ...(password !== undefined && lost
        ? ["REGAIN", "GHOST"].map((act) => tell(`${act} ${settings.nick} ${password}`))
        : []),
      ...(lost ? [ircLine("NICK", settings.nick)] : []),
      ...[...settings.rooms].map(([room, key]) => ircLine("JOIN", room, ...(key === undefined ? [] : [key]))),
    ];
  }

  return {
    get nick() {
      return nick;
    },
    get mapping() {
      return mapping;
    },
    get done() {
      return done;
    },
    start: () => [
      "CAP LS 302",
      ...(settings.password === undefined ? [] : [ircLine("PASS", settings.password)]),
      ircLine("NICK", nick),
      ircLine("USER", settings.username ?? settings.nick, "0", "*", settings.realname ?? settings.nick),
    ],
    hear({ command, params }) {
      const refusal = refusals[command];
      if (refusal) throw new Failure(refusal.code, `${refusal.message}: ${(params.at(-1) ?? "").slice(0, 200)}`);
      switch (command) {
        case "CAP":
          return capability(params);
        case "AUTHENTICATE":
          return params[0] === "+" && password !== undefined ? credentials() : [];
        case "903":
          loggedIn = true;
          return ["CAP END"];
        case "433": // somebody has it
        case "436": // somebody took it at the same time
        case "437": // it is kept free for a while
          return anotherNick();
        case "001":
          nick = params[0] ?? nick;
          return [];
        case "005":
          for (const param of params) mapping = /^CASEMAPPING=(.+)$/.exec(param)?.[1] ?? mapping;
          return [];
        case "376":
        case "422":
          return settle();
        case "ERROR":
          throw passwordWords.test(params[0] ?? "")
            ? new Failure("unauthorized", `the server does not accept the password: ${params[0]}`)
            : new Failure("unavailable", `the server ended the connection: ${(params[0] ?? "").slice(0, 200)}`);
        default:
          return [];
      }
    },
  };
}

/** A server that has no number for it says it in its own words. */
const passwordWords = /bad password|password (?:mismatch|incorrect)|invalid password/i;

const account = { code: "unauthorized", message: "nickserv.account and nickserv.password were not accepted" } as const;
const refusals: Readonly<
  Record<string, { readonly code: "unauthorized" | "forbidden" | "config"; readonly message: string }>
> = {
  432: { code: "config", message: "the server does not take this nick" },
  464: { code: "unauthorized", message: "the server does not accept the password" },
  465: { code: "forbidden", message: "we are banned from this server" },
  902: account,
  904: account,
  905: account,
  906: account,
};
