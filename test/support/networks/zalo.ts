import * as assert from "uvu/assert";
import type { Channel } from "../../../src/channels/channel.ts";
import type { JsonObject } from "../../../src/kit/json.ts";
import type { ContextOptions, ScriptedContext, SentRequest } from "../channel-context.ts";
import { strictly } from "./strict.ts";

/** Zalo's Bot API with one bot. */
export interface ZaloDouble {
  readonly reached: ContextOptions;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly recipient: string;
  readonly sent: readonly string[];
  readonly problems: readonly string[];
  readonly webhook: { readonly url: string; readonly secret_token: string } | undefined;
  started(context: ScriptedContext): void;
  write(text: string, channel?: Channel): Promise<void> | void;
  update(update: JsonObject): void;
  revoke(): void;
  drop(): void;
  limit(seconds: number): void;
}

const botToken = "12345:token-of-the-bot";

export function zaloDouble(more: Readonly<Record<string, unknown>> = {}): ZaloDouble {
  const problems: string[] = [];
  const sent: string[] = [];
  const updates: JsonObject[] = [];
  let webhook: ZaloDouble["webhook"];
  let waiting: { done(): void; cut(): void } | undefined;
  let clock: ScriptedContext["clock"] | undefined;
  let revoked = false;
  let wait = 0;
  let count = 0;

  async function answer({ url, method, json }: SentRequest, signal: AbortSignal | null): Promise<Response> {
    if (url.hostname === "photo.zdn.vn") return new Response("bytes of a picture");
    assert.is(url.origin, "https://bot-api.zaloplatforms.com", "a token must not go anywhere else");
    assert.is(method, "POST");
    const [, token, name] = /^\/bot([^/]+)\/(\w+)$/.exec(url.pathname) ?? [];
    if (token !== botToken || revoked) return refuse(401, "Unauthorized");
    switch (name) {
      case "getMe":
        return given({ id: "1459232241454765289", account_name: "bot.VDKyGxQvc", can_join_groups: false });
      case "deleteWebhook":
        webhook = undefined;
        return given({ url: "" });
      case "setWebhook":
        assert.match(json.url, /^https:/);
        assert.ok(json.secret_token.length >= 8 && json.secret_token.length <= 256);
        webhook = json;
        return given({ url: json.url });
      case "getUpdates": {
        assert.is(json.timeout, "30");
        if (webhook) return refuse(409, "a webhook is set");
        if (updates.length === 0) await something(signal);
        const update = updates.shift();
        return update ? given(update) : refuse(408, "Request timeout");
      }
      case "sendMessage": {
        if (wait > 0) {
          const seconds = wait;
          wait = 0;
          return new Response(null, { status: 429, headers: { "retry-after": `${seconds}` } });
        }
        assert.match(json.chat_id, /^[a-z0-9]+$/);
        if (json.text.length === 0 || json.text.length > 2000)
          return refuse(400, "text must have 1 to 2000 characters");
        sent.push(json.text);
        return given({ message_id: `sent${++count}`, date: 1_763_683_300_000 });
      }
      case "sendChatAction":
        assert.equal(json, { chat_id: "6ede9afa66b88fe6d6a9", action: "typing" });
        return given(true);
      default:
        return refuse(404, "no such method");
    }
  }

  function something(signal: AbortSignal | null): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = clock?.after(30_000, resolve);
      const end = (then: () => void) => () => {
        stop?.();
        then();
      };
      waiting = { done: end(resolve), cut: end(() => reject(new TypeError("the connection was reset"))) };
      signal?.addEventListener("abort", () => stop?.(), { once: true });
    });
  }

  function update(next: JsonObject): void {
    updates.push(next);
    waiting?.done();
  }

  return {
    reached: {
      answer: async (request, signal) =>
        answer(request, signal).catch((error: unknown) => {
          if (error instanceof TypeError) throw error;
          return strictly(
            problems,
            () => {
              throw error;
            },
            (problem) => refuse(400, problem),
          );
        }),
    },
    settings: { botToken, ...more },
    recipient: "6ede9afa66b88fe6d6a9",
    problems,
    sent,
    get webhook() {
      return webhook;
    },
    started: ({ clock: its }) => void (clock = its),
    write: (text) => update(message({ message_id: `message${++count}`, text })),
    update,
    revoke() {
      revoked = true;
      waiting?.done();
    },
    drop: () => waiting?.cut(),
    limit: (seconds) => void (wait = seconds),
  };
}

export function message(more: JsonObject): JsonObject {
  const from = { id: "6ede9afa66b88fe6d6a9", display_name: "An", is_bot: false };
  const chat = { id: "6ede9afa66b88fe6d6a9", chat_type: "PRIVATE" };
  return {
    event_name: "message.text.received",
    message: { message_id: "m1", from, chat, date: 1_763_683_300_000, ...more },
  };
}

function given(result: unknown): Response {
  return Response.json({ ok: true, result });
}

/** Zalo says what is wrong in the body, with any status. */
function refuse(code: number, description: string): Response {
  return Response.json({ ok: false, error_code: code, description });
}
