import { codes, type Failure } from "../kit/error.ts";
import { isObject, parseJson } from "../kit/json.ts";

/** A request as it came off the wire (protocol.md 1.1). */
export interface Request {
  readonly kind: "request";
  readonly id: string;
  readonly method: string;
  readonly params: unknown;
  /** Where in a trace of the client's it belongs (W3C Trace Context), as it was sent. */
  readonly traceparent?: unknown;
}

export type Frame =
  | Request
  | { readonly kind: "not-json" }
  | { readonly kind: "invalid"; readonly id: string; readonly reason: string };

const known = new Set(["type", "id", "method", "params", "traceparent", "expectedProfileId"]);

/** One inbound text as a frame. Written by hand: this runs for every message of every client. */
export function parseFrame(text: string): Frame {
  const value = parseJson(text);
  if (value === undefined) return { kind: "not-json" };
  if (!isObject(value)) return { kind: "invalid", id: "invalid", reason: "must be object" };
  const { type, id, method } = value;
  const reasons: string[] = [];
  if (id === undefined) reasons.push("must have required property 'id'");
  else if (typeof id !== "string") reasons.push("at /id: must be string");
  else if (id === "") reasons.push("at /id: must not have fewer than 1 characters");
  if (type === undefined) reasons.push("must have required property 'type'");
  else if (type !== "req") reasons.push("at /type: must be equal to constant");
  if (method === undefined) reasons.push("must have required property 'method'");
  else if (typeof method !== "string") reasons.push("at /method: must be string");
  else if (method === "") reasons.push("at /method: must not have fewer than 1 characters");
  for (const key in value) if (!known.has(key)) reasons.push(`at root: unexpected property '${key}'`);
  if (reasons.length > 0 || typeof id !== "string" || typeof method !== "string") {
    return { kind: "invalid", id: typeof id === "string" ? id : "invalid", reason: reasons.join("; ") };
  }
  const { params, traceparent } = value;
  return traceparent === undefined
    ? { kind: "request", id, method, params }
    : { kind: "request", id, method, params, traceparent };
}

/** A successful response; `payload` is JSON text. */
export function encodeResult(id: string, payload: string): string {
  return `{"type":"res","id":${JSON.stringify(id)},"ok":true,"payload":${payload}}`;
}

/** A failed response. The v3 dialect has no `details` and knows scope errors as INVALID_REQUEST (protocol.md 2.6). */
export function encodeError(id: string, failure: Failure, protocol: 3 | 4): string {
  const code = codes[failure.code].wire;
  const error =
    protocol === 3
      ? { code: code === "FORBIDDEN" ? "INVALID_REQUEST" : code, message: failure.message, ...pairing(failure) }
      : {
          code,
          message: failure.message,
          ...(failure.details === undefined ? {} : { details: failure.details }),
          ...(failure.retryable ? { retryable: true } : {}),
          ...(failure.retryAfterMs === undefined
            ? {}
            : { retryAfterMs: Math.max(0, Math.round(failure.retryAfterMs)) }),
        };
  return JSON.stringify({ type: "res", id, ok: false, error });
}

/** An event's text up to where the sequence number goes; `eventTail` is what follows it. */
export function eventHead(event: string, payload: unknown): string {
  return `{"type":"event","event":"${event}","payload":${JSON.stringify(payload)}`;
}

export function eventTail(stateVersion?: { readonly presence: number; readonly health: number }): string {
  return stateVersion ? `,"stateVersion":${JSON.stringify(stateVersion)}}` : "}";
}

/** The details that v3 clients do read. */
function pairing(failure: Failure): { details?: unknown } {
  if (!isObject(failure.details)) return {};
  const { requestId, expectedProtocol } = failure.details;
  if (requestId !== undefined) return { details: { requestId } };
  return expectedProtocol === undefined ? {} : { details: { expectedProtocol } };
}
