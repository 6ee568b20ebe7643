import { randomHex } from "./ids.ts";

/** A place in a trace (W3C Trace Context 3.2): which trace, which span of it, and whether anybody records it. */
export interface TraceContext {
  /** 32 hex digits, not all zero. */
  readonly traceId: string;
  /** 16 hex digits, not all zero. */
  readonly spanId: string;
  readonly sampled: boolean;
}

/** The sender's place by a `traceparent`; undefined for anything that is not one, as if none had come. */
export function parseTraceparent(value: unknown): TraceContext | undefined {
  if (typeof value !== "string" || value.length > maxLength) return undefined;
  const [, version, traceId = "", spanId = "", flags = "", more] = form.exec(value) ?? [];
  if (version === undefined || version === "ff" || (version === "00" && more !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

export function formatTraceparent({ traceId, spanId, sampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${sampled ? "01" : "00"}`;
}

/** A new span under `parent`, which decides whether it is recorded; without one, a new trace. */
export function childOf(parent: TraceContext | undefined, sampled: () => boolean): TraceContext {
  return parent
    ? { ...parent, spanId: randomHex(8) }
    : { traceId: randomHex(16), spanId: randomHex(8), sampled: sampled() };
}

/** Later versions may say more after what is known today. */
const form = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const maxLength = 512;
