import type { Channel } from "../../../src/channels/channel.ts";
import type { NetworkDouble } from "../../contract/channel.ts";
import type { SentRequest } from "../channel-context.ts";
import { call, hex, hmac } from "./webhook-caller.ts";

/** A Nextcloud with Talk: checks what the bot signs, and signs what it tells. */
export interface TalkDouble extends NetworkDouble {
  /** Reactions of the bot as they were set and taken away. */
  readonly reactions: readonly string[];
  /** Bodies of the messages of the bot. */
  // eslint-disable-next-line typescript/no-explicit-any -- read by path in assertions
  readonly said: readonly any[];
  /** Posts an activity; once, with headers laid over good ones. */
  tell(
    activity: object,
    channel: Channel,
    changed?: { secret?: string; backend?: string; random?: string },
  ): Promise<Response>;
  /** Kind of the room, or the status with which looking it up is refused. */
  room: { readonly type?: number; readonly status?: number };
}

export const signIn = {
  baseUrl: "https://cloud.example.com/next/",
  botSecret: "talk-secret-of-the-test-that-is-long-enough-to-be-hashed-before-it-is-used-as-key",
};
export const reader = { apiUser: "reader", apiPassword: "reader-password-of-the-test" };
export const token = "a1b2c3d4";

export function talkDouble(): TalkDouble {
  const [sent, problems, reactions, said]: [string[], string[], string[], object[]] = [[], [], [], []];
  let waiting: Response | undefined;
  let count = 100;

  async function answer({ url, method, headers, json }: SentRequest): Promise<Response> {
    if (url.origin !== "https://cloud.example.com") return wrong(url.href);
    if (url.pathname === "/next/status.php")
      return Response.json({ installed: true, maintenance: false, productname: "Nextcloud" });
    if (headers.get("ocs-apirequest") !== "true") return wrong("no OCS-APIRequest");
    const api = url.pathname.replace("/next/ocs/v2.php/apps/spreed/api/", "");
    if (api === `v4/room/${token}` && method === "GET") {
      if (headers.get("authorization") !== `Basic ${btoa(`${reader.apiUser}:${reader.apiPassword}`)}`)
        return wrong("who asks");
      const { type, status } = double.room;
      return status === undefined ? Response.json({ ocs: { data: { token, type } } }) : new Response(null, { status });
    }
    const signed = json?.message ?? json?.reaction;
    const random = headers.get("x-nextcloud-talk-bot-random") ?? "";
    const mark = hex(await hmac(signIn.botSecret, random + signed));
    if (random.length < 32 || headers.get("x-nextcloud-talk-bot-signature") !== mark)
      return Response.json({ ocs: {} }, { status: 401 });
    if (waiting) {
      const answer = waiting;
      waiting = undefined;
      return answer;
    }
    const reacted = new RegExp(`^v1/bot/${token}/reaction/(\\d+)$`).exec(api)?.[1];
    if (reacted !== undefined && (method === "POST" || method === "DELETE") && signed !== "") {
      reactions.push(`${method} ${reacted} ${signed}`);
      return Response.json({ ocs: { data: {} } }, { status: method === "POST" ? 201 : 200 });
    }
    if (api !== `v1/bot/${token}/message` || method !== "POST") return wrong(`${method} ${api}`);
    const isWhole = signed.length > 0 && signed.length <= 32_000 && /^[0-9a-f]{1,64}$/.test(json.referenceId);
    if (!isWhole || (json.replyTo !== undefined && !Number.isInteger(json.replyTo))) return wrong(JSON.stringify(json));
    said.push(json);
    sent.push(signed);
    return Response.json({ ocs: { meta: { statuscode: 201 }, data: null } }, { status: 201 });
  }

  function wrong(why: string): Response {
    problems.push(why);
    return new Response(null, { status: 400 });
  }

  async function request(
    activity: object,
    changed: { secret?: string; backend?: string; random?: string },
  ): Promise<() => Request> {
    const { secret = signIn.botSecret, backend = "https://cloud.example.com/next", random = "r".repeat(64) } = changed;
    const body = JSON.stringify(activity);
    const headers = {
      "x-nextcloud-talk-random": random,
      "x-nextcloud-talk-signature": hex(await hmac(secret, random + body)),
      "x-nextcloud-talk-backend": backend,
    };
    return () => new Request("https://us.example/nextcloud-talk-webhook", { method: "POST", body, headers });
  }

  const double: TalkDouble = {
    reached: { answer },
    settings: signIn,
    recipient: `room:${token}`,
    sent,
    problems,
    reactions,
    said,
    room: { type: 1 },
    // It tells once, whatever it is answered.
    async write(text, channel) {
      await call(channel, (await request(noteActivity({ text, id: `${++count}` }), {}))());
    },
    tell: async (activity, channel, changed = {}) => call(channel, (await request(activity, changed))()),
    limit: (seconds) => void (waiting = new Response(null, { status: 429, headers: { "retry-after": `${seconds}` } })),
  };
  return double;
}

/** An activity that tells of a message. */
export function noteActivity({
  text = "hi",
  id = "7",
  parameters = {},
  actor = "users/ann",
  more = {},
}: {
  text?: string;
  id?: string;
  parameters?: object;
  actor?: string;
  more?: object;
}): object {
  const content = JSON.stringify({ message: text, parameters });
  return {
    type: "Create",
    actor: { type: "Person", id: actor, name: "Ann" },
    object: { type: "Note", id, name: "message", content, mediaType: "text/markdown", ...more },
    target: { type: "Collection", id: token, name: "Team" },
  };
}
