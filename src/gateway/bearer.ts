import { Failure } from "../kit/error.ts";
import { sameSecret } from "../kit/secret.ts";
import { attempt } from "./attempt.ts";
import { sharedSecret, type AuthContext } from "./auth.ts";
import { attributionRequired, refuse } from "./http-refusal.ts";
import type { Locality } from "./locality.ts";
import { judgeVouched, type Vouched } from "./vouched.ts";

/** A plain HTTP request, as far as the server itself knows who sends it. */
export interface HttpCaller {
  readonly headers: Headers;
  readonly from: Locality;
  readonly vouched: Vouched | undefined;
}

/**
 * The refusal of a request that does not prove itself, undefined when it does: with `Authorization: Bearer` and the
 * shared secret (protocol.md 4.3, 9), or by the user that a trusted proxy names. Attempts count together with those over
 * WebSockets. Who merely comes through Tailscale has proved nothing here: its identity is for people at a page.
 */
export async function authorize(caller: HttpCaller, context: AuthContext): Promise<Response | undefined> {
  const { headers, from } = caller;
  const { settings } = context;
  if (from.forged) return attributionRequired();
  if (settings.mode === "none" && from.via !== "tailscale") return undefined;
  const who = { from, origin: headers.get("origin") ?? undefined };
  try {
    if (caller.vouched?.by === "proxy") {
      const judged = await judgeVouched({ ...who, vouched: caller.vouched }, context);
      return judged && !(judged instanceof Failure) ? undefined : unauthorized();
    }
    const given = /^bearer +(\S.*)$/i.exec(headers.get("authorization") ?? "")?.[1];
    if (given === undefined) return unauthorized();
    return await attempt(context, who, async (proved) => {
      if (!(await sameSecret(given, sharedSecret(settings, who)))) return unauthorized();
      proved();
      return undefined;
    });
  } catch (error) {
    const failure = Failure.from(error);
    if (failure.code !== "rate-limited") throw failure;
    return refuse(429, "rate_limited", "Too many failed authentication attempts. Please try again later.", {
      "retry-after": String(Math.ceil((failure.retryAfterMs ?? 0) / 1000)),
    });
  }
}

function unauthorized(): Response {
  return refuse(401, "unauthorized", "Unauthorized", { "www-authenticate": "Bearer" });
}
