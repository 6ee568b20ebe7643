import type { Channel } from "../../../src/channels/channel.ts";
import type { NetworkDouble } from "../../contract/channel.ts";
import type { SentRequest } from "../channel-context.ts";
import { base64, call, hmac } from "./webhook-caller.ts";

/** LINE's side of a Messaging API channel: takes a message once per retry key, and signs what it tells. */
export interface LineDouble extends NetworkDouble {
  /** Messages as they were pushed, with who got them. */
  // eslint-disable-next-line typescript/no-explicit-any -- read by path in assertions
  readonly pushed: readonly any[];
  /** Tells of events; once. */
  tell(events: readonly object[], channel: Channel, secret?: string): Promise<Response>;
  /** The connection breaks after the next message was taken. */
  loseNext(): void;
  /** Answers the next request for a message with this. */
  answerNext(response: Response): void;
}

export const signIn = { channelAccessToken: "line-token-of-the-test", channelSecret: "line-secret-of-the-test" };
export const user = `U${"a1".repeat(16)}`;
export const group = `C${"b2".repeat(16)}`;

export function lineDouble(): LineDouble {
  const [pushed, sent, problems]: [object[], string[], string[]] = [[], [], []];
  const taken = new Map<string, string>();
  let waiting: Response | undefined;
  let losing = false;
  let count = 0;

  function answer({ url, method, headers, json }: SentRequest): Response {
    if (headers.get("authorization") !== `Bearer ${signIn.channelAccessToken}`) return wrong("the token is not ours");
    const path = `${method} ${url.hostname}${url.pathname}`;
    switch (path) {
      case "GET api.line.me/v2/bot/info":
        return Response.json({ userId: `U${"00".repeat(16)}`, basicId: "@us", displayName: "Us" });
      case `GET api.line.me/v2/bot/profile/${user}`:
      case `GET api.line.me/v2/bot/group/${group}/member/${user}`:
        return Response.json({ userId: user, displayName: "Ann" });
      case `GET api.line.me/v2/bot/group/${group}/summary`:
        return Response.json({ groupId: group, groupName: "Home" });
      case "GET api-data.line.me/v2/bot/message/40/content":
        return new Response("picture");
      case "GET api-data.line.me/v2/bot/message/41/content":
        return new Response(null, { status: 202 });
      case "POST api.line.me/v2/bot/chat/loading/start":
        if (json.chatId !== user || json.loadingSeconds % 5 !== 0 || json.loadingSeconds > 60) return wrong("loading");
        return Response.json({}, { status: 202 });
      case "POST api.line.me/v2/bot/message/push":
        return push(json, headers.get("x-line-retry-key") ?? "");
      default:
        return wrong(path);
    }
  }

  // eslint-disable-next-line typescript/no-explicit-any -- whatever was sent
  function push(json: any, key: string): Response {
    if (waiting) {
      const answer = waiting;
      waiting = undefined;
      return answer;
    }
    const [message, ...more] = json.messages;
    const isText = message.type === "text" && message.text.length > 0 && message.text.length <= 5000;
    if (!/^[UCR][0-9a-f]{32}$/.test(json.to) || !isText || more.length > 0) return wrong(JSON.stringify(json));
    if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(key)) return wrong("no retry key");
    const before = taken.get(key);
    if (before !== undefined)
      return Response.json({ message: "already accepted", sentMessages: [{ id: before }] }, { status: 409 });
    const id = `${1000 + ++count}`;
    taken.set(key, id);
    pushed.push({ to: json.to, ...message });
    sent.push(message.text);
    if (losing) {
      losing = false;
      throw new TypeError("connection reset");
    }
    return Response.json({ sentMessages: [{ id, quoteToken: "q" }] });
  }

  function wrong(why: string): Response {
    problems.push(why);
    return Response.json({ message: why }, { status: 400 });
  }

  async function requests(events: readonly object[], secret: string): Promise<() => Request> {
    const body = JSON.stringify({ destination: "U0", events });
    const headers = { "x-line-signature": base64(await hmac(secret, body)) };
    return () => new Request("https://us.example/line/webhook", { method: "POST", body, headers });
  }

  return {
    reached: { answer },
    settings: signIn,
    recipient: `line:user:${user}`,
    sent,
    problems,
    pushed,
    // It tells once, whatever it is answered.
    async write(text, channel) {
      const event = messageEvent({ type: "text", id: `${++count}`, text });
      await call(channel, (await requests([event], signIn.channelSecret))());
    },
    tell: async (events, channel, secret = signIn.channelSecret) => call(channel, (await requests(events, secret))()),
    limit: (seconds) =>
      void (waiting = Response.json(
        { message: "too many" },
        { status: 429, headers: { "retry-after": `${seconds}` } },
      )),
    loseNext: () => void (losing = true),
    answerNext: (response) => void (waiting = response),
  };
}

/** An event that tells of a message. */
export function messageEvent(message: object, source: object = { type: "user", userId: user }): object {
  return {
    type: "message",
    mode: "active",
    timestamp: 1795219200000,
    source,
    webhookEventId: "01HEVENT",
    deliveryContext: { isRedelivery: false },
    replyToken: "reply",
    message: { quoteToken: "quote-me", ...message },
  };
}
