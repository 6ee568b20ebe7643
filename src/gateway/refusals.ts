import { Failure } from "../kit/error.ts";
import type { DeviceRequest } from "../pairing/devices.ts";
import type { Role } from "../protocol/scope.ts";

/** Why a shared secret or device token did not let somebody in, with the texts clients know (protocol.md 4.2). */
export const authReasons = {
  token_missing: { code: "AUTH_TOKEN_MISSING", next: "update_auth_configuration", text: "gateway token missing" },
  token_mismatch: { code: "AUTH_TOKEN_MISMATCH", next: "update_auth_credentials", text: "gateway token mismatch" },
  password_missing: {
    code: "AUTH_PASSWORD_MISSING",
    next: "update_auth_configuration",
    text: "gateway password missing",
  },
  password_mismatch: {
    code: "AUTH_PASSWORD_MISMATCH",
    next: "update_auth_credentials",
    text: "gateway password mismatch",
  },
  device_token_mismatch: {
    code: "AUTH_DEVICE_TOKEN_MISMATCH",
    next: "update_auth_credentials",
    text: "device token mismatch (rotate/reissue device token)",
  },
  scope_mismatch: {
    code: "AUTH_SCOPE_MISMATCH",
    next: "review_auth_configuration",
    text: "device token scope mismatch (re-pair or approve scope upgrade)",
  },
  bootstrap_token_invalid: {
    code: "AUTH_BOOTSTRAP_TOKEN_INVALID",
    next: "review_auth_configuration",
    text: "setup code invalid, used or expired (make a new one)",
  },
  identity_header_required: {
    code: "AUTH_IDENTITY_HEADER_REQUIRED",
    next: "review_auth_configuration",
    text: "identity header of the proxy missing",
  },
  trusted_proxy_user_not_allowed: {
    code: "AUTH_UNAUTHORIZED",
    next: "review_auth_configuration",
    text: "this user may not come in (gateway.auth.trustedProxy.allowUsers)",
  },
  tailscale_user_missing: {
    code: "AUTH_TAILSCALE_IDENTITY_MISSING",
    next: "review_auth_configuration",
    text: "Tailscale names no user for this device (connect from a device that belongs to one)",
  },
  tailscale_whois_failed: {
    code: "AUTH_TAILSCALE_WHOIS_FAILED",
    next: "review_auth_configuration",
    text: "Tailscale could not confirm the user (try again, or use the gateway's token or password)",
  },
  tailscale_user_mismatch: {
    code: "AUTH_TAILSCALE_IDENTITY_MISMATCH",
    next: "review_auth_configuration",
    text: "the named user is not the one that Tailscale knows",
  },
} as const;

export type AuthReason = keyof typeof authReasons;

export interface AuthRefusal {
  readonly reason: AuthReason;
  /** The header that is missing, where one is. */
  readonly header?: string | undefined;
  /** What this kind of client should do, put in brackets after the text. */
  readonly hint?: string;
  /** A device identity was shown and no device token tried: the client may try the one it keeps. */
  readonly canRetryWithDeviceToken?: boolean;
}

export function unauthorized({ reason, header, hint, canRetryWithDeviceToken = false }: AuthRefusal): Failure {
  const { code, next, text } = authReasons[reason];
  return new Failure("unauthorized", `unauthorized: ${text}${hint ? ` (${hint})` : ""}`, {
    details: {
      code,
      authReason: header === undefined ? reason : `trusted_proxy_missing_header_${header.toLowerCase()}`,
      canRetryWithDeviceToken,
      recommendedNextStep: canRetryWithDeviceToken ? "retry_with_device_token" : next,
    },
  });
}

export function rateLimited(waitMs: number): Failure {
  return new Failure("rate-limited", "unauthorized: too many failed authentication attempts (retry later)", {
    details: {
      code: "AUTH_RATE_LIMITED",
      authReason: "rate_limited",
      canRetryWithDeviceToken: false,
      recommendedNextStep: "wait_then_retry",
    },
    retryAfterMs: waitMs,
  });
}

/** Why a device's proof of its key is not accepted (protocol.md 3.3). */
export const deviceReasons = {
  "device-id-mismatch": { code: "DEVICE_AUTH_DEVICE_ID_MISMATCH", text: "device identity mismatch" },
  "device-signature-stale": { code: "DEVICE_AUTH_SIGNATURE_EXPIRED", text: "device signature expired" },
  "device-nonce-missing": { code: "DEVICE_AUTH_NONCE_REQUIRED", text: "device nonce required" },
  "device-nonce-mismatch": { code: "DEVICE_AUTH_NONCE_MISMATCH", text: "device nonce mismatch" },
  "device-public-key": { code: "DEVICE_AUTH_PUBLIC_KEY_INVALID", text: "device public key invalid" },
  "device-signature": { code: "DEVICE_AUTH_SIGNATURE_INVALID", text: "device signature invalid" },
} as const;

export function deviceRefused(reason: keyof typeof deviceReasons): Failure {
  const { code, text } = deviceReasons[reason];
  return new Failure("unauthorized", text, { details: { code, reason } });
}

export function identityRequired(): Failure {
  return new Failure("not-paired", "device identity required", { details: { code: "DEVICE_IDENTITY_REQUIRED" } });
}

export function pageIdentityRequired(): Failure {
  return new Failure("unauthorized", "control ui requires device identity (use HTTPS or localhost secure context)", {
    details: { code: "CONTROL_UI_DEVICE_IDENTITY_REQUIRED" },
  });
}

export function originRefused(reason: string): Failure {
  return new Failure(
    "unauthorized",
    "origin not allowed (open the Control UI from the gateway host or allow it in gateway.controlUi.allowedOrigins)",
    { details: { code: "CONTROL_UI_ORIGIN_NOT_ALLOWED", reason } },
  );
}

const pairingReasons = {
  "not-paired": "device is not approved yet",
  "scope-upgrade": "device is asking for more scopes than currently approved",
  "role-upgrade": "device is asking for a higher role than currently approved",
  "metadata-upgrade": "device identity changed and must be re-approved",
} as const;

/** Waiting for the owner's approval (protocol.md 3.5). */
export function pairingRequired(
  reason: keyof typeof pairingReasons,
  request: DeviceRequest,
  approved: { readonly roles?: readonly Role[] | undefined; readonly scopes?: readonly string[] | undefined },
): Failure {
  return new Failure("not-paired", `pairing required: ${pairingReasons[reason]}`, {
    details: {
      code: "PAIRING_REQUIRED",
      reason,
      requestId: request.requestId,
      remediationHint: `Approve it on the gateway's machine: devices approve ${request.requestId}`,
      deviceId: request.deviceId,
      requestedRole: request.role,
      ...(request.scopes.length > 0 ? { requestedScopes: request.scopes } : {}),
      ...(approved.roles ? { approvedRoles: approved.roles } : {}),
      ...(approved.scopes ? { approvedScopes: approved.scopes } : {}),
    },
  });
}
