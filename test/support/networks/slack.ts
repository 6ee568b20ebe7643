import * as assert from "uvu/assert";
import type { SocketEvents, Socket } from "../../../src/host/socket.ts";
import type { JsonObject } from "../../../src/kit/json.ts";
import type { ContextOptions, ScriptedContext, SentRequest } from "../channel-context.ts";
import { strictly } from "./strict.ts";

/** Slack as it answers and refuses: the methods of its Web API that we use, and Socket Mode. */
export interface SlackDouble {
  readonly reached: ContextOptions;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly recipient: string;
  readonly sent: readonly string[];
  readonly problems: readonly string[];
  started(context: ScriptedContext): void;
  /** What every call said, the token apart, in order. */
  readonly calls: readonly { readonly method: string; readonly params: JsonObject }[];
  readonly acknowledged: readonly string[];
  /** Connections that stand. */
  readonly connections: number;
  readonly reactions: Set<string>;
  /** Answers this instead, once. */
  answerWith(method: string, answer: JsonObject): void;
  write(text: string): void;
  /** Sends an event of somebody in an envelope; answers its id. */
  event(event: JsonObject): string;
  envelope(type: string, payload: JsonObject): string;
  say(frame: JsonObject | string): void;
  revoke(): void;
  drop(): void;
  limit(seconds: number): void;
}

export const us = "U0CLAWD001";
const botToken = "xoxb-token-of-the-bot";
const appToken = "xapp-token-of-the-app";
let clock = 1_763_683_200;

export function slackDouble(more: Readonly<Record<string, unknown>> = {}): SlackDouble {
  const calls: { method: string; params: JsonObject }[] = [];
  const sent: string[] = [];
  const problems: string[] = [];
  const acknowledged: string[] = [];
  const tickets = new Set<string>();
  const pending = new Map<string, JsonObject>();
  const instead = new Map<string, JsonObject>();
  const reactions = new Set<string>();
  const uploads = new Map<string, { length: number; bytes?: Uint8Array }>();
  let sockets: Socket[] = [];
  let revoked = false;
  let wait = 0;
  let count = 0;
  let stop = (): void => undefined;

  function answer(request: SentRequest): Response {
    const { url, method, headers, body } = request;
    if (url.hostname === "files.slack.com") return file(request);
    assert.is(url.origin, "https://slack.com", "a token must not go anywhere else");
    assert.is(method, "POST");
    assert.match(headers.get("content-type") ?? "", /^application\/x-www-form-urlencoded/);
    const name = url.pathname.replace("/api/", "");
    assert.is(headers.get("authorization"), `Bearer ${name === "apps.connections.open" ? appToken : botToken}`);
    const params = Object.fromEntries(new URLSearchParams(new TextDecoder().decode(body)));
    calls.push({ method: name, params });
    if (revoked) return refuse("token_revoked");
    if (wait > 0 && name === "chat.postMessage") {
      const seconds = wait;
      wait = 0;
      return Response.json(
        { ok: false, error: "ratelimited" },
        { status: 429, headers: { "retry-after": `${seconds}` } },
      );
    }
    const scripted = instead.get(name);
    instead.delete(name);
    return scripted ? Response.json(scripted) : perform(name, params);
  }

  function perform(name: string, params: Record<string, string>): Response {
    const { channel = "", text = "", timestamp = "", name: emoji = "" } = params;
    const knows = /^[CDG]0[A-Z0-9]{5,}$/.test(channel);
    switch (name) {
      case "auth.test":
        return Response.json({ ok: true, user_id: us, user: "clawd", bot_id: "B0CLAWD001", team_id: "T0TEAM0001" });
      case "apps.connections.open": {
        const ticket = `ticket-${++count}`;
        tickets.add(ticket);
        return Response.json({ ok: true, url: `wss://wss-primary.slack.com/link/?ticket=${ticket}&app_id=A0APP00001` });
      }
      case "users.info":
        return params["user"]?.startsWith("U") === true
          ? Response.json({ ok: true, user: { id: params["user"], name: "alice", profile: { display_name: "Alice" } } })
          : refuse("user_not_found");
      case "conversations.open":
        return /^U[A-Z0-9]+$/.test(params["users"] ?? "")
          ? Response.json({ ok: true, channel: { id: "D0ALICE001" } })
          : refuse("user_not_found");
      case "conversations.info":
        return knows
          ? Response.json({ ok: true, channel: { id: channel, is_mpim: channel.startsWith("G0GROUP") } })
          : refuse("channel_not_found");
      case "conversations.list":
        assert.is(params["types"], "public_channel,private_channel");
        return params["cursor"] === "page2"
          ? Response.json({ ok: true, channels: [{ id: "C0GENERAL1", name: "general" }] })
          : Response.json({
              ok: true,
              channels: [{ id: "C0RANDOM01", name: "random" }],
              response_metadata: { next_cursor: "page2" },
            });
      case "chat.postMessage":
        if (!knows) return refuse("channel_not_found");
        if (text === "") return refuse("no_text");
        assert.ok(text.length <= 40_000);
        assert.equal([params["unfurl_links"], params["unfurl_media"]], ["false", "false"]);
        if (params["thread_ts"] !== undefined) assert.match(params["thread_ts"], /^\d+\.\d{6}$/);
        sent.push(text);
        return Response.json({ ok: true, channel, ts: nextTs() });
      case "chat.update":
      case "chat.delete":
        assert.match(params["ts"] ?? "", /^\d+\.\d{6}$/);
        return knows ? Response.json({ ok: true, ts: params["ts"] }) : refuse("channel_not_found");
      case "reactions.add":
        assert.match(timestamp, /^\d+\.\d{6}$/);
        if (reactions.has(emoji)) return refuse("already_reacted");
        reactions.add(emoji);
        return Response.json({ ok: true });
      case "reactions.get": {
        const own = [...reactions].map((each) => ({ name: each, users: ["U0SOMEBODY", us], count: 2 }));
        const others = { name: "eyes_of_others", users: ["U0SOMEBODY"], count: 1 };
        return Response.json({ ok: true, type: "message", message: { reactions: [...own, others] } });
      }
      case "reactions.remove":
        return reactions.delete(emoji) ? Response.json({ ok: true }) : refuse("no_reaction");
      case "files.getUploadURLExternal": {
        assert.ok(Number(params["length"]) > 0 && (params["filename"] ?? "") !== "");
        const id = `F0FILE${++count}`;
        uploads.set(id, { length: Number(params["length"]) });
        return Response.json({ ok: true, upload_url: `https://files.slack.com/upload/v1/${id}`, file_id: id });
      }
      case "files.completeUploadExternal": {
        const files: { id: string }[] = JSON.parse(params["files"] ?? "[]");
        if (!/^[CDG]0/.test(params["channel_id"] ?? "")) return refuse("channel_not_found");
        if (files.some(({ id }) => uploads.get(id)?.bytes === undefined)) return refuse("file_not_found");
        return Response.json({ ok: true, files });
      }
      case "files.delete":
        return uploads.delete(params["file"] ?? "") ? Response.json({ ok: true }) : refuse("file_not_found");
      default:
        return refuse("unknown_method");
    }
  }

  function file({ method, url, headers, body }: SentRequest): Response {
    const upload = uploads.get(url.pathname.split("/").at(-1) ?? "");
    if (method === "POST") {
      assert.ok(upload, "an address that was not given");
      assert.is(headers.get("authorization"), null, "the address is the proof");
      assert.is(body.byteLength, upload.length);
      upload.bytes = body;
      return new Response("OK");
    }
    if (headers.get("authorization") !== `Bearer ${botToken}`)
      return new Response("<!DOCTYPE html><html>Sign in</html>", { headers: { "content-type": "text/html" } });
    if (url.pathname.includes("moved"))
      return new Response(null, { status: 302, headers: { location: "https://elsewhere.test/" } });
    return new Response(url.pathname.includes("hidden") ? "<!DOCTYPE html>" : "bytes of a file");
  }

  function dialled(url: URL): SocketEvents {
    const ticket = url.searchParams.get("ticket") ?? "";
    assert.is(url.host, "wss-primary.slack.com");
    if (!tickets.delete(ticket)) throw new Error("a ticket is good for one connection");
    return {
      open(socket) {
        sockets.push(socket);
        socket.send(JSON.stringify({ type: "hello", num_connections: sockets.length, connection_info: {} }));
        for (const envelope of pending.values()) socket.send(JSON.stringify(envelope));
      },
      message(_, text) {
        const { envelope_id: id } = JSON.parse(text);
        if (!pending.delete(id)) problems.push(`nothing to acknowledge: ${text}`);
        acknowledged.push(id);
      },
      pong: () => undefined,
      drain: () => undefined,
      close: (socket) => void (sockets = sockets.filter((each) => each !== socket)),
    };
  }

  function envelope(type: string, payload: JsonObject): string {
    const id = `envelope-${++count}`;
    const whole = { envelope_id: id, type, accepts_response_payload: type !== "events_api", payload };
    pending.set(id, whole);
    sockets.at(-1)?.send(JSON.stringify(whole));
    return id;
  }

  const event = (body: JsonObject): string =>
    envelope("events_api", { type: "event_callback", team_id: "T0TEAM0001", event_id: `Ev${++count}`, event: body });

  return {
    reached: {
      answer: (request) =>
        strictly(
          problems,
          () => answer(request),
          (problem) => new Response(problem, { status: 400 }),
        ),
      dialled,
    },
    problems,
    /** What nobody acknowledged within three seconds is sent again. */
    started({ clock, context }) {
      stop = clock.every(3000, () => {
        for (const each of pending.values()) sockets.at(-1)?.send(JSON.stringify({ ...each, retry_attempt: 1 }));
      });
      context.signal.addEventListener("abort", () => stop(), { once: true });
    },
    settings: { botToken, appToken, ...more },
    recipient: "channel:C0GENERAL1",
    sent,
    calls,
    acknowledged,
    reactions,
    get connections() {
      return sockets.length;
    },
    answerWith: (method, given) => void instead.set(method, given),
    write: (text) => void event({ ...said, text, ts: nextTs() }),
    event,
    envelope,
    say(frame) {
      sockets.at(-1)?.send(typeof frame === "string" ? frame : JSON.stringify(frame));
    },
    revoke() {
      revoked = true;
      stop();
      for (const socket of sockets) socket.close(1000, "");
    },
    drop() {
      for (const socket of sockets) socket.terminate();
    },
    limit: (seconds) => void (wait = seconds),
  };
}

/** A message in a direct conversation. */
export const said = { type: "message", channel: "D0ALICE001", channel_type: "im", user: "U0ALICE001" };

export function nextTs(): string {
  return `${++clock}.000100`;
}

function refuse(error: string): Response {
  return Response.json({ ok: false, error });
}
