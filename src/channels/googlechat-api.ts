import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import { parseJson } from "../kit/json.ts";
import type { ChannelContext, Self, SendOptions, Sent, Target } from "./channel.ts";
import { understood } from "./channel-answer.ts";
import { signJwt } from "./channel-jwt.ts";
import { uuidFor } from "./channel-uuid.ts";
import { angleLink, asterisks, withMarks, type Marks } from "./channel-marks.ts";
import { createRecent } from "./channel-recent.ts";
import { repeatable } from "./channel-repeatable.ts";
import { ask, download, type NetworkRequest } from "./channel-request.ts";
import { createAccessToken } from "./channel-token.ts";

/** What is asked of Google Chat. */
export interface GoogleChatApi {
  whoami(signal: AbortSignal): Promise<Self>;
  /** Our own user, as far as it is known. */
  botUser(): Promise<string | undefined>;
  /** Sends Markdown in Google's own marks; the same key again sends nothing more. */
  create(to: Target, text: string, options: SendOptions): Promise<Sent>;
  patch(message: string, text: string, signal: AbortSignal): Promise<void>;
  remove(message: string, signal: AbortSignal): Promise<void>;
  load(resource: string, options: { readonly maxBytes: number; readonly signal: AbortSignal }): Promise<Uint8Array>;
}

export interface ServiceAccount {
  readonly client_email: string;
  readonly private_key: string;
  readonly private_key_id?: string | undefined;
}

const API = "https://chat.googleapis.com/v1";
/** Not the one of the JSON: what we sign goes to Google, whatever a file says (threat A). */
const TOKENS = "https://oauth2.googleapis.com/token";
const SCOPE = "https://www.googleapis.com/auth/chat.bot";
const TOKEN_GOOD_FOR_S = 3600;
const label = "Google Chat";
const SPACES_KEPT = 500;
const BOT_USER = "bot-user";

const marks: Marks = { ...asterisks, bullet: "*", link: angleLink };

export function createGoogleChatApi(
  context: Pick<ChannelContext, "fetch" | "clock" | "kept" | "signal">,
  given: { readonly account: ServiceAccount; readonly botUser: string | undefined },
): GoogleChatApi {
  const { account } = given;
  const token = createAccessToken(context.clock, () => grant(context, account));
  const call = (path: string, rest: Partial<NetworkRequest> & Pick<NetworkRequest, "signal">): Promise<unknown> =>
    token.use((bearer) =>
      ask(context, { label, url: `${API}/${path}`, headers: { authorization: `Bearer ${bearer}` }, ...rest }),
    );
  /** The space of a person, who is not a place himself. */
  const spaces = createRecent<string>(SPACES_KEPT);

  async function spaceOf(to: string, signal: AbortSignal): Promise<string> {
    if (!to.startsWith("users/")) return to;
    const known = spaces.get(to);
    if (known !== undefined) return known;
    const answer = await call(`spaces:findDirectMessage?name=${encodeURIComponent(to)}`, { signal });
    const { name } = understood(spaceSchema, { label, answer });
    spaces.set(to, name);
    return name;
  }
  let learned: string | undefined;
  const botUser = async (): Promise<string | undefined> =>
    given.botUser ?? (learned ??= await context.kept.read(BOT_USER));

  return {
    botUser,
    async whoami(signal) {
      await call("spaces?pageSize=1", { signal });
      return { id: (await botUser()) ?? account.client_email, name: account.client_email };
    },
    async create({ to, thread }, text, { key, signal }) {
      const query = new URLSearchParams({ requestId: await uuidFor(`${to}\n${key}`) });
      if (thread !== undefined) query.set("messageReplyOption", "REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD");
      const json = { text: toChat(text), ...(thread === undefined ? {} : { thread: { name: thread } }) };
      const space = await spaceOf(to, signal);
      const answer = await repeatable(call(`${space}/messages?${query}`, { json, signal }));
      const { name, sender } = understood(messageSchema, { label, answer });
      if (sender !== undefined && (await botUser()) === undefined) await context.kept.write(BOT_USER, sender.name);
      return { id: name };
    },
    async patch(message, text, signal) {
      const json = { text: toChat(text) };
      await call(`${nameOf(message)}?updateMask=text`, { method: "PATCH", json, signal });
    },
    async remove(message, signal) {
      await call(nameOf(message), { method: "DELETE", signal });
    },
    load: (resource, { maxBytes, signal }) =>
      token.use((bearer) => {
        const url = `${API}/media/${resource.split("/").map(encodeURIComponent).join("/")}?alt=media`;
        return download(context, { label, url, headers: { authorization: `Bearer ${bearer}` }, signal, maxBytes });
      }),
  };
}

/** Whoever made the text up: it calls nobody by `<users/…>`, least of all everybody. */
function toChat(markdown: string): string {
  return withMarks(markdown, marks).replaceAll(/<(?=users\/)/gi, "<\u200b");
}

/** The parts of a service account's JSON that are needed, given as its text or already read. Throws `config`. */
export function serviceAccountOf(given: unknown): ServiceAccount {
  const parsed = v.safeParse(accountSchema, typeof given === "string" ? parseJson(given) : given);
  if (parsed.success) return parsed.output;
  throw new Failure(
    "config",
    "Google Chat needs channels.googlechat.serviceAccount: the whole JSON key of a service account, with client_email " +
      "and private_key (or serviceAccountFile, its path)",
  );
}

/** An access token for what the service account signs (RFC 7523). */
async function grant(
  context: Pick<ChannelContext, "fetch" | "clock" | "signal">,
  account: ServiceAccount,
): Promise<{ readonly token: string; readonly goodForMs: number }> {
  const iat = Math.floor(context.clock.now() / 1000);
  const claims = { iss: account.client_email, scope: SCOPE, aud: TOKENS, iat, exp: iat + TOKEN_GOOD_FOR_S };
  const assertion = await signJwt(claims, { privateKey: account.private_key, keyId: account.private_key_id });
  const body = new URLSearchParams({ grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", assertion });
  const asking = ask(context, {
    label: "Google",
    url: TOKENS,
    body,
    signal: context.signal,
    refusal: (status) =>
      status === 400 || status === 401
        ? new Failure("unauthorized", "Google does not take the key of the service account: make a new one")
        : undefined,
  });
  const answer = await repeatable(asking);
  const { access_token: token, expires_in: seconds } = understood(tokenSchema, { label: "Google", answer });
  return { token, goodForMs: seconds * 1000 };
}

function nameOf(message: string): string {
  if (/^spaces\/[\w-]+\/messages\/[\w.=-]+$/.test(message)) return message;
  throw new Failure("invalid-request", `${JSON.stringify(message)} is no message of Google Chat (spaces/…/messages/…)`);
}

const accountSchema = v.looseObject({
  client_email: v.pipe(v.string(), v.email()),
  private_key: v.pipe(v.string(), v.minLength(1)),
  private_key_id: v.optional(v.string()),
});
const tokenSchema = v.looseObject({ access_token: v.pipe(v.string(), v.minLength(1)), expires_in: v.number() });
const spaceSchema = v.looseObject({ name: v.pipe(v.string(), v.regex(/^spaces\/[\w-]+$/)) });
const messageSchema = v.looseObject({
  name: v.pipe(v.string(), v.minLength(1)),
  sender: v.optional(v.looseObject({ name: v.string() })),
});
