import * as v from "valibot";
import type { Clock } from "../host/host.ts";
import { isObject, parseJson } from "../kit/json.ts";
import { isSigned } from "./channel-signature.ts";
import type { Webhook } from "./channel.ts";

export interface SlackWebhook {
  readonly path: string;
  readonly signingSecret: string;
  /** Resolves when a payload was taken in; rejects when it is to come again. */
  readonly take: (kind: string, payload: unknown) => Promise<void>;
}

/** A signed request that is older is one that somebody has kept (docs.slack.dev, "Verifying requests from Slack"). */
const WINDOW_S = 300;

/** Slack's HTTP mode: events, slash commands and interactions come as signed requests to one path. */
export function slackWebhook(clock: Pick<Clock, "now">, { path, signingSecret, take }: SlackWebhook): Webhook {
  return {
    path,
    async handle(request) {
      if (request.method !== "POST") return new Response(null, { status: 405, headers: { allow: "POST" } });
      const body = await request.text();
      if (!(await isSlacks(request.headers, body, { signingSecret, now: clock.now() })))
        return new Response(null, { status: 401 });
      const told = readBody(request.headers.get("content-type") ?? "", body);
      if (told === undefined) return new Response(null, { status: 400 });
      if (told.kind === "url_verification")
        return new Response(told.challenge, { headers: { "content-type": "text/plain" } });
      try {
        // Whether it comes for the second time (x-slack-retry-num) is seen by the message's own id.
        await take(told.kind, told.payload);
        return new Response(null, { status: 200 });
      } catch {
        return new Response(null, { status: 503 }); // Slack sends it again; why is for the log of who takes it
      }
    },
  };
}

async function isSlacks(
  headers: Headers,
  body: string,
  { signingSecret, now }: { signingSecret: string; now: number },
): Promise<boolean> {
  const timestamp = headers.get("x-slack-request-timestamp") ?? "";
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(now / 1000 - Number(timestamp)) > WINDOW_S) return false;
  const given = /^v0=([0-9a-f]{64})$/.exec(headers.get("x-slack-signature") ?? "")?.[1] ?? null;
  return isSigned(signingSecret, { data: `v0:${timestamp}:${body}`, form: "hex", given });
}

type Told =
  | { readonly kind: "url_verification"; readonly challenge: string }
  | { readonly kind: "events_api" | "slash_commands" | "interactive"; readonly payload: unknown };

function readBody(contentType: string, body: string): Told | undefined {
  if (contentType.startsWith("application/x-www-form-urlencoded")) {
    const form = new URLSearchParams(body);
    const payload = form.get("payload");
    if (payload !== null) return { kind: "interactive", payload: parseJson(payload) };
    return { kind: "slash_commands", payload: Object.fromEntries(form) };
  }
  const json = parseJson(body);
  const check = v.safeParse(checkShape, json);
  if (check.success) return { kind: "url_verification", challenge: check.output.challenge };
  return isObject(json) ? { kind: "events_api", payload: json } : undefined;
}

const checkShape = v.looseObject({
  type: v.literal("url_verification"),
  challenge: v.pipe(v.string(), v.maxLength(1000)),
});
