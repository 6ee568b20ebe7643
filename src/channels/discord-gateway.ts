import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import { parseJson } from "../kit/json.ts";
import type { ChannelContext, Self } from "./channel.ts";
import { keepConnected, pause, type Attempt } from "./channel-connection.ts";
import { openLine, type Line } from "./channel-socket.ts";
import type { DiscordRest } from "./discord-rest.ts";

export interface GatewayOptions {
  readonly context: ChannelContext;
  readonly rest: DiscordRest;
  readonly token: string;
  /** Takes an event in. What it rejects is told again: the connection is resumed from before it. */
  readonly take: (event: { readonly type: string; readonly data: unknown }, self: Self) => Promise<void>;
}

/** Which events come: guilds, messages in them and in private, and what these messages say. */
const INTENTS = (1 << 0) | (1 << 9) | (1 << 12) | (1 << 15);
const OPCODE = { event: 0, heartbeat: 1, identify: 2, resume: 6, reconnect: 7, invalid: 9, hello: 10, ack: 11 };
/** Any code but 1000 and 1001 leaves the session to be resumed, by the next process if need be. */
const KEEP_SESSION = 4900;
const READY_MS = 60_000;
/** So often at most the place in the stream is written down: messages before it are known by their ids. */
const WRITE_MS = 5000;
const SESSION = "session";

const sessionSchema = v.object({
  id: v.string(),
  url: v.string(),
  /** The last event that was taken. */
  seq: v.number(),
  self: v.object({ id: v.string(), name: v.optional(v.string()) }),
});
type Session = v.InferOutput<typeof sessionSchema>;

const frameSchema = v.looseObject({
  op: v.number(),
  d: v.optional(v.unknown()),
  s: v.nullish(v.number()),
  t: v.nullish(v.string()),
});

/** Stays connected to Discord's Gateway (v10), resuming what can be resumed, until the account ends. */
export async function stayConnected(options: GatewayOptions): Promise<void> {
  const { context, rest } = options;
  const { clock, kept } = context;
  let session = sessionIn(await kept.read(SESSION));
  let written = { session, at: clock.monotonic() };

  async function keep(next: Session | undefined, isUrgent: boolean): Promise<void> {
    session = next;
    if (next === written.session || (!isUrgent && clock.monotonic() - written.at < WRITE_MS)) return;
    written = { session: next, at: clock.monotonic() };
    await kept.write(SESSION, next && JSON.stringify(next));
  }

  async function attempt(connecting: Attempt): Promise<void> {
    const { signal } = connecting;
    const url = session?.url ?? (await gatewayUrl(rest, signal));
    const stopping: (() => void)[] = [];
    try {
      await converse(url, connecting, stopping);
    } finally {
      for (const stop of stopping) stop();
      await keep(session, true);
    }
  }

  async function converse(url: string, connecting: Attempt, stopping: (() => void)[]): Promise<void> {
    const { signal } = connecting;
    let isReady = false;
    let isAnswered = true;

    const say = (line: Line, op: number, d: unknown): void => void line.say(JSON.stringify({ op, d }));
    const beat = (line: Line): void => {
      // Whoever does not answer is gone, though the connection may not know (a "zombie").
      if (!isAnswered) return line.close();
      isAnswered = false;
      say(line, OPCODE.heartbeat, session?.seq ?? null);
    };
    const greet = (line: Line, told: unknown): void => {
      const hello = v.safeParse(v.looseObject({ heartbeat_interval: v.pipe(v.number(), v.minValue(1000)) }), told);
      if (!hello.success) throw new Failure("unavailable", "Discord's greeting cannot be understood");
      const interval = hello.output.heartbeat_interval;
      const first = clock.after(interval * context.random(), () => {
        beat(line);
        stopping.push(clock.every(interval, () => beat(line)));
      });
      stopping.push(first);
      if (session) say(line, OPCODE.resume, { token: options.token, session_id: session.id, seq: session.seq });
      else say(line, OPCODE.identify, { token: options.token, intents: INTENTS, properties });
    };
    const started = (self: Self): void => {
      isReady = true;
      connecting.ready(self);
    };
    const happened = async (type: string, data: unknown, seq: number): Promise<void> => {
      if (type === "READY") {
        await keep(sessionOf(data, seq), true);
        if (session) started(session.self);
        return;
      }
      const own = session;
      if (!own) return;
      if (type === "RESUMED") started(own.self);
      await options.take({ type, data }, own.self);
      // Another connection may have gone on with it meanwhile, or begun anew.
      if (session?.id === own.id && seq > session.seq) await keep({ ...session, seq }, false);
    };

    const line = openLine(context, {
      label: "Discord",
      url: `${url.replace(/\/+$/, "")}/?v=10&encoding=json`,
      signal,
      goodbye: KEEP_SESSION,
      async heard(text, line) {
        const frame = v.safeParse(frameSchema, parseJson(text));
        if (!frame.success) throw new Failure("unavailable", "Discord says what cannot be understood");
        const { op, d, s, t } = frame.output;
        if (op === OPCODE.hello) greet(line, d);
        else if (op === OPCODE.ack) isAnswered = true;
        else if (op === OPCODE.heartbeat) say(line, OPCODE.heartbeat, session?.seq ?? null);
        else if (op === OPCODE.reconnect) line.close();
        else if (op === OPCODE.invalid) {
          if (d !== true) await keep(undefined, true);
          // Discord asks for a wait of 1 to 5 seconds before the next attempt (Gateway, "Resuming").
          await pause({ clock, signal }, 1000 + context.random() * 4000);
          line.close();
        } else if (op === OPCODE.event && typeof t === "string" && typeof s === "number") await happened(t, d, s);
      },
      reason(code) {
        if (code === 4007 || code === 4009) session = undefined;
        return reasonOf(code);
      },
    });
    stopping.push(clock.after(READY_MS, () => isReady || line.close()));
    await line.ended;
  }

  await keepConnected(context, attempt);
}

const properties = { os: "linux", browser: "clawlet", device: "clawlet" };

/** What a close code says that only a person can do something about. */
function reasonOf(code: number): Failure | undefined {
  const portal = "under Bot at https://discord.com/developers/applications";
  if (code === 4004) return new Failure("unauthorized", `Discord refuses the token: make a new one ${portal}`);
  if (code === 4014)
    return new Failure("config", `Discord withholds what is written: switch on Message Content Intent ${portal}`);
  if (code === 4010 || code === 4011)
    return new Failure("config", "Discord wants this bot to be sharded: it is in too many guilds for one connection");
  return code === 4013 ? new Failure("config", "Discord refuses the intents") : undefined;
}

async function gatewayUrl(rest: DiscordRest, signal: AbortSignal): Promise<string> {
  const told = v.safeParse(gatewaySchema, await rest.call("GET", "/gateway/bot", { signal }));
  if (!told.success) throw new Failure("unavailable", "Discord does not say where its Gateway is");
  const { url, session_start_limit: limit } = told.output;
  if (limit && limit.remaining <= 0)
    throw new Failure("rate-limited", "this bot has signed in too often today", { retryAfterMs: limit.reset_after });
  return url;
}

/** The token is sent there. */
const gatewayAddress = v.pipe(
  v.string(),
  v.url(),
  v.check((url) => /^wss:\/\/|^ws:\/\/(?:127\.0\.0\.1|localhost)[:/]/.test(url), "an encrypted address"),
);

const gatewaySchema = v.looseObject({
  url: gatewayAddress,
  session_start_limit: v.optional(v.looseObject({ remaining: v.number(), reset_after: v.number() })),
});

const readySchema = v.looseObject({
  session_id: v.string(),
  resume_gateway_url: gatewayAddress,
  user: v.looseObject({ id: v.string(), username: v.optional(v.string()) }),
});

function sessionOf(data: unknown, seq: number): Session {
  const ready = v.safeParse(readySchema, data);
  if (!ready.success) throw new Failure("unavailable", "Discord does not say which session began");
  const { session_id: id, resume_gateway_url: url, user } = ready.output;
  return { id, url, seq, self: { id: user.id, name: user.username } };
}

function sessionIn(text: string | undefined): Session | undefined {
  const found = v.safeParse(sessionSchema, parseJson(text ?? ""));
  return found.success ? found.output : undefined;
}
