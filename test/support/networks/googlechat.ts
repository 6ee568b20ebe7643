import type { Channel } from "../../../src/channels/channel.ts";
import type { NetworkDouble } from "../../contract/channel.ts";
import type { SentRequest } from "../channel-context.ts";
import { createJwtIssuer, type JwtIssuer } from "./jwt-issuer.ts";
import { call } from "./webhook-caller.ts";

/** Google's side of a Chat app: checks what our service account signs, and signs what it tells. */
export interface GoogleChatDouble extends NetworkDouble {
  /** What was asked of Chat's API to change something: method, path with query, body. */
  // eslint-disable-next-line typescript/no-explicit-any -- read by path in assertions
  readonly asked: readonly (readonly [method: string, path: string, body: any])[];
  /** Posts an event; once. Claims are laid over good ones. */
  tell(event: object, channel: Channel, claims?: object | "none" | "forged"): Promise<Response>;
  /** Tokens that were granted are good no longer. */
  forgetTokens(): void;
  readonly granted: number;
}

export const audience = "https://us.example/googlechat";
export const space = "spaces/AAAAtest";
export const user = "users/1001";
export const us = "users/2002";

/** Keys of Google, of our service account, and of somebody who calls his key as Google does. */
export interface GoogleKeys {
  readonly google: JwtIssuer;
  readonly account: JwtIssuer;
  readonly forger: JwtIssuer;
}

/** New keys, which take long to make: one set will do for all doubles of a test file. */
export async function googleKeys(): Promise<GoogleKeys> {
  const [google, account, forger] = await Promise.all(
    ["google", "account", "google"].map((kid) => createJwtIssuer(kid)),
  );
  if (!google || !account || !forger) throw new Error("a key was not made");
  return { google, account, forger };
}

export function googleChatDouble({ google, account, forger }: GoogleKeys, audienceType = "app-url"): GoogleChatDouble {
  const asked: [string, string, unknown][] = [];
  const [sent, problems]: [string[], string[]] = [[], []];
  const created = new Map<string, string>();
  let waiting: Response | undefined;
  let [granted, good, count] = [0, "", 0];
  let now = (): number => 0;

  async function answer(request: SentRequest): Promise<Response> {
    const { url, method, headers, json } = request;
    const keySet =
      audienceType === "app-url"
        ? "https://www.googleapis.com/oauth2/v3/certs"
        : "https://www.googleapis.com/service_accounts/v1/jwk/chat@system.gserviceaccount.com";
    if (url.href === keySet) return Response.json({ keys: [google.jwk] });
    if (url.href === "https://oauth2.googleapis.com/token") return grant(new URLSearchParams(request.text));
    if (url.origin !== "https://chat.googleapis.com") return wrong(url.href);
    if (headers.get("authorization") !== `Bearer ${good}`) return Response.json({}, { status: 401 });
    const path = url.pathname.replace("/v1/", "");
    if (method === "GET" && path === "spaces") return Response.json({});
    if (method === "GET" && path === "spaces:findDirectMessage")
      return url.searchParams.get("name") === user
        ? Response.json({ name: space })
        : Response.json({}, { status: 404 });
    if (method === "GET" && path === "media/a%2Bb/c" && url.searchParams.get("alt") === "media")
      return new Response("file");
    asked.push([method, path + url.search, json]);
    const isText = typeof json?.text === "string" && json.text.length <= 4096;
    if (method === "POST" && path === `${space}/messages` && isText) return create(url.searchParams, json);
    if (method === "PATCH" && /^spaces\/\w+\/messages\/[\w.]+$/.test(path) && isText)
      return Response.json({ name: path });
    if (method === "DELETE" && /^spaces\/\w+\/messages\/[\w.]+$/.test(path)) return Response.json({});
    return wrong(`${method} ${path}`);
  }

  async function grant(form: URLSearchParams): Promise<Response> {
    const claims = await account.verified(form.get("assertion") ?? "");
    const [iat, exp] = [Number(claims?.["iat"]), Number(claims?.["exp"])];
    if (form.get("grant_type") !== "urn:ietf:params:oauth:grant-type:jwt-bearer" || !claims)
      return wrong("no assertion");
    if (
      claims["aud"] !== "https://oauth2.googleapis.com/token" ||
      exp - iat > 3600 ||
      Math.abs(iat - now() / 1000) > 300
    )
      return wrong(JSON.stringify(claims));
    if (claims["scope"] !== "https://www.googleapis.com/auth/chat.bot") return wrong("the scope");
    good = `ya29.token-${++granted}`;
    return Response.json({ access_token: good, expires_in: 3599, token_type: "Bearer" });
  }

  // eslint-disable-next-line typescript/no-explicit-any -- whatever was sent
  function create(query: URLSearchParams, json: any): Response {
    if (waiting) {
      const answer = waiting;
      waiting = undefined;
      return answer;
    }
    const id = query.get("requestId") ?? "";
    if (!/^[0-9a-f-]{36}$/.test(id)) return wrong("no requestId");
    const name = created.get(id) ?? `${space}/messages/${++count}.1`;
    if (!created.has(id)) sent.push(json.text);
    created.set(id, name);
    return Response.json({ name, sender: { name: us, type: "BOT" } });
  }

  function wrong(why: string): Response {
    problems.push(why);
    return Response.json({ error: { code: 400, message: why, status: "INVALID_ARGUMENT" } }, { status: 400 });
  }

  async function request(event: object, changed: object | "none" | "forged" = {}): Promise<Request> {
    const seconds = Math.floor(now() / 1000);
    const chat = "chat@system.gserviceaccount.com";
    const who =
      audienceType === "app-url"
        ? { iss: "https://accounts.google.com", aud: audience, email: chat, email_verified: true }
        : { iss: chat, aud: audience };
    const claims = { ...who, iat: seconds, exp: seconds + 3600, ...(typeof changed === "string" ? {} : changed) };
    const token = await (changed === "forged" ? forger : google).sign(claims);
    const headers = {
      "content-type": "application/json",
      ...(changed === "none" ? {} : { authorization: `Bearer ${token}` }),
    };
    return new Request(audience, { method: "POST", body: JSON.stringify(event), headers });
  }

  return {
    reached: { answer },
    started: ({ clock }) => void (now = () => clock.now()),
    settings: {
      audienceType,
      audience,
      serviceAccount: JSON.stringify({
        type: "service_account",
        client_email: "us@p.iam.gserviceaccount.com",
        private_key: account.pem,
      }),
    },
    recipient: user,
    sent,
    problems,
    asked,
    get granted() {
      return granted;
    },
    // It tells once, whatever it is answered.
    async write(text, channel) {
      const event = messageEvent({ name: `${space}/messages/in${++count}`, text });
      await call(channel, await request(event));
    },
    tell: async (event, channel, claims) => call(channel, await request(event, claims)),
    forgetTokens: () => void (good = ""),
    limit: (seconds) => void (waiting = Response.json({}, { status: 429, headers: { "retry-after": `${seconds}` } })),
  };
}

/** An event that tells of a message, in a chat with one person unless its space says otherwise. */
export function messageEvent(message: object, kind = "DIRECT_MESSAGE"): object {
  return {
    type: "MESSAGE",
    eventTime: "2026-11-21T00:00:00.123456Z",
    space: { name: space, spaceType: kind, displayName: "Team" },
    message: {
      name: `${space}/messages/m1`,
      sender: { name: user, displayName: "Ann", type: "HUMAN" },
      createTime: "2026-11-21T00:00:00.123456Z",
      text: "hi",
      thread: { name: `${space}/threads/t1` },
      ...message,
    },
  };
}
