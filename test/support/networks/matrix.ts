import * as assert from "uvu/assert";
import type { JsonObject } from "../../../src/kit/json.ts";
import type { ContextOptions, ScriptedContext, SentRequest } from "../channel-context.ts";
import { strictly } from "./strict.ts";

/** A homeserver with one account of ours, a direct room with Alice, and a room of many. */
export interface MatrixDouble {
  readonly reached: ContextOptions;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly recipient: string;
  readonly sent: readonly string[];
  readonly problems: readonly string[];
  /** Everything that was put into rooms, in order. */
  readonly puts: readonly { readonly room: string; readonly type: string; readonly content: JsonObject }[];
  readonly joined: readonly string[];
  /** Logins by password. */
  readonly logins: readonly JsonObject[];
  readonly marks: Record<string, readonly string[]>;
  started(context: ScriptedContext): void;
  write(text: string): void;
  /** Something happens in a room; answers the event's id. */
  happen(room: string, event: JsonObject): string;
  invite(room: string, events: readonly JsonObject[]): void;
  /** The next sync has only the last so many events of each room. */
  forget(limit: number): void;
  answerWith(path: string, answer: () => Response): void;
  revoke(): void;
  drop(): void;
  limit(seconds: number): void;
}

export const us = "@clawd:hs.test";
export const alice = "@alice:hs.test";
export const directRoom = "!direct:hs.test";
export const wideRoom = "!wide:hs.test";
const token = "token-of-the-account";

export function matrixDouble(more: Readonly<Record<string, unknown>> = {}): MatrixDouble {
  const problems: string[] = [];
  const puts: { room: string; type: string; content: JsonObject }[] = [];
  const stream: { room: string; event: JsonObject }[] = [];
  const invitations: { at: number; room: string; events: readonly JsonObject[] }[] = [];
  const transactions = new Map<string, string>();
  const joined: string[] = [];
  const logins: JsonObject[] = [];
  const marks: Record<string, readonly string[]> = { [alice]: [directRoom] };
  const instead = new Map<string, () => Response>();
  let waiting: (() => void)[] = [];
  let good = token;
  let revoked = false;
  let wait = 0;
  let limit = Infinity;
  let count = 0;
  let clock: ScriptedContext["clock"] | undefined;
  let cut: (() => void)[] = [];

  const wake = (): void => {
    for (const each of waiting.splice(0)) each();
  };
  const members = (room: string): readonly string[] => (room === wideRoom ? [us, alice, "@bob:hs.test"] : [us, alice]);

  async function answer(request: SentRequest, signal: AbortSignal | null): Promise<Response> {
    const { method, url, headers } = request;
    const path = decodeURI(url.pathname).replace("/_matrix/client/", "");
    assert.is(url.origin, "https://hs.test", "a token must not go anywhere else");
    if (path === "v3/login") return login(request);
    if (headers.get("authorization") !== `Bearer ${good}` || revoked) return refuse(401, "M_UNKNOWN_TOKEN");
    const scripted = instead.get(path);
    instead.delete(path);
    if (scripted) return scripted();
    if (method === "GET" && path === "v3/sync") return sync(url, signal);
    return perform(request, path);
  }

  function login({ method, json }: SentRequest): Response {
    assert.is(method, "POST");
    logins.push(json);
    assert.equal([json.type, json.identifier?.type], ["m.login.password", "m.id.user"]);
    if (json.identifier.user !== us || json.password !== "the-password") return refuse(403, "M_FORBIDDEN");
    good = `token-${++count}`;
    revoked = false;
    return Response.json({ user_id: us, access_token: good, device_id: json.device_id ?? "DEVICE1" });
  }

  async function sync(url: URL, signal: AbortSignal | null): Promise<Response> {
    const since = url.searchParams.get("since");
    const filter = JSON.parse(url.searchParams.get("filter") ?? "{}");
    assert.ok(filter.room.timeline.limit > 0);
    if (since === null)
      return Response.json({ ...roomsOf(0, 1), next_batch: `s${stream.length + invitations.length}` });
    const from = Number(/^s(\d+)$/.exec(since)?.[1]);
    assert.ok(from >= 0, `not a place that was given: ${since}`);
    const place = (): number => stream.length + invitations.length;
    if (place() === from) await something(Number(url.searchParams.get("timeout")), signal);
    const most = Math.min(limit, filter.room.timeline.limit);
    limit = Infinity;
    return Response.json({ ...roomsOf(from, most), next_batch: `s${place()}` });
  }

  /** Events of rooms are counted together with invitations. */
  function roomsOf(from: number, most: number): JsonObject {
    const join: Record<string, JsonObject> = {};
    const invite: Record<string, JsonObject> = {};
    for (const { at, room, events } of invitations) if (at >= from) invite[room] = { invite_state: { events } };
    for (const room of new Set(stream.map((each) => each.room))) {
      const all = stream.filter((each) => each.room === room && Number(each.event["place"]) >= from);
      if (all.length === 0) continue;
      const events = all.slice(-most).map((each) => each.event);
      const limited = all.length > most;
      const state = [alice, us].map((id) => member(id));
      join[room] = {
        timeline: { events, limited, ...(limited ? { prev_batch: `p${from}-${all.length - most}-${room}` } : {}) },
        state: { events: state },
      };
    }
    return { rooms: { join, invite } };
  }

  function something(ms: number, signal: AbortSignal | null): Promise<void> {
    assert.is(ms, 30_000);
    return new Promise((resolve, reject) => {
      const stop = clock?.after(ms, () => resolve());
      const end = (): void => {
        stop?.();
        resolve();
      };
      waiting.push(end);
      cut.push(() => {
        stop?.();
        reject(new TypeError("the connection was reset"));
      });
      signal?.addEventListener("abort", () => stop?.(), { once: true });
    });
  }

  function perform(request: SentRequest, path: string): Response {
    const { method, json, url } = request;
    if (path === "v3/account/whoami") return Response.json({ user_id: us });
    if (path === `v3/user/${us}/account_data/m.direct`.replace(":", "%3A").replace("@", "%40"))
      return account(method, json);
    if (path.startsWith("v3/directory/room/"))
      return decodeURIComponent(path).endsWith("#lobby:hs.test")
        ? Response.json({ room_id: wideRoom, servers: ["hs.test"] })
        : refuse(404, "M_NOT_FOUND");
    if (path === "v3/createRoom") {
      assert.equal([method, json.is_direct, json.invite.length], ["POST", true, 1]);
      return Response.json({ room_id: `!made${++count}:hs.test` });
    }
    if (path.startsWith("v3/join/")) {
      const room = decodeURIComponent(path.slice("v3/join/".length));
      if (room.includes("dead")) return refuse(404, "M_UNKNOWN");
      joined.push(room);
      return Response.json({ room_id: room });
    }
    if (url.pathname === "/_matrix/media/v3/upload") {
      assert.ok(url.searchParams.get("filename") && request.body.byteLength > 0);
      assert.is(request.headers.get("content-type"), "image/png");
      return Response.json({ content_uri: "mxc://hs.test/Uploaded" });
    }
    if (path === "v1/media/download/hs.test/abc") return new Response("bytes of a file");
    const [, room = "", what = ""] = /^v[13]\/rooms\/([^/]+)\/(.+)$/.exec(path) ?? [];
    return what === "" ? refuse(404, "M_UNRECOGNIZED") : inRoom(request, decodeURIComponent(room), what);
  }

  function account(method: string, json: Record<string, readonly string[]>): Response {
    if (method === "GET") return Response.json(marks);
    for (const key of Object.keys(marks)) delete marks[key];
    Object.assign(marks, json);
    return Response.json({});
  }

  function inRoom({ method, json, url }: SentRequest, room: string, what: string): Response {
    const [act = "", ...rest] = what.split("/").map(decodeURIComponent);
    if (act === "joined_members")
      return Response.json({ joined: Object.fromEntries(members(room).map((id) => [id, {}])) });
    if (what === "state/m.room.name")
      return room === wideRoom ? Response.json({ name: "Wide" }) : refuse(404, "M_NOT_FOUND");
    if (act === "state")
      return members(room).includes(rest[1] ?? "") ? Response.json({ membership: "join" }) : refuse(404, "M_NOT_FOUND");
    if (act === "event") {
      const found = stream.find(({ event }) => event["event_id"] === rest[0]);
      return found ? Response.json(found.event) : refuse(404, "M_NOT_FOUND");
    }
    if (act === "messages") return earlier(url, room);
    if (act === "relations") {
      const own = puts
        .filter(({ type }) => type === "m.reaction")
        .map((_, index) => ({ event_id: `$mine${index}`, sender: us }));
      return Response.json({ chunk: [...own, { event_id: "$others", sender: alice }] });
    }
    assert.is(method, "PUT");
    if (act === "typing") {
      assert.equal([rest[0], json.typing], [us, true]);
      return Response.json({});
    }
    if (wait > 0) {
      const ms = wait * 1000;
      wait = 0;
      return Response.json({ errcode: "M_LIMIT_EXCEEDED", error: "Too many", retry_after_ms: ms }, { status: 429 });
    }
    if (room.startsWith("!gone")) return refuse(403, "M_FORBIDDEN");
    const [type = "", transaction = ""] = act === "redact" ? ["m.room.redaction", rest[1]] : rest;
    assert.ok(transaction.length > 0 && (act === "send" || act === "redact"), what);
    // The same transaction again is the same event.
    const known = transactions.get(`${type} ${transaction}`);
    if (known !== undefined) return Response.json({ event_id: known });
    const id = `$sent${++count}`;
    transactions.set(`${type} ${transaction}`, id);
    puts.push({ room, type, content: act === "redact" ? { redacts: rest[0] } : json });
    return Response.json({ event_id: id });
  }

  function earlier(url: URL, room: string): Response {
    const [, from, older] = /^p(\d+)-(\d+)-/.exec(url.searchParams.get("from") ?? "") ?? [];
    assert.is(url.searchParams.get("dir"), "b");
    const all = stream.filter((each) => each.room === room && Number(each.event["place"]) >= Number(from));
    const left = all.slice(0, Number(older)).map(({ event }) => event);
    const chunk = left.slice(-2).toReversed();
    const rest = left.length - chunk.length;
    return Response.json({ chunk, start: "x", ...(rest > 0 ? { end: `p${from}-${rest}-${room}` } : {}) });
  }

  function happen(room: string, event: JsonObject): string {
    const id = `$event${++count}`;
    const place = stream.length + invitations.length;
    const whole = { event_id: id, sender: alice, origin_server_ts: 1_763_683_300_000, type: "m.room.message" };
    stream.push({ room, event: { ...whole, place, ...event } });
    wake();
    return id;
  }

  return {
    reached: {
      async answer(request, signal) {
        const outcome = await answer(request, signal).catch((error: unknown) => {
          if (error instanceof TypeError) throw error;
          return (
            strictly(
              problems,
              () => Promise.reject(error),
              () => undefined,
            ) ?? refuse(400, "M_BAD_JSON")
          );
        });
        return outcome;
      },
    },
    settings: { homeserver: "https://hs.test", accessToken: token, ...more },
    recipient: wideRoom,
    problems,
    puts,
    joined,
    logins,
    marks,
    get sent() {
      return puts.filter(({ type }) => type === "m.room.message").map(({ content }) => String(content["body"]));
    },
    started: ({ clock: given }) => void (clock = given),
    write: (text) => void happen(directRoom, said(text)),
    happen,
    invite(room, events) {
      invitations.push({ at: stream.length + invitations.length, room, events });
      wake();
    },
    forget: (most) => void (limit = most),
    answerWith: (path, given) => void instead.set(path, given),
    revoke() {
      revoked = true;
      wake();
    },
    drop() {
      for (const each of cut.splice(0)) each();
      waiting = [];
    },
    limit: (seconds) => void (wait = seconds),
  };
}

export function said(body: string, more: JsonObject = {}): JsonObject {
  return { content: { msgtype: "m.text", body, ...more } };
}

export function member(id: string, content: JsonObject = {}): JsonObject {
  const name = id === alice ? { displayname: "Alice" } : {};
  return { type: "m.room.member", sender: id, state_key: id, content: { membership: "join", ...name, ...content } };
}

function refuse(status: number, errcode: string): Response {
  return Response.json({ errcode, error: "the double refuses it" }, { status });
}
