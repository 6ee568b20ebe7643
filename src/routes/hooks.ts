import type { App } from "../app.ts";
import { setting } from "../host/paths.ts";
import { sameSecret } from "../kit/secret.ts";
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
    // Loaded when one is called: most gateways have none.
    handle: async (request) => (await import("./hooks-call.ts")).takeHook(app, { request, settings, name }),
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

function text(status: number, body: string, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(body, { status, headers: { "cache-control": "no-store", ...headers } });
}
