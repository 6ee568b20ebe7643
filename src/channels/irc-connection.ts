import type { ByteStream } from "../host/byte-stream.ts";
import { createBucket } from "../kit/bucket.ts";
import { type Code, Failure } from "../kit/error.ts";
import { foldName, type IrcLine, ircLine, ircLines, nickOf, parseIrcLine } from "../kit/irc-line.ts";
import { createLanes } from "../kit/lanes.ts";
import { stopped } from "../kit/stream.ts";
import { utf8Length } from "../kit/text.ts";
import type { ChannelContext } from "./channel.ts";
import { register, type RegistrationSettings } from "./irc-connection-registration.ts";

/** A connection to a server, from the first line to the last. */
export interface IrcConnection {
  /** Rejects when it is over. */
  readonly ended: Promise<never>;
  readonly nick: string;
  readonly fold: (name: string) => string;
  /** Bytes of UTF-8 that a line to there has for its text. */
  room(to: string): number;
  /** Sends a line of text when there is time for it. Rejects with `unavailable` when it was not sent. */
  say(to: string, text: string, signal: AbortSignal): Promise<void>;
  /** Resolves when the server has taken all that was said since the last time; rejects with what it refused of it. */
  confirm(signal: AbortSignal): Promise<void>;
  quit(): void;
}

export interface IrcListener {
  /** We are known to the server, and messages come. */
  ready(): void;
  /** Somebody says something. Reading stops when too much of it is not done yet. */
  heard(line: IrcLine): Promise<void>;
}

const CONNECT_MS = 20_000;
const REGISTER_MS = 60_000;
const ANSWER_MS = 30_000;
/** A server that is silent is asked whether it is there; unless it says anything until the next time, it is not. */
const PING_MS = 60_000;
/** Servers take some lines at once and one every two seconds (RFC 1459 8.10). */
const FLOOD = { size: 5, everyMs: 2000 };
const MAX_HELD = 50;
/** With both its ends and what the server puts in front of it (RFC 1459 2.3). */
const LINE_BYTES = 512;
/** The longest user and host that a server puts in front of a line; what it does put there shows when we join. */
const LONGEST_PLACE = "!@".length + 11 + 63;

export function openIrc(
  { net, clock, log, signal }: Pick<ChannelContext, "net" | "clock" | "log" | "signal">,
  settings: RegistrationSettings & { readonly host: string },
  listener: IrcListener,
): IrcConnection {
  const { host, tls, fingerprint, rooms, port = tls ? 6697 : 6667 } = settings;
  if (!net.connect)
    throw new Failure("config", "IRC needs TCP connections, which there are none of where this gateway runs");
  const registration = register(settings);
  const bucket = createBucket(clock, FLOOD);
  const lanes = createLanes();
  const missing = new Set(rooms.keys());
  /** Channels of which the log has that they cannot be joined. */
  const told = new Set<string>();
  let nick = settings.nick;
  let place = LONGEST_PLACE;
  let heardAnything = true;
  let held = 0;
  let spoken = Promise.resolve();
  let over: Failure | undefined;
  /** Whom lines were said to that nobody has confirmed, and what the server refused of them. */
  let speaking: { readonly to: string; refusal?: Failure } | undefined;
  let asked: { readonly token: string; readonly done: (error?: Failure) => void } | undefined;
  let tokens = 0;
  let fail: (error: Failure) => void = () => undefined;
  const ended = new Promise<never>((_, reject) => (fail = reject));
  // Who awaits it hears of it; nobody has to.
  ended.catch(() => undefined);

  const fold = (name: string): string => foldName(name, registration.mapping);
  const write = (line: string): void => stream.write(`${line}\r\n`);

  function finish(failure: Failure): void {
    if (over) return;
    over = failure;
    stopRegistering();
    stopPings();
    signal.removeEventListener("abort", quit);
    asked?.done(new Failure("timeout", "the connection broke before the server said whether it has the message"));
    fail(failure);
    stream.close();
  }

  function quit(): void {
    if (over) return;
    write("QUIT :bye");
    finish(signal.aborted ? stopped(signal) : new Failure("unavailable", "we have left"));
  }

  /** In order, and not faster than a server allows. */
  function post(line: string, until: AbortSignal): Promise<void> {
    return lanes.run("", async () => {
      if (!over && !until.aborted) await bucket.take(AbortSignal.any([until, signal])).catch(() => undefined);
      if (until.aborted) throw stopped(until);
      if (over) throw new Failure("unavailable", `IRC is not connected: ${over.message}`);
      write(line);
    });
  }

  /** What nobody waits for: when the connection is over it is of no use. */
  function postLater(lines: readonly string[]): void {
    for (const line of lines) post(line, signal).catch(() => undefined);
  }

  function hear(text: string): void {
    heardAnything = true;
    const line = parseIrcLine(text);
    if (!line || over) return;
    if (line.command === "PING") return write(ircLine("PONG", line.params.at(-1) ?? ""));
    if (registration.done) return follow(line);
    for (const answer of registration.hear(line)) {
      if (registration.done) postLater([answer]);
      else write(answer);
    }
    nick = registration.nick;
    if (!registration.done) return;
    stopRegistering();
    listener.ready();
  }

  function follow(line: IrcLine): void {
    const { command, source, params } = line;
    const own = fold(nickOf(source)) === fold(nick);
    if (own && source.includes("!")) place = utf8Length(source) - utf8Length(nick);
    if (own && command === "NICK") nick = params[0] ?? nick;
    if (own && command === "JOIN") missing.delete(named(params[0]));
    if (command === "KICK" && fold(params[1] ?? "") === fold(nick)) {
      log.warn("we were put out of a channel", { room: params[0], by: nickOf(source), reason: params[2] });
      if (rooms.has(named(params[0]))) missing.add(named(params[0]));
    }
    if (command === "ERROR")
      return finish(new Failure("unavailable", `the server ended the connection: ${(params[0] ?? "").slice(0, 200)}`));
    if (command === "PRIVMSG") return take(line);
    if (command === "PONG" && params.at(-1) === asked?.token) return asked?.done();
    const refused = refusedText[command];
    if (refused !== undefined && speaking?.to === fold(params[1] ?? "")) {
      speaking.refusal = new Failure(refused, `${params[1]}: ${(params.at(-1) ?? "").slice(0, 200)}`);
      asked?.done(speaking.refusal);
    }
    const room = named(params[1]);
    if (refusedRoom.has(command) && missing.has(room) && !told.has(room)) {
      told.add(room);
      log.warn("a channel cannot be joined: it is tried every minute", { room, reason: params.at(-1) });
    }
  }

  /** The name of a channel as the settings spell it. */
  function named(room = ""): string {
    return [...rooms.keys()].find((name) => fold(name) === fold(room)) ?? room;
  }

  function take(line: IrcLine): void {
    if (++held >= MAX_HELD) stream.pause?.();
    spoken = spoken
      .then(() => listener.heard(line))
      .catch((error: unknown) => log.warn("a message was left out", { error: Failure.from(error).message }))
      .then(() => void (--held < MAX_HELD && stream.resume?.()));
  }

  function tick(): void {
    if (!heardAnything && held < MAX_HELD)
      return finish(new Failure("unavailable", `${host} has been silent for ${PING_MS / 1000} seconds`));
    heardAnything = false;
    if (!registration.done) return;
    postLater([
      "PING :there",
      ...(fold(nick) === fold(settings.nick) ? [] : [ircLine("NICK", settings.nick)]),
      ...[...missing].map((room) => ircLine("JOIN", room, ...[rooms.get(room) ?? []].flat())),
    ]);
  }

  const stopRegistering = clock.after(REGISTER_MS, () =>
    finish(new Failure("unavailable", `${host} did not welcome us within ${REGISTER_MS / 1000} seconds`)),
  );
  const stopPings = clock.every(PING_MS, tick);
  const lines = ircLines((text) => {
    try {
      hear(text);
    } catch (error) {
      finish(Failure.from(error));
    }
  });
  const stream: ByteStream = net.connect(
    { hostname: host, port, tls, fingerprint, timeoutMs: CONNECT_MS },
    {
      open: () => registration.start().forEach(write),
      data: (_, bytes) => lines(bytes),
      close: (_, reason) =>
        finish(
          new Failure("unavailable", `the connection to ${host} broke${reason === undefined ? "" : `: ${reason}`}`),
        ),
    },
  );
  signal.addEventListener("abort", quit, { once: true });

  return {
    ended,
    get nick() {
      return nick;
    },
    fold,
    room: (to) => LINE_BYTES - 2 - ": PRIVMSG  :".length - utf8Length(nick) - place - utf8Length(to),
    say(to, text, until) {
      if (speaking?.to !== fold(to)) speaking = { to: fold(to) };
      return post(ircLine("PRIVMSG", to, text), until);
    },
    async confirm(until) {
      const { refusal } = speaking ?? {};
      if (refusal) {
        speaking = undefined;
        throw refusal;
      }
      const token = `said-${++tokens}`;
      const answered = new Promise<void>((resolve, reject) => {
        const leave = (): void => asked?.done(stopped(until));
        const disarm = clock.after(ANSWER_MS, () =>
          asked?.done(
            new Failure(
              "timeout",
              `${host} has not said within ${ANSWER_MS / 1000} seconds whether it has the message`,
            ),
          ),
        );
        until.addEventListener("abort", leave, { once: true });
        asked = {
          token,
          done(error) {
            asked = undefined;
            speaking = undefined;
            disarm();
            until.removeEventListener("abort", leave);
            if (error) reject(error);
            else resolve();
          },
        };
      });
      answered.catch(() => undefined); // it may fail while its question still waits
      await post(ircLine("PING", token), until).catch((error: unknown) => asked?.done(Failure.from(error)));
      return answered;
    },
    quit,
  };
}

/** Numerics by which a message is refused, after us and the recipient (RFC 2812 5.2 and modern servers). */
const refusedText: Readonly<Record<string, Code>> = {
  401: "not-found",
  402: "not-found",
  403: "not-found",
  404: "forbidden",
  408: "forbidden",
  413: "forbidden",
  439: "rate-limited",
  442: "forbidden",
  477: "forbidden",
  482: "forbidden",
  486: "forbidden",
  531: "forbidden",
  716: "forbidden",
};

const refusedRoom: ReadonlySet<string> = new Set([
  "403",
  "405",
  "437",
  "471",
  "473",
  "474",
  "475",
  "476",
  "477",
  "489",
]);
