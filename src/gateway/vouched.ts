import { Failure } from "../kit/error.ts";
import type { User } from "../protocol/caller.ts";
import type { Whois } from "../tailscale/whois.ts";
import { attempt, type AttemptContext, type Attempter } from "./attempt.ts";
import { isLoopback, normaliseAddress, type Locality } from "./locality.ts";
import { unauthorized } from "./refusals.ts";

/** What those who forward say of a request's user. Nothing of it is believed yet. */
export type Vouched =
  | { readonly by: "proxy"; readonly user: string; readonly missing?: undefined }
  | { readonly by: "proxy"; readonly user?: undefined; readonly missing: string }
  | { readonly by: "tailscale"; readonly login: string };

export interface VouchRules {
  /** Only a proxy's word counts. */
  readonly mode: "none" | "token" | "password" | "trusted-proxy";
  readonly proxy: {
    /** The header in which a trusted proxy names the user. */
    readonly userHeader?: string | undefined;
    /** Headers that must be there too, for a proxy that shows by them that it has looked. */
    readonly requiredHeaders: readonly string[];
    /** The users who may come in; all when empty. */
    readonly allowUsers: readonly string[];
    /** A proxy on this machine is believed, and with it every program here that sends what it would send. */
    readonly allowLoopback: boolean;
  };
  readonly allowTailscale: boolean;
}

/** Reads the headers of a request whose forwarding headers are believed (cli.md 4.3, protocol.md 4.1). */
export function readVouched(
  headers: Headers,
  { from, peer }: { readonly from: Locality; readonly peer: string },
  { mode, proxy, allowTailscale }: VouchRules,
): Vouched | undefined {
  if (from.via === "tailscale") {
    const login = headers.get("tailscale-user-login")?.trim();
    return allowTailscale && login ? { by: "tailscale", login } : undefined;
  }
  const { userHeader, requiredHeaders, allowLoopback } = proxy;
  if (mode !== "trusted-proxy" || from.via !== "proxy" || !userHeader) return undefined;
  if (isLoopback(normaliseAddress(peer)) && !allowLoopback) return undefined;
  const missing = [...requiredHeaders, userHeader].find((name) => !headers.get(name)?.trim());
  return missing === undefined
    ? { by: "proxy", user: headers.get(userHeader)?.trim() ?? "" }
    : { by: "proxy", missing };
}

export interface VouchContext extends AttemptContext {
  readonly settings: VouchRules & AttemptContext["settings"];
  readonly whois?: Whois | undefined;
}

export interface Believed {
  readonly method: "trusted-proxy" | "tailscale";
  readonly user: User;
}

/**
 * The user who is vouched for, a failure when that does not hold, undefined when nobody vouches. A wrong name is a failed
 * attempt of the address that is forwarded.
 */
export async function judgeVouched(
  arrival: Attempter & { readonly vouched: Vouched | undefined },
  context: VouchContext,
): Promise<Believed | Failure | undefined> {
  const { vouched, from } = arrival;
  const { settings, whois } = context;
  if (vouched?.by === "proxy" && settings.mode === "trusted-proxy") {
    const { user, missing } = vouched;
    // Who is not named has not tried.
    if (user === undefined) return unauthorized({ reason: "identity_header_required", header: missing });
    return believe("trusted-proxy", async () => proxyUser(user, settings));
  }
  if (vouched?.by === "tailscale" && settings.allowTailscale)
    return believe("tailscale", () => tailnetUser(vouched.login, from, whois));
  return undefined;

  function believe(method: Believed["method"], look: () => Promise<User | Failure>): Promise<Believed | Failure> {
    return attempt(context, arrival, async (proved) => {
      const user = await look();
      if (user instanceof Failure) return user;
      proved();
      return { method, user };
    });
  }
}

/** Names are compared as they are: `Owner` is not `owner`. */
function proxyUser(user: string, { proxy: { allowUsers } }: VouchRules): User | Failure {
  const allowed = allowUsers.length === 0 || allowUsers.includes(user);
  return allowed ? { id: user } : unauthorized({ reason: "trusted_proxy_user_not_allowed" });
}

/** The user whom Tailscale itself knows under the client's address must be the one that the header names. */
async function tailnetUser(login: string, { address }: Locality, whois: Whois | undefined): Promise<User | Failure> {
  const known = await whois?.(address);
  if (!known?.login) return unauthorized({ reason: "tailscale_whois_failed" });
  if (known.login.toLowerCase() !== login.toLowerCase()) return unauthorized({ reason: "tailscale_user_mismatch" });
  return { id: known.login, ...(known.name ? { name: known.name } : {}) };
}
