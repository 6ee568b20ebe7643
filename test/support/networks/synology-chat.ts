import type { Channel } from "../../../src/channels/channel.ts";
import type { NetworkDouble } from "../../contract/channel.ts";
import type { SentRequest } from "../channel-context.ts";
import { call } from "./webhook-caller.ts";

/** A NAS with Synology Chat and a bot. */
export interface SynologyDouble extends NetworkDouble {
  /** Posts a form; once. Fields are laid over those of a good message, undefined leaves one out. */
  tell(fields: Readonly<Record<string, string | undefined>>, channel: Channel): Promise<Response>;
  /** Answers the next message with this. */
  answerNext(body: unknown): void;
}

export const signIn = {
  token: "synology-token-of-the-test",
  incomingUrl:
    "https://nas.example:5001/webapi/entry.cgi?api=SYNO.Chat.External&method=chatbot&version=2&token=%22x%22",
};

export function synologyDouble(): SynologyDouble {
  const [sent, problems]: [string[], string[]] = [[], []];
  let waiting: Response | undefined;
  let count = 0;

  function answer({ url, method, headers, text }: SentRequest): Response {
    const isForm = headers.get("content-type")?.startsWith("application/x-www-form-urlencoded") ?? false;
    const payload = JSON.parse(new URLSearchParams(text).get("payload") ?? "null");
    const [user, ...more] = payload?.user_ids ?? [];
    const isWhole = typeof payload?.text === "string" && payload.text.length <= 2000 && user === 4 && more.length === 0;
    if (method !== "POST" || url.href !== signIn.incomingUrl || !isForm || !isWhole) {
      problems.push(`${method} ${text}`);
      return Response.json({ success: false, error: { code: 120 } });
    }
    if (waiting) {
      const answer = waiting;
      waiting = undefined;
      return answer;
    }
    sent.push(payload.text);
    return Response.json({ success: true });
  }

  const request = (fields: Readonly<Record<string, string | undefined>>): Request => {
    const all = {
      token: signIn.token,
      user_id: "4",
      username: "ann",
      post_id: `${++count}`,
      timestamp: "1795219200000",
      text: "hi",
      ...fields,
    };
    const given = Object.entries(all).flatMap(([key, value]) =>
      value === undefined ? [] : [[key, value] as [string, string]],
    );
    return new Request("https://us.example/webhook/synology", { method: "POST", body: new URLSearchParams(given) });
  };

  return {
    reached: { answer },
    settings: signIn,
    recipient: "user:4",
    sent,
    problems,
    // It tells once, whatever it is answered.
    async write(text, channel) {
      const post = { text, post_id: `${++count}` };
      await call(channel, request(post));
    },
    tell: (fields, channel) => call(channel, request(fields)),
    limit: (seconds) => void (waiting = new Response(null, { status: 429, headers: { "retry-after": `${seconds}` } })),
    answerNext: (body) => void (waiting = Response.json(body)),
  };
}
