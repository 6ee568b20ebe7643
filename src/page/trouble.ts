import { detailCode } from "../client/failures.ts";
import type { Failure } from "../kit/error.ts";
import { isObject } from "../kit/json.ts";

/** Why there is no connection, and what is done about it. */
export type Trouble =
  /** The owner must say yes; asked again until then. */
  | { readonly kind: "pairing"; readonly requestId: string; readonly why: string }
  /** A secret is wanted. */
  | { readonly kind: "sign-in"; readonly wants: "token" | "password" }
  /** What was shown does not count; without it the gateway may know this browser, or says what it wants. */
  | { readonly kind: "refused"; readonly credential: "secret" | "device-token"; readonly why: string }
  /** Tried again by itself, after `waitMs` at least. */
  | { readonly kind: "away"; readonly why: string; readonly waitMs: number }
  /** Trying again as it is cannot help. */
  | { readonly kind: "stopped"; readonly why: string; readonly advice: string };

type Stopped = Extract<Trouble, { kind: "stopped" }>;

/** Reads a failed connect (protocol.md 3 and 4): what the page is to do, and what it says to a person. */
export function troubleOf(failure: Failure): Trouble {
  const code = detailCode(failure.details) ?? "";
  const details = isObject(failure.details) ? failure.details : {};
  const { requestId, reason } = details;
  if (code === "PAIRING_REQUIRED" && typeof requestId === "string")
    return { kind: "pairing", requestId, why: pairing[String(reason)] ?? failure.message };
  if (code === "AUTH_TOKEN_MISSING" || code === "AUTH_PASSWORD_MISSING")
    return { kind: "sign-in", wants: code === "AUTH_PASSWORD_MISSING" ? "password" : "token" };
  const refused = credentials[code];
  if (refused) return { kind: "refused", ...refused };
  if (code === "AUTH_RATE_LIMITED") {
    const waitMs = failure.retryAfterMs ?? 30_000;
    return {
      kind: "away",
      waitMs,
      why: "Too many wrong attempts came from here, so the gateway lets nobody in for a while.",
    };
  }
  if (code === "PROTOCOL_MISMATCH")
    return stopped(
      "This page and the gateway speak different versions.",
      "Load the page again to get the gateway's own.",
    );
  const lacking = browsers[code];
  if (lacking) return stopped(...lacking);
  if (code === "CONTROL_UI_ORIGIN_NOT_ALLOWED") return originTrouble();
  if (/^(AUTH_|DEVICE_AUTH_|DEVICE_IDENTITY)/.test(code))
    return stopped(
      sentence(failure.message),
      "Look at gateway.auth in the configuration, or ask whoever runs the gateway.",
    );
  if (failure.code === "invalid-request") return stopped(sentence(failure.message), "Load the page again.");
  return { kind: "away", waitMs: failure.retryAfterMs ?? 0, why: "The gateway does not answer." };
}

/** The gateway is there, and refuses this page's address: that a browser does not tell (threat B). */
export function originTrouble(): Stopped {
  return stopped(
    "The gateway answers, but does not take connections from pages of this address.",
    `Add ${JSON.stringify(globalThis.location?.origin ?? "this origin")} to gateway.controlUi.allowedOrigins.`,
  );
}

function stopped(why: string, advice: string): Stopped {
  return { kind: "stopped", why, advice };
}

const pairing: Readonly<Record<string, string>> = {
  "not-paired": "This browser is new to the gateway.",
  "scope-upgrade": "This browser asks for more than it was allowed before.",
  "role-upgrade": "This browser asks for a role that it does not have.",
  "metadata-upgrade": "This browser looks different from what was approved before.",
};

const credentials: Readonly<Record<string, { credential: "secret" | "device-token"; why: string }>> = {
  AUTH_TOKEN_MISMATCH: { credential: "secret", why: "That token is not the gateway's." },
  AUTH_PASSWORD_MISMATCH: { credential: "secret", why: "That password is not the gateway's." },
  AUTH_DEVICE_TOKEN_MISMATCH: { credential: "device-token", why: "The gateway took this browser's access back." },
  AUTH_SCOPE_MISMATCH: { credential: "device-token", why: "This browser is allowed less than this page needs." },
};

/** What the browser lacks for a device's key. */
const browsers: Readonly<Record<string, readonly [why: string, advice: string]>> = {
  PAGE_NOT_ENCRYPTED: [
    "This address is not encrypted, and browsers give such pages no keys to prove who they are.",
    "Use https (gateway.tls.enabled, or Tailscale Serve), or a tunnel: ssh -L 18789:127.0.0.1:18789 user@host, then http://127.0.0.1:18789/.",
  ],
  PAGE_BROWSER_TOO_OLD: [
    "This browser cannot make Ed25519 keys.",
    "Update it: Chrome 137, Firefox 129 and Safari 17 can.",
  ],
  PAGE_NO_STORAGE: [
    "This browser lets the page keep nothing, not even the key that it is known by.",
    "Allow this site to store data, or leave the private window.",
  ],
};

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1, 300)}${/[.!?]$/.test(text) ? "" : "."}`;
}
