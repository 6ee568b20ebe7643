import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import { type JsonObject, parseJson } from "../kit/json.ts";
import { openLine, type Line } from "./channel-socket.ts";
import type { Attempt } from "./channel-connection.ts";
import type { ChannelContext, Self } from "./channel.ts";

export interface SocketMode {
  /** Where the next connection is to be had: `apps.connections.open`. */
  readonly address: () => Promise<string>;
  /** Resolves when a payload was taken in; rejects when it is to come again. */
  readonly take: (kind: string, payload: unknown) => Promise<void>;
  readonly self: Self;
}

/** Slack gives up on an acknowledgement after three seconds, and sends the same again. */
const ACK_MS = 3000;
const HELLO_MS = 10_000;

/**
 * One stay in Slack's Socket Mode (docs.slack.dev, "Using Socket Mode"). Slack ends each connection after some hours, and
 * says so before: the next one is made first, so that nothing falls between the two.
 */
export async function stayInSocketMode(context: ChannelContext, attempt: Attempt, mode: SocketMode): Promise<void> {
  const open = new Set<Stay>();
  try {
    let current = await connect();
    attempt.ready(mode.self);
    while ((await current.event) === "refresh") {
      const next = await connect();
      current.line.close();
      current = next;
    }
    await current.line.ended;
  } finally {
    for (const { line } of open) line.close();
  }

  async function connect(): Promise<Stay> {
    const stay = enter(context, { url: await mode.address(), signal: attempt.signal, take: mode.take });
    open.add(stay);
    void stay.line.ended.catch(() => undefined).then(() => open.delete(stay));
    await stay.hello;
    return stay;
  }
}

interface Stay {
  readonly line: Line;
  /** Slack has greeted us: rejects when the connection ends before. */
  readonly hello: Promise<void>;
  /** Slack wants another connection, or this one has ended. */
  readonly event: Promise<"refresh" | "ended">;
}

function enter(
  context: ChannelContext,
  { url, signal, take }: { url: string; signal: AbortSignal; take: SocketMode["take"] },
): Stay {
  const { clock, log } = context;
  let [greeted, refresh]: [() => void, () => void] = [() => undefined, () => undefined];
  const greeting = new Promise<void>((resolve) => void (greeted = resolve));
  const refreshing = new Promise<"refresh">((resolve) => void (refresh = () => resolve("refresh")));

  const line = openLine(context, {
    label: "Slack",
    url,
    signal,
    async heard(text, from, at) {
      const parsed = v.safeParse(envelopeShape, parseJson(text));
      if (!parsed.success) return log.warn("Slack sent something else than its JSON: skipped");
      const { type, envelope_id: id, reason, payload } = parsed.output;
      if (type === "hello") return greeted();
      if (type === "disconnect") {
        if (reason === "link_disabled")
          throw new Failure("config", "Socket Mode is switched off in the app's settings");
        if (reason !== "warning" && reason !== "refresh_requested")
          throw new Failure("unavailable", `Slack ended the connection: ${(reason ?? "no reason").slice(0, 100)}`);
        return refresh();
      }
      if (id === undefined) return;
      try {
        await take(type, payload);
      } catch (error) {
        return log.warn("not taken in: Slack sends it again", { reason: Failure.from(error).message });
      }
      if (clock.monotonic() - at < ACK_MS) from.say(JSON.stringify({ envelope_id: id } satisfies JsonObject));
    },
  });
  const disarm = clock.after(HELLO_MS, () => line.close());
  const ended = line.ended.then(
    () => "ended" as const,
    () => "ended" as const,
  );
  void Promise.race([greeting, ended]).then(disarm);
  return {
    line,
    hello: Promise.race([greeting, line.ended.then(() => Promise.reject(new Failure("unavailable", silent)))]),
    event: Promise.race([refreshing, ended]),
  };
}

const silent = "Slack ended the connection without a greeting";

const envelopeShape = v.looseObject({
  type: v.string(),
  envelope_id: v.optional(v.string()),
  reason: v.optional(v.string()),
  payload: v.optional(v.unknown()),
});
