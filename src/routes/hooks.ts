import * as v from "valibot";
import { agentsOf } from "../agent/roster.ts";
import type { App } from "../app.ts";
import { setting } from "../host/paths.ts";
import { codes, Failure } from "../kit/error.ts";
import { parseJson } from "../kit/json.ts";
import { sameSecret } from "../kit/secret.ts";
import { runAgentHook, wakeByHook } from "./hooks-act.ts";
import { mappingsOf, orderOf } from "./hooks-mapping.ts";
import { agentBody, wakeBody } from "./hooks-body.ts";
import { hookSettings, type HooksOn } from "./hooks-settings.ts";
import type { Door } from "./route.ts";

/**
 * The way in for other programs (cli.md 8.12), below the path that is configured: `wake` tells the main session
 * something, `agent` has an agent answer in a session of its own, other names mean what `hooks.mappings` says. There is
 * none without a secret of its own (threat K).
 */
export function hooksAt(app: App, path: string): Door | undefined {
  const { value } = app.config.current();
  if (!value.hooks.enabled) return undefined;
  const own = setting(app.host, app.flavour, "GATEWAY_TOKEN");
  const settings = hookSettings(value, own);
  if (settings.state !== "on" || (path !== settings.path && !path.startsWith(`${settings.path}/`))) return undefined;
  const name = path.slice(settings.path.length + 1).replace(/\/$/, "");
  return {
    path: settings.path,
    maxBody: settings.maxBodyBytes,
    admit: (request) => admit(request, settings),
    handle: (request) => handle(app, { request, settings, name }),
  };
}

/** Why hooks are off that the configuration switches on; undefined when nothing is wrong. */
export function hooksRefused(app: App): string | undefined {
  const settings = hookSettings(app.config.current().value, setting(app.host, app.flavour, "GATEWAY_TOKEN"));
  return settings.state === "refused" ? settings.why : undefined;
}

/** The refusal of a call that does not prove itself, before its body is read (threat H); undefined when it does. */
async function admit({ method, url, headers }: Request, settings: HooksOn): Promise<Response | undefined> {
  if (method !== "POST") return text(405, "Method Not Allowed", { allow: "POST" });
  const query = new URL(url).searchParams.get("token");
  if (query !== null && !settings.allowQueryToken)
    return text(
      400,
      "A token in the address ends up in logs: send it as Authorization: Bearer <token> or x-openclaw-token.",
    );
  const bearer = /^bearer +(\S.*)$/i.exec(headers.get("authorization") ?? "")?.[1];
  const given = bearer ?? headers.get("x-openclaw-token") ?? headers.get("x-clawdbot-token") ?? query ?? undefined;
  return (await sameSecret(given, settings.token)) ? undefined : text(401, "Unauthorized");
}

interface HookCall {
  readonly request: Request;
  readonly settings: HooksOn;
  readonly name: string;
}

async function handle(app: App, { request, settings, name }: HookCall): Promise<Response> {
  try {
    const body = parseJson(await request.text());
    if (body === undefined) throw new Failure("invalid-request", "the body is not JSON");
    const key = idempotencyKey(request);
    if (name === "wake") {
      const { text: said, mode } = parsed(wakeBody, body, "text required");
      return Response.json(await wakeByHook(app, { text: said, mode, key }));
    }
    const order = name === "agent" ? parsed(agentBody, body, "message required") : mapped(name, { settings, body });
    if (!order) return text(404, "Not Found");
    if (order.action === "wake") return Response.json(await wakeByHook(app, { ...order, key }));
    if (name === "agent" && order.sessionKey !== undefined && !settings.allowRequestSessionKey)
      throw new Failure("invalid-request", "sessionKey is not for callers to choose: see hooks.allowRequestSessionKey");
    const agentId = order.agentId ?? agentsOf(app.config.current().value)[0].id;
    return Response.json({ ok: true, runId: await runAgentHook(app, { ...order, agentId, key }) }, { status: 202 });
  } catch (thrown) {
    const failure = Failure.from(thrown);
    const { http } = codes[failure.code];
    if (http >= 500) app.log.error("a hook could not be taken in", { hook: name, error: failure.message });
    const error = failure.shown().message;
    return Response.json({ ok: false, error }, { status: http });
  }
}

function mapped(name: string, { settings, body }: { settings: HooksOn; body: unknown }) {
  const mapping = mappingsOf(settings).find((each) => each.matches(name, body));
  return mapping && orderOf(mapping, { body, path: name });
}

function parsed<S extends v.GenericSchema>(schema: S, body: unknown, missing: string): v.InferOutput<S> {
  const result = v.safeParse(schema, body);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = issue.path?.map(({ key }) => String(key)).join(".") ?? "";
  // What callers look for when the one thing that is needed is not there.
  const isMissing = missing.startsWith(`${path} `) || path === "";
  throw new Failure("invalid-request", isMissing ? missing : `${path}: ${issue.message}`);
}

/** The caller's own id of the call: the same one again does nothing twice. */
function idempotencyKey({ headers }: Request): string | undefined {
  const key = headers.get("idempotency-key")?.trim();
  if (key === undefined || key === "") return undefined;
  if (key.length > 256) throw new Failure("invalid-request", "the Idempotency-Key header has more than 256 characters");
  return key;
}

function text(status: number, body: string, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(body, { status, headers: { "cache-control": "no-store", ...headers } });
}
