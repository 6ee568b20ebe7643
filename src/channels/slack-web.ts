import * as v from "valibot";
import { Failure, type Code } from "../kit/error.ts";
import { repeatable } from "./channel-repeatable.ts";
import { ask, download } from "./channel-request.ts";
import type { ChannelContext, OutboundMedia } from "./channel.ts";

/** Slack's Web API (docs.slack.dev, "Web API methods"), asked with one token. */
export interface SlackWeb {
  /** What a method answered that said `ok`; `timeout` when that has not the shape that it should have. */
  call<S extends v.GenericSchema>(method: string, shape: S, options?: SlackCall): Promise<v.InferOutput<S>>;
  /** Puts a file where `files.completeUploadExternal` finds it; answers its id. */
  upload(file: OutboundMedia, signal: AbortSignal): Promise<string>;
  /** A file that somebody shared. The token goes to Slack's own hosts alone, and is not carried along by a redirect. */
  fetch(url: string, options: { readonly maxBytes: number; readonly signal: AbortSignal }): Promise<Uint8Array>;
}

export interface SlackCall {
  /** Values that are no text are sent as JSON; undefined ones not at all. */
  readonly params?: Readonly<Record<string, unknown>>;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number;
}

export function slackWeb(context: ChannelContext, { apiRoot, token }: { apiRoot: string; token: string }): SlackWeb {
  const headers = { authorization: `Bearer ${token}` };
  const root = apiRoot.replace(/\/+$/, "");

  /** Addresses come from Slack's own answers and from files that anybody shares: threat A. */
  function isSlacks(url: string): boolean {
    if (!URL.canParse(url)) return false;
    const { protocol, hostname, origin } = new URL(url);
    if (origin === new URL(root).origin) return true;
    return protocol === "https:" && (hostname === "slack.com" || hostname.endsWith(".slack.com"));
  }

  async function call<S extends v.GenericSchema>(
    method: string,
    shape: S,
    { params = {}, signal, timeoutMs }: SlackCall = {},
  ): Promise<v.InferOutput<S>> {
    const request = {
      label,
      url: `${root}/${method}`,
      headers,
      body: formOf(params),
      signal: signal ?? context.signal,
    };
    const answer = await ask(context, { ...request, ...(timeoutMs === undefined ? {} : { timeoutMs }) });
    const said = v.safeParse(answerShape, answer);
    if (said.success && !said.output.ok) throw refusal(method, said.output);
    const parsed = v.safeParse(shape, answer);
    if (!said.success || !parsed.success) throw new Failure("timeout", `${label} gave no proper answer to ${method}`);
    return parsed.output;
  }

  return {
    call,
    async upload({ data, fileName, mimeType }, signal) {
      const params = { filename: fileName, length: data.byteLength };
      const place = await repeatable(call("files.getUploadURLExternal", uploadShape, { params, signal }));
      if (!isSlacks(place.upload_url))
        throw new Failure("failed", `${label} gave no address of its own to upload ${JSON.stringify(fileName)} to`);
      // The address is the proof: it needs no token, and nothing is seen of the file before it is completed.
      const body = new Blob([new Uint8Array(data)], { type: mimeType });
      await repeatable(ask(context, { label, url: place.upload_url, body, signal }));
      return place.file_id;
    },
    async fetch(url, options) {
      if (!isSlacks(url)) throw new Failure("forbidden", "the file does not lie on a host of Slack: it is not fetched");
      const bytes = await download(context, { label, url, headers, ...options });
      // Whoever may not see a file is sent to a page where one signs in, with status 200.
      if (/^\s*<!doctype html/i.test(new TextDecoder().decode(bytes.subarray(0, 64))) && !/\.html?$/i.test(url))
        throw new Failure("forbidden", `${label} does not give the file: the app needs the scope files:read`);
      return bytes;
    },
  };
}

const label = "Slack";

/** Every method takes forms, and some take nothing else. */
function formOf(params: Readonly<Record<string, unknown>>): URLSearchParams {
  const form = new URLSearchParams();
  for (const [key, value] of Object.entries(params))
    if (value !== undefined) form.set(key, typeof value === "string" ? value : JSON.stringify(value));
  return form;
}

const answerShape = v.looseObject({
  ok: v.boolean(),
  error: v.optional(v.string()),
  needed: v.optional(v.string()),
});

const uploadShape = v.looseObject({ upload_url: v.string(), file_id: v.string() });

function refusal(method: string, { error = "", needed }: v.InferOutput<typeof answerShape>): Failure {
  const [code = "invalid-request", advice] = meanings[error] ?? [];
  const what = advice ?? (needed === undefined ? undefined : `the app needs the scope ${needed}`);
  const said = `${label} refused ${method}: ${error.slice(0, 100) || "it did not say why"}`;
  return new Failure(code, what === undefined ? said : `${said}: ${what}`, { details: { error: error.slice(0, 100) } });
}

const signIn = "look at the app's tokens at api.slack.com/apps";
const meanings: Readonly<Record<string, readonly [Code, string?]>> = {
  invalid_auth: ["unauthorized", signIn],
  not_authed: ["unauthorized", signIn],
  account_inactive: ["unauthorized", signIn],
  token_revoked: ["unauthorized", signIn],
  token_expired: ["unauthorized", signIn],
  org_login_required: ["unauthorized", signIn],
  not_allowed_token_type: ["unauthorized", "botToken begins with xoxb-, appToken with xapp-"],
  missing_scope: ["forbidden"],
  access_denied: ["forbidden"],
  no_permission: ["forbidden"],
  ekm_access_denied: ["forbidden"],
  restricted_action: ["forbidden", "the workspace's settings forbid it"],
  ratelimited: ["rate-limited"],
  rate_limited: ["rate-limited"],
  channel_not_found: ["not-found"],
  user_not_found: ["not-found"],
  users_not_found: ["not-found"],
  message_not_found: ["not-found"],
  thread_not_found: ["not-found"],
  file_not_found: ["not-found"],
  not_in_channel: ["invalid-request", "invite the app into the channel"],
  is_archived: ["invalid-request", "the channel is archived"],
  service_unavailable: ["unavailable"],
  internal_error: ["timeout"],
  fatal_error: ["timeout"],
  request_timeout: ["timeout"],
};
