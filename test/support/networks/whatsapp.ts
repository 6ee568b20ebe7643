import type { Channel } from "../../../src/channels/channel.ts";
import type { NetworkDouble } from "../../contract/channel.ts";
import type { SentRequest } from "../channel-context.ts";
import { call, deliver, hex, hmac } from "./webhook-caller.ts";

/** Meta's side of a business number: refuses what the Cloud API refuses, and signs what it tells. */
export interface WhatsappDouble extends NetworkDouble {
  /** Everything but recipient and product of what was sent, in order. */
  readonly messages: readonly SentMessage[];
  /** Tells of one message with these parts; once. */
  tell(message: object, channel: Channel, options?: { secret?: string; number?: string }): Promise<Response>;
  /** Answers the next request for a message with this error of Meta's. */
  fail(status: number, code: number): void;
  /** The same for the one after the next. */
  failLater(status: number, code: number): void;
  /** Where it says that files are. */
  fileUrl: string;
}

// eslint-disable-next-line typescript/no-explicit-any -- read by path in assertions
type SentMessage = any;

export const signIn = {
  accessToken: "EAAmeta-token-of-the-test",
  phoneNumberId: "106540352242922",
  appSecret: "app-secret-of-the-test",
  verifyToken: "verify-me-of-the-test",
};
export const person = "15551234567";

export function whatsappDouble(): WhatsappDouble {
  const messages: SentMessage[] = [];
  const sent: string[] = [];
  const waiting: (Response | undefined)[] = [];
  const problems: string[] = [];
  let count = 0;

  async function answer(request: SentRequest): Promise<Response> {
    const { url, method } = request;
    if (request.headers.get("authorization") !== `Bearer ${signIn.accessToken}`)
      return wrong("the token is not the account's");
    if (url.origin === "https://lookaside.fbsbx.com") return new Response("picture");
    if (url.origin !== "https://graph.facebook.com") throw new TypeError(`nobody is at ${url.origin}`);
    const [, version = "", id, edge] = url.pathname.split("/");
    if (!/^v\d+\.0$/.test(version)) return wrong(`no version of the API: ${version}`);
    if (method === "GET" && id === "media-1" && url.searchParams.get("phone_number_id") === signIn.phoneNumberId)
      return Response.json({ url: double.fileUrl, mime_type: "image/jpeg", file_size: 7, id });
    if (id !== signIn.phoneNumberId) return wrong(`no such number: ${id}`);
    if (method === "GET" && edge === undefined) return Response.json({ id, verified_name: "The shop" });
    if (method === "POST" && edge === "media") return uploaded(request, wrong);
    if (method === "POST" && edge === "messages") return taken(request);
    return wrong(`${method} ${url.pathname}`);
  }

  function wrong(why: string): Response {
    problems.push(why);
    return refused(400, 100);
  }

  function taken({ json, headers }: SentRequest): Response {
    if (headers.get("content-type") !== "application/json" || json?.messaging_product !== "whatsapp")
      return wrong("a message that is none");
    const answer = waiting.shift();
    if (answer) return answer;
    const { messaging_product: _, recipient_type: recipient, to, ...message } = json;
    if (message.status !== undefined) {
      if (message.status !== "read" || !message.message_id.startsWith("wamid."))
        return wrong("no message is shown as read");
      messages.push(message);
      return Response.json({ success: true });
    }
    if (recipient !== "individual" || !/^[1-9]\d{6,14}$/.test(to) || !isWhole(message))
      return wrong(JSON.stringify(message));
    messages.push({ to, ...message });
    if (message.type === "text") sent.push(message.text.body);
    return Response.json({
      messaging_product: "whatsapp",
      contacts: [{ input: to, wa_id: to }],
      messages: [{ id: `wamid.out${++count}` }],
    });
  }

  async function post(value: object, channel: Channel, secret: string, again: boolean): Promise<Response> {
    const body = JSON.stringify({
      object: "whatsapp_business_account",
      entry: [{ id: "1", changes: [{ field: "messages", value }] }],
    });
    const signed = { "x-hub-signature-256": `sha256=${hex(await hmac(secret, body))}` };
    const request = (): Request =>
      new Request("https://us.example/whatsapp/webhook", { method: "POST", body, headers: signed });
    return again ? deliver(channel, request) : call(channel, request());
  }
  const valueOf = (message: object, number: string): object => ({
    messaging_product: "whatsapp",
    metadata: { display_phone_number: "15550001111", phone_number_id: number },
    contacts: [{ profile: { name: "Ann" }, wa_id: person }],
    messages: [{ from: person, id: `wamid.in${++count}`, timestamp: "1795219200", ...message }],
  });

  const double: WhatsappDouble = {
    reached: { answer },
    settings: signIn,
    recipient: `+${person}`,
    sent,
    problems,
    messages,
    fileUrl: "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1",
    async write(text, channel) {
      await post(
        valueOf({ type: "text", text: { body: text } }, signIn.phoneNumberId),
        channel,
        signIn.appSecret,
        true,
      );
    },
    tell: (message, channel, { secret = signIn.appSecret, number = signIn.phoneNumberId } = {}) =>
      post(valueOf(message, number), channel, secret, false),
    limit: (seconds) => void waiting.push(refused(429, 0, { "retry-after": String(seconds) })),
    failLater: (status, code) => void waiting.push(undefined, refused(status, code)),
    fail: (status, code) => void waiting.push(refused(status, code)),
  };
  return double;
}

function isWhole(message: SentMessage): boolean {
  const { type } = message;
  if (type === "text") return message.text.body.length > 0 && message.text.body.length <= 4096;
  if (type === "reaction")
    return typeof message.reaction.emoji === "string" && message.reaction.message_id.startsWith("wamid.");
  const file = message[type];
  if (!["image", "audio", "video", "document"].includes(type) || !file?.id.startsWith("uploaded-")) return false;
  return type !== "audio" || file.caption === undefined;
}

async function uploaded({ body, headers }: SentRequest, wrong: (why: string) => Response): Promise<Response> {
  const form = await new Response(new Uint8Array(body), {
    headers: { "content-type": headers.get("content-type") ?? "" },
  }).formData();
  const file = form.get("file");
  if (form.get("messaging_product") !== "whatsapp" || !(file instanceof File) || form.get("type") !== file.type)
    return wrong("a file that is none");
  return Response.json({ id: `uploaded-${file.name}` });
}

function refused(status: number, code: number, headers: Record<string, string> = {}): Response {
  return Response.json(
    { error: { message: "(#100) refused by the test", type: "OAuthException", code } },
    { status, headers },
  );
}
