import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import { parseJson } from "../kit/json.ts";
import { readStart } from "../kit/stream.ts";
import { VERSION } from "../kit/version.ts";
import type { ChannelContext, Self } from "./channel.ts";
import { pause } from "./channel-connection.ts";
import { createRecent } from "./channel-recent.ts";
import { answerOf, codeOf } from "./channel-request.ts";

/** Discord's REST API, within the limits that it tells of. */
export interface DiscordRest {
  /** Rejects as `Channel.send` does. Ids in the path are digits; a FormData goes as it is. */
  call(method: Verb, path: string, given?: Given): Promise<unknown>;
  me(signal: AbortSignal): Promise<Self>;
}

export type Verb = "GET" | "POST" | "PATCH" | "PUT" | "DELETE";

export interface Given {
  readonly json?: unknown;
  readonly form?: FormData;
  readonly signal?: AbortSignal;
}

export interface RestOptions {
  readonly token: string;
  /** With its version, such as `https://discord.com/api/v10`. */
  readonly apiRoot: string;
}

const MAX_BYTES = 4 * 1024 * 1024;
const IDLE_MS = 30_000;
/** A limit that ends within this is waited for; whoever asks waits for a longer one. */
const SHORT_MS = 5000;
const REMEMBERED = 500;

export function discordRest(
  { token, apiRoot }: RestOptions,
  context: Pick<ChannelContext, "fetch" | "clock" | "signal">,
): DiscordRest {
  const { clock } = context;
  const headers = {
    authorization: `Bot ${token}`,
    "user-agent": `DiscordBot (https://www.npmjs.com/package/clawlet, ${VERSION})`,
  };
  /** When a route may be asked again, by the monotonic clock; `*` is all of them. */
  const closedUntil = createRecent<number>(REMEMBERED);

  async function call(method: Verb, path: string, { json, form, signal = context.signal }: Given = {}) {
    const route = routeOf(method, path);
    await room([route, "*"], signal);
    const body = form ? { body: form } : json === undefined ? {} : { json };
    const request = {
      label: "Discord",
      url: `${apiRoot.replace(/\/+$/, "")}${path}`,
      method,
      headers,
      signal,
      ...body,
    };
    const response = await answerOf(context, { ...request, refusal: (status, told) => refused(route, status, told) });
    if (response.headers.get("x-ratelimit-remaining") === "0")
      close(route, Number(response.headers.get("x-ratelimit-reset-after")) * 1000);
    if (!response.body) return undefined;
    const text = readStart(response.body, { signal, clock, idleMs: IDLE_MS, maxBytes: MAX_BYTES });
    return parseJson(
      await text.catch(() => {
        signal.throwIfAborted();
        throw new Failure(method === "GET" ? "unavailable" : "timeout", "Discord's answer broke off");
      }),
    );
  }

  /** Waits until there is room on the routes; rejects when that takes long. */
  async function room(routes: readonly string[], signal: AbortSignal): Promise<void> {
    const wait = (): number => Math.max(...routes.map((route) => (closedUntil.get(route) ?? 0) - clock.monotonic()));
    if (wait() > SHORT_MS)
      throw new Failure("rate-limited", "Discord wants fewer requests", { retryAfterMs: Math.ceil(wait()) });
    while (wait() > 0) await pause({ clock, signal }, wait());
  }

  function close(route: string, ms: number): void {
    if (ms > 0) closedUntil.set(route, clock.monotonic() + Math.min(ms, LONGEST_MS));
  }

  function refused(route: string, status: number, told: unknown): Failure | undefined {
    if (status === 401) return refusedToken();
    const found = v.safeParse(refusedSchema, told);
    if (!found.success) return undefined;
    const { message, code, retry_after: seconds, global } = found.output;
    // The headers may say how long.
    if (status === 429 && seconds === undefined) return undefined;
    const retryAfterMs = seconds === undefined ? undefined : Math.min(Math.ceil(seconds * 1000), LONGEST_MS);
    if (status === 429) close(global ? "*" : route, retryAfterMs ?? 0);
    const words = message.replaceAll(/\s+/g, " ").slice(0, 300);
    return new Failure(codeOf(status), `Discord answered ${status}: ${words}`, {
      retryAfterMs,
      details: { status, discordCode: code },
    });
  }

  return {
    call,
    async me(signal) {
      const me = v.safeParse(meSchema, await call("GET", "/users/@me", { signal }));
      if (!me.success) throw new Failure("unavailable", "Discord does not say who this bot is");
      return { id: me.output.id, name: me.output.username };
    },
  };
}

const LONGEST_MS = 3_600_000;

/** Limits count by method, path and the channel in it; which message is meant makes no difference. */
function routeOf(method: Verb, path: string): string {
  const [place = "", ...rest] = path.split("?")[0]?.match(/^\/(?:channels|guilds)\/\d+|\/[^/]+/g) ?? [];
  return `${method} ${place}${rest
    .join("")
    .replaceAll(/\/\d+/g, "/:id")
    .replace(/\/reactions\/.*/, "/reactions")}`;
}

const meSchema = v.looseObject({ id: v.string(), username: v.optional(v.string()) });

const refusedSchema = v.looseObject({
  message: v.optional(v.string(), ""),
  code: v.optional(v.number(), 0),
  retry_after: v.optional(v.pipe(v.number(), v.minValue(0))),
  global: v.optional(v.boolean(), false),
});

function refusedToken(): Failure {
  return new Failure(
    "unauthorized",
    "Discord refuses the token: make a new one under Bot at https://discord.com/developers/applications",
  );
}
