import * as assert from "uvu/assert";
import type { Socket, SocketEvents } from "../../../src/host/socket.ts";
import type { JsonObject } from "../../../src/kit/json.ts";
import type { ContextOptions, SentRequest } from "../channel-context.ts";
import { strictly } from "./strict.ts";

/** A server of Mattermost with our bot, Alice and Bob. */
export interface MattermostDouble {
  readonly reached: ContextOptions;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly recipient: string;
  readonly sent: readonly string[];
  readonly problems: readonly string[];
  readonly posts: readonly JsonObject[];
  readonly calls: readonly string[];
  readonly typings: readonly JsonObject[];
  write(text: string): void;
  /** Somebody posts; answers the post's id. */
  post(post: JsonObject, chat?: JsonObject): string;
  say(frame: JsonObject | string): void;
  /** The next event is lost on its way. */
  lose(): void;
  revoke(): void;
  drop(): void;
  limit(seconds: number): void;
}

const idOf = (name: string): string => name.padEnd(26, "0");
export const us = idOf("clawd");
export const alice = idOf("alice");
export const direct = idOf("direct");
export const town = idOf("town");
const botToken = "token-of-the-bot";
/** Later than the tests' clock begins, as messages are. */
const begin = Date.UTC(2026, 10, 21) + 1000;

export function mattermostDouble(more: Readonly<Record<string, unknown>> = {}): MattermostDouble {
  const problems: string[] = [];
  const posts: JsonObject[] = [];
  const written: JsonObject[] = [];
  const calls: string[] = [];
  const typings: JsonObject[] = [];
  const pending = new Map<string, string>();
  const reactions = new Set<string>();
  let open: { readonly socket: Socket; seq: number }[] = [];
  let revoked = false;
  let lost = false;
  let wait = 0;
  let count = 0;

  function answer({ method, url, headers, json, body }: SentRequest): Response {
    assert.is(url.origin, "https://chat.test", "a token must not go anywhere else");
    if (headers.get("authorization") !== `Bearer ${botToken}` || revoked) return refuse(401);
    const path = url.pathname.replace("/api/v4/", "");
    const call = `${method} ${path}`;
    calls.push(call);
    if (call === "GET users/me") return Response.json({ id: us, username: "clawd", is_bot: true });
    if (call === "GET users/username/alice") return Response.json({ id: alice, username: "alice" });
    if (call === "GET users/me/channels")
      return Response.json([
        { id: direct, type: "D", team_id: "", last_post_at: lastIn(direct) },
        { id: town, type: "O", team_id: idOf("team"), last_post_at: lastIn(town) },
      ]);
    if (call === "POST channels/direct") {
      assert.equal(json, [us, alice]);
      return Response.json({ id: direct, type: "D" });
    }
    const listed = /^GET channels\/([a-z0-9]+)\/posts$/.exec(call)?.[1];
    if (listed !== undefined) {
      const since = Number(url.searchParams.get("since"));
      const found = written.filter((post) => post["channel_id"] === listed && Number(post["create_at"]) > since);
      const changed = { ...found[0], id: idOf("changed"), create_at: 5, message: "an old one that was changed" };
      return Response.json({
        order: [],
        posts: Object.fromEntries([...found, changed].map((post) => [String(post["id"]), post])),
      });
    }
    const post = /^GET posts\/([a-z0-9]+)$/.exec(call)?.[1];
    if (post !== undefined) {
      const found = [...written, ...posts].find(({ id }) => id === post);
      return found ? Response.json(found) : refuse(404);
    }
    if (call === "POST posts") return create(json);
    if (call === "POST files") {
      assert.ok(url.searchParams.get("filename") && url.searchParams.get("channel_id") && body.byteLength > 0);
      return Response.json({ file_infos: [{ id: idOf("file") }] }, { status: 201 });
    }
    if (/^GET files\/[a-z0-9]{26}$/.test(call)) return new Response("bytes of a file");
    if (call === "POST reactions") {
      assert.equal([json.user_id, json.emoji_name], [us, "+1"]);
      reactions.add(json.emoji_name);
      return Response.json(json, { status: 201 });
    }
    if (/^GET posts\/[a-z0-9]{26}\/reactions$/.test(call))
      return Response.json([
        { user_id: alice, emoji_name: "eyes" },
        ...[...reactions].map((name) => ({ user_id: us, emoji_name: name })),
      ]);
    if (/^DELETE users\/clawd0+\/posts\/[a-z0-9]{26}\/reactions\/%2B1$/.test(call)) {
      reactions.clear();
      return Response.json({ status: "OK" });
    }
    if (/^PUT posts\/[a-z0-9]{26}\/patch$/.test(call)) return Response.json({ id: "x", message: json.message });
    if (/^DELETE posts\/[a-z0-9]{26}$/.test(call)) return Response.json({ status: "OK" });
    return refuse(404);
  }

  function create(json: JsonObject): Response {
    if (wait > 0) {
      const headers = { "x-ratelimit-limit": "10", "x-ratelimit-remaining": "0", "x-ratelimit-reset": `${wait}` };
      wait = 0;
      return new Response("limit exceeded", { status: 429, headers });
    }
    assert.match(String(json["channel_id"]), /^[a-z0-9]{26}$/);
    assert.match(String(json["root_id"]), /^(?:[a-z0-9]{26})?$/);
    assert.ok(json["message"] !== "" || (Array.isArray(json["file_ids"]) && json["file_ids"].length > 0));
    const key = String(json["pending_post_id"]);
    const known = pending.get(key);
    if (known !== undefined) return Response.json({ id: known });
    const id = idOf(`post${++count}`);
    pending.set(key, id);
    posts.push({ ...json, id, user_id: us });
    return Response.json({ id }, { status: 201 });
  }

  function dialled(url: URL): SocketEvents {
    assert.is(String(url), "wss://chat.test/api/v4/websocket");
    return {
      open: () => undefined,
      message(socket, text) {
        const { action, seq, data } = JSON.parse(text);
        if (action === "user_typing") {
          typings.push(data);
          return;
        }
        if (action !== "authentication_challenge" || data.token !== botToken || revoked) {
          socket.send(JSON.stringify({ status: "FAIL", error: { id: "x" }, seq_reply: seq }));
          return;
        }
        const connection = { socket, seq: 0 };
        open.push(connection);
        socket.send(JSON.stringify({ status: "OK", seq_reply: seq }));
        send(connection, { event: "hello", data: { server_version: "10.5.0" } });
      },
      pong: () => undefined,
      drain: () => undefined,
      close: (socket) => void (open = open.filter((each) => each.socket !== socket)),
    };
  }

  function send(connection: { readonly socket: Socket; seq: number }, event: JsonObject): void {
    connection.socket.send(JSON.stringify({ ...event, broadcast: {}, seq: connection.seq++ }));
  }

  function post(given: JsonObject, chat: JsonObject = { channel_type: "O" }): string {
    const id = idOf(`post${++count}`);
    const whole = {
      id,
      create_at: begin + count,
      user_id: alice,
      channel_id: town,
      root_id: "",
      message: "",
      type: "",
      ...given,
    };
    written.push(whole);
    const connection = open.at(-1);
    if (lost && connection) connection.seq++;
    else if (connection)
      send(connection, {
        event: "posted",
        data: { team_id: idOf("team"), sender_name: "@alice", ...chat, post: JSON.stringify(whole) },
      });
    lost = false;
    return id;
  }

  const lastIn = (chat: string): number =>
    Math.max(0, ...written.filter((each) => each["channel_id"] === chat).map((each) => Number(each["create_at"])));

  return {
    reached: {
      answer: (request) =>
        strictly(
          problems,
          () => answer(request),
          () => refuse(400),
        ),
      dialled,
    },
    settings: { baseUrl: "https://chat.test", botToken, ...more },
    recipient: `channel:${town}`,
    problems,
    posts,
    calls,
    typings,
    get sent() {
      return posts.map(({ message }) => String(message));
    },
    write: (text) => void post({ channel_id: direct, message: text }, { channel_type: "D", team_id: "" }),
    post,
    say: (frame) => void open.at(-1)?.socket.send(typeof frame === "string" ? frame : JSON.stringify(frame)),
    lose: () => void (lost = true),
    revoke() {
      revoked = true;
      for (const { socket } of open) socket.close(1000, "");
    },
    drop() {
      for (const { socket } of open) socket.terminate();
    },
    limit: (seconds) => void (wait = seconds),
  };
}

function refuse(status: number): Response {
  return Response.json(
    { id: "api.context.refused", message: "the double refuses it", status_code: status },
    { status },
  );
}
