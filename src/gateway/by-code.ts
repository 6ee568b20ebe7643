import type { ConnectParams } from "../protocol/connect.ts";
import type { Role } from "../protocol/scope.ts";
import { attempt } from "./attempt.ts";
import type { Admittance, Arrival, AuthContext, AuthSettings } from "./auth.ts";
import { unauthorized } from "./refusals.ts";

/** Whether a setup code is the only proof that is brought, to a gateway that has codes. */
export function bringsCode(
  { token, password, deviceToken, bootstrapToken }: ConnectParams["auth"],
  { mode }: AuthSettings,
): boolean {
  return Boolean(bootstrapToken) && !(token || password || deviceToken) && (mode === "token" || mode === "password");
}

interface CodeClaim {
  readonly params: ConnectParams;
  readonly role: Role;
  readonly arrival: Arrival;
  readonly context: AuthContext;
}

/**
 * Lets a device in that proved its key and brings a setup code, which is used up by it (protocol.md 3.7): what it may do
 * on this connection, and its tokens. A code that does not count is a failed attempt like any other.
 */
export function redeemCode(
  { params, role, arrival, context }: CodeClaim,
  proof: { readonly deviceId: string; readonly publicKey: string },
  scopes: readonly string[],
): Promise<{ readonly scopes: readonly string[] } & Omit<Admittance, "caller">> {
  const { codes } = context.devices;
  return attempt(context, arrival, async (proved) => {
    const redeemed = await codes.redeem(params.auth.bootstrapToken ?? "", {
      ...proof,
      role,
      scopes,
      client: params.client,
      remoteIp: arrival.from.address,
      browserOrigin: arrival.origin,
      silent: false,
      secret: "absent",
      connId: arrival.connId,
    });
    const own = redeemed?.issued.find((token) => token.role === role);
    if (!redeemed || !own) throw unauthorized({ reason: "bootstrap_token_invalid" });
    proved();
    const others = redeemed.issued.filter((token) => token !== own);
    return {
      scopes: own.scopes,
      deviceToken: own,
      ...(others.length > 0
        ? { deviceTokens: others.map(({ token, ...rest }) => ({ deviceToken: token, ...rest })) }
        : {}),
      answered: (delivered) => void codes.answered(redeemed.setupId, delivered),
    };
  });
}
