import type { Config } from "../config/schema.ts";
import type { AuthSettings } from "./auth.ts";
import type { Exposure } from "./exposure.ts";

/** How callers prove themselves: what was decided at the start and after each change, and what the configuration adds. */
export function authSettings(exposure: Exposure, { auth, nodes }: Config["gateway"]): AuthSettings {
  const { authMode: mode, token, password, tailscale, allowTailscale } = exposure;
  const { userHeader, requiredHeaders = [], allowUsers = [], allowLoopback = false } = auth.trustedProxy ?? {};
  return {
    mode,
    token,
    password,
    proxy: { userHeader, requiredHeaders, allowUsers, allowLoopback },
    // Who accepts Tailscale's identities without our publishing anything runs `tailscale serve` himself.
    tailscale: tailscale === "off" && allowTailscale ? "serve" : tailscale,
    allowTailscale,
    autoApproveLocal: nodes.pairing.autoApproveLocal !== false,
    exemptLoopback: auth.rateLimit.exemptLoopback,
  };
}
