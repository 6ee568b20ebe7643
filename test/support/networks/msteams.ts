import type { Channel } from "../../../src/channels/channel.ts";
import type { NetworkDouble } from "../../contract/channel.ts";
import type { SentRequest } from "../channel-context.ts";
import { createJwtIssuer, type JwtIssuer } from "./jwt-issuer.ts";
import { call } from "./webhook-caller.ts";

/** Microsoft's side of a bot in Teams: the Bot Framework's tokens and its connector. */
export interface TeamsDouble extends NetworkDouble {
  /** What was asked of the connector: method, path after `/v3/conversations/`, body. */
  // eslint-disable-next-line typescript/no-explicit-any -- read by path in assertions
  readonly asked: readonly (readonly [method: string, path: string, body: any])[];
  /** Posts an activity; once. Claims are laid over good ones; `unendorsed` is signed by a key for other networks. */
  tell(activity: object, channel: Channel, claims?: object | "none" | "forged" | "unendorsed"): Promise<Response>;
}

export const signIn = {
  appId: "11111111-2222-3333-4444-555555555555",
  appPassword: "teams-password-of-the-test",
  tenantId: "99999999-2222-3333-4444-555555555555",
};
export const serviceUrl = "https://smba.trafficmanager.net/emea/";
export const person = "aaaaaaaa-2222-3333-4444-555555555555";
export const conversation = "a:1conversation";

/** Keys of Microsoft, one that is not for Teams, and of somebody who calls his key as Microsoft does. */
export interface TeamsKeys {
  readonly microsoft: JwtIssuer;
  readonly unendorsed: JwtIssuer;
  readonly forger: JwtIssuer;
}

/** New keys, which take long to make: one set will do for all doubles of a test file. */
export async function teamsKeys(): Promise<TeamsKeys> {
  const [microsoft, unendorsed, forger] = await Promise.all([
    createJwtIssuer("ms", { endorsements: ["msteams", "webchat"] }),
    createJwtIssuer("ms-2", { endorsements: ["webchat"] }),
    createJwtIssuer("ms"),
  ]);
  return { microsoft, unendorsed, forger };
}

export function teamsDouble({ microsoft, unendorsed, forger }: TeamsKeys): TeamsDouble {
  const asked: [string, string, unknown][] = [];
  const [sent, problems]: [string[], string[]] = [[], []];
  let waiting: Response | undefined;
  let count = 0;
  let now = (): number => 0;

  function answer(request: SentRequest): Response {
    const { url, method, headers, json } = request;
    if (url.href === "https://login.botframework.com/v1/.well-known/keys")
      return Response.json({ keys: [microsoft.jwk, unendorsed.jwk] });
    if (url.href === `https://login.microsoftonline.com/${signIn.tenantId}/oauth2/v2.0/token`)
      return grant(new URLSearchParams(request.text));
    if (url.hostname === "files-of-us.sharepoint.com")
      return headers.has("authorization") ? wrong("a token for SharePoint") : new Response("file");
    if (headers.get("authorization") !== "Bearer ms-token") return wrong(`a token is missing at ${url.host}`);
    if (url.href === `${serviceUrl}v3/attachments/1/views/original`) return new Response("picture");
    const path = url.href.startsWith(`${serviceUrl}v3/conversations/`)
      ? url.href.split("/v3/conversations/")[1]
      : undefined;
    if (path === undefined) return wrong(url.href);
    if (waiting && json?.type === "message") {
      const answer = waiting;
      waiting = undefined;
      return answer;
    }
    asked.push([method, decodeURIComponent(path), json]);
    if (method === "POST" && json?.type === "message") sent.push(json.text);
    if (method === "POST" || method === "PUT") return Response.json({ id: `out-${++count}` }, { status: 201 });
    return method === "DELETE" ? new Response(null, { status: 200 }) : wrong(method);
  }

  function grant(form: URLSearchParams): Response {
    const expected = {
      grant_type: "client_credentials",
      client_id: signIn.appId,
      client_secret: signIn.appPassword,
      scope: "https://api.botframework.com/.default",
    };
    if (JSON.stringify(Object.fromEntries(form)) !== JSON.stringify(expected)) return wrong("the sign-in");
    return Response.json({ token_type: "Bearer", expires_in: 3599, access_token: "ms-token" });
  }

  function wrong(why: string): Response {
    problems.push(why);
    return Response.json({ error: { code: "BadArgument", message: why } }, { status: 400 });
  }

  async function request(activity: object, changed: Parameters<TeamsDouble["tell"]>[2] = {}): Promise<Request> {
    const seconds = Math.floor(now() / 1000);
    const claims = {
      iss: "https://api.botframework.com",
      aud: signIn.appId,
      serviceurl: serviceUrl,
      nbf: seconds,
      exp: seconds + 3600,
      ...(typeof changed === "string" ? {} : changed),
    };
    const signer = changed === "forged" ? forger : changed === "unendorsed" ? unendorsed : microsoft;
    const headers: Record<string, string> =
      changed === "none" ? {} : { authorization: `Bearer ${await signer.sign(claims)}` };
    return new Request("https://us.example/api/messages", { method: "POST", body: JSON.stringify(activity), headers });
  }

  return {
    reached: {
      answer,
      kept: { conversations: JSON.stringify([[conversation, { serviceUrl, person }]]) },
    },
    started: ({ clock }) => void (now = () => clock.now()),
    settings: signIn,
    recipient: `user:${person}`,
    sent,
    problems,
    asked,
    // It tells once, whatever it is answered.
    async write(text, channel) {
      const activity = messageActivity({ id: `in-${++count}`, text });
      await call(channel, await request(activity));
    },
    tell: async (activity, channel, claims) => call(channel, await request(activity, claims)),
    limit: (seconds) => void (waiting = Response.json({}, { status: 429, headers: { "retry-after": `${seconds}` } })),
  };
}

/** A message of one person to us, unless the parts given say otherwise. */
export function messageActivity(parts: object): object {
  return {
    type: "message",
    id: "1795219200000",
    timestamp: "2026-11-21T00:00:00.1234567Z",
    serviceUrl,
    channelId: "msteams",
    from: { id: "29:1person", name: "Ann", aadObjectId: person },
    recipient: { id: `28:${signIn.appId}`, name: "Us" },
    conversation: { conversationType: "personal", id: conversation, tenantId: signIn.tenantId },
    channelData: { tenant: { id: signIn.tenantId } },
    text: "hi",
    ...parts,
  };
}

/** The parts of a message in a channel of a team, which answers another where `root` is not its own id. */
export function inChannel(root = "1795219200000"): object {
  return {
    conversation: {
      conversationType: "channel",
      isGroup: true,
      id: `19:channel@thread.tacv2;messageid=${root}`,
      tenantId: signIn.tenantId,
    },
    channelData: {
      tenant: { id: signIn.tenantId },
      team: { id: "19:team@thread.tacv2" },
      channel: { id: "19:channel@thread.tacv2" },
    },
  };
}
