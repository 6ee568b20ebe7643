import { Failure, type Code } from "../kit/error.ts";
import { isObject, type JsonObject } from "../kit/json.ts";

/** The Failure that the `error` of a response frame stands for (protocol.md 5). Whatever is not understood is kept. */
export function fromWire(error: unknown): Failure {
  const { code, message, details, retryable, retryAfterMs }: JsonObject = isObject(error) ? error : {};
  const text = typeof message === "string" && message !== "" ? message : "the gateway gave no reason";
  return new Failure(codeOf(code, details), text, {
    details,
    ...(typeof retryable === "boolean" ? { retryable } : {}),
    ...(typeof retryAfterMs === "number" ? { retryAfterMs } : {}),
  });
}

/** The connection ended: `gateway closed (1006 abnormal closure (no close frame)): no close reason`. */
export function closed(code: number, reason: string): Failure {
  const label = [code, closeNames[code]].filter(Boolean).join(" ");
  const retryable = [1001, 1006, 1012, 1013].includes(code);
  return new Failure("failed", `gateway closed (${label}): ${reason || "no close reason"}`, {
    details: { closeCode: code, closeReason: reason },
    retryable,
  });
}

/** `code` in the details of a Failure that came from a gateway, such as `MISSING_SCOPE`. */
export function detailCode(details: unknown): string | undefined {
  const code = isObject(details) ? details["code"] : undefined;
  return typeof code === "string" ? code : undefined;
}

function codeOf(code: unknown, details: unknown): Code {
  const detail = detailCode(details) ?? "";
  if (detail === "AUTH_RATE_LIMITED") return "rate-limited";
  if (detail.startsWith("AUTH_")) return "unauthorized";
  if (code === "NOT_PAIRED") return "not-paired";
  if (code === "FORBIDDEN") return "forbidden";
  return code === "UNAVAILABLE" ? "unavailable" : "invalid-request";
}

const closeNames: Readonly<Record<number, string>> = {
  1000: "normal closure",
  1001: "going away",
  1002: "protocol error",
  1005: "no status",
  1006: "abnormal closure (no close frame)",
  1008: "policy violation",
  1009: "message too big",
  1011: "internal error",
  1012: "service restart",
  1013: "try again later",
};
