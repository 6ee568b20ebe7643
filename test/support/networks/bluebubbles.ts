import type { Channel } from "../../../src/channels/channel.ts";
import type { NetworkDouble } from "../../contract/channel.ts";
import type { SentRequest } from "../channel-context.ts";
import { call } from "./webhook-caller.ts";

/** A Mac with a BlueBubbles server. */
export interface BlueBubblesDouble extends NetworkDouble {
  /** What was asked of it to change something: method and path, body. */
  // eslint-disable-next-line typescript/no-explicit-any -- read by path in assertions
  readonly asked: readonly (readonly [request: string, body: any])[];
  /** Posts an event; once. */
  tell(event: object, channel: Channel, query?: string): Promise<Response>;
  /** The connection breaks while the next message is on its way. */
  loseNext(): void;
}

export const signIn = { serverUrl: "http://192.168.1.10:1234", password: "blue-password-of-the-test" };
export const handle = "+15551234567";
export const chat = `iMessage;-;${handle}`;
export const group = "iMessage;+;chat123456";

export function blueBubblesDouble({ hasHelper = true }: { hasHelper?: boolean } = {}): BlueBubblesDouble {
  const asked: [string, unknown][] = [];
  const [sent, problems]: [string[], string[]] = [[], []];
  const queued = new Set<string>();
  let waiting: Response | undefined;
  let losing = false;
  let count = 0;

  async function answer({ url, method, headers, body, json }: SentRequest): Promise<Response> {
    if (url.origin !== signIn.serverUrl || url.searchParams.get("password") !== signIn.password)
      return Response.json(
        { status: 401, message: "Unauthorized", error: { message: `Missing password! ${url}` } },
        { status: 401 },
      );
    const path = decodeURIComponent(url.pathname.replace("/api/v1/", ""));
    if (`${method} ${path}` === "GET server/info")
      return Response.json({
        status: 200,
        data: { private_api: hasHelper, helper_connected: hasHelper, detected_imessage: "us@b.example" },
      });
    if (`${method} ${path}` === "GET attachment/at-1/download") return new Response("file");
    if (method !== "POST") return wrong(`${method} ${path}`);
    if (path === "message/text" || path === "message/attachment") {
      const type = headers.get("content-type") ?? "";
      const given =
        json ??
        Object.fromEntries(await new Response(new Uint8Array(body), { headers: { "content-type": type } }).formData());
      return take(path, given);
    }
    if (!hasHelper) return wrong(`${path} without the private API`);
    if (!/^(message\/(react|out-\d+\/(edit|unsend))|chat\/[^/]+\/(typing|read))$/.test(path)) return wrong(path);
    asked.push([path, json]);
    return Response.json({ status: 200, data: {} });
  }

  // eslint-disable-next-line typescript/no-explicit-any -- whatever was sent
  function take(path: string, given: any): Response {
    const { chatGuid, tempGuid, message, method, attachment, name } = given;
    if (waiting) {
      const answer = waiting;
      waiting = undefined;
      return answer;
    }
    if (!/^(iMessage|SMS|any);[-+];/.test(chatGuid) || !/^[0-9a-f-]{36}$/.test(tempGuid))
      return wrong(JSON.stringify(given));
    if (method !== (hasHelper ? "private-api" : "apple-script")) return wrong(`by ${method}`);
    if (path === "message/text" ? !message : !(attachment instanceof File) || !name) return wrong("an empty message");
    if (queued.has(tempGuid))
      return Response.json(
        { status: 400, error: { message: `Message is already queued to be sent (Temp GUID: ${tempGuid})!` } },
        { status: 400 },
      );
    queued.add(tempGuid);
    asked.push([path, { ...given, attachment: undefined }]);
    sent.push(message ?? name);
    if (losing) {
      losing = false;
      throw new TypeError("connection reset");
    }
    return Response.json({ status: 200, data: { guid: `out-${++count}` } });
  }

  function wrong(why: string): Response {
    problems.push(why);
    return Response.json({ status: 400, message: why }, { status: 400 });
  }

  const request = (event: object, query: string): Request =>
    new Request(`https://us.example/bluebubbles-webhook${query}`, { method: "POST", body: JSON.stringify(event) });

  const good = `?password=${signIn.password}`;
  return {
    reached: { answer },
    settings: signIn,
    recipient: handle,
    sent,
    problems,
    asked,
    // It tells once, whatever it is answered.
    async write(text, channel) {
      const event = messageEvent({ text, guid: `in-${++count}` });
      await call(channel, request(event, good));
    },
    tell: (event, channel, query = good) => call(channel, request(event, query)),
    limit: (seconds) => void (waiting = Response.json({}, { status: 429, headers: { "retry-after": `${seconds}` } })),
    loseNext: () => void (losing = true),
  };
}

/** An event that tells of a message, in a chat with one person unless `chats` says otherwise. */
export function messageEvent(data: object): object {
  return {
    type: "new-message",
    data: {
      guid: "in-1",
      text: "hi",
      handle: { originalROWID: 1, address: handle, service: "iMessage" },
      chats: [{ guid: chat, style: 45, chatIdentifier: handle, displayName: "" }],
      attachments: [],
      isFromMe: false,
      dateCreated: 1795219200000,
      associatedMessageGuid: null,
      itemType: 0,
      ...data,
    },
  };
}
