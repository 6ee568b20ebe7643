import * as v from "valibot";
import { agentsOf } from "../agent/roster.ts";
import type { App } from "../app.ts";
import { codes, Failure } from "../kit/error.ts";
import { parseJson } from "../kit/json.ts";
import { runAgentHook, wakeByHook } from "./hooks-call-act.ts";
import { agentBody, wakeBody } from "./hooks-call-body.ts";
import { mappingsOf, orderOf } from "./hooks-call-mapping.ts";
import type { HooksOn } from "./hooks-settings.ts";

/** A call of another program. */
export interface HookCall {
  readonly request: Request;
  readonly settings: HooksOn;
  readonly name: string;
}

/** Does what a call says that has proved itself. */
export async function takeHook(app: App, { request, settings, name }: HookCall): Promise<Response> {
  try {
    const body = parseJson(await request.text());
    if (body === undefined) throw new Failure("invalid-request", "the body is not JSON");
    const key = idempotencyKey(request);
    if (name === "wake") {
      const { text: said, mode } = parsed(wakeBody, body, "text required");
      return Response.json(await wakeByHook(app, { text: said, mode, key }));
    }
    const order = name === "agent" ? parsed(agentBody, body, "message required") : mapped(name, { settings, body });
    if (!order) return new Response("Not Found", { status: 404, headers: { "cache-control": "no-store" } });
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
