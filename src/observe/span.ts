import type { TraceContext } from "../kit/trace-context.ts";

/** A piece of work that is over, as traces know it. Nothing that people or models wrote is in one. */
export interface Span extends Omit<TraceContext, "sampled"> {
  readonly parentSpanId?: string | undefined;
  readonly name: string;
  readonly kind: "internal" | "server" | "client";
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly endedAt: number;
  readonly attributes: Attributes;
  /** What went wrong, in a word of ours. */
  readonly error?: string | undefined;
}

export type Attributes = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

/** An `ExportTraceServiceRequest` in the JSON mapping of OTLP 1: ids in hex, 64-bit numbers as text. */
export function encodeSpans(spans: readonly Span[], { resource, version }: Source): string {
  const scope = { name: "clawlet", version };
  const scopeSpans = [{ scope, spans: spans.map(encodeSpan) }];
  return JSON.stringify({ resourceSpans: [{ resource: { attributes: encodeAttributes(resource) }, scopeSpans }] });
}

export interface Source {
  /** Who sends the spans: `service.name` and so on. */
  readonly resource: Attributes;
  readonly version: string;
}

/** Numbers of the SpanKind and of the StatusCode of an error. */
const kinds = { internal: 1, server: 2, client: 3 } as const;
const failed = 2;

function encodeSpan({ traceId, spanId, parentSpanId, name, kind, startedAt, endedAt, attributes, error }: Span) {
  return {
    traceId,
    spanId,
    ...(parentSpanId === undefined ? {} : { parentSpanId }),
    name,
    kind: kinds[kind],
    startTimeUnixNano: nanoseconds(startedAt),
    endTimeUnixNano: nanoseconds(Math.max(startedAt, endedAt)),
    attributes: encodeAttributes({ ...attributes, "error.type": error }),
    status: error === undefined ? {} : { code: failed },
  };
}

function encodeAttributes(attributes: Attributes): readonly object[] {
  return Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value: encodeValue(value) }],
  );
}

function encodeValue(value: NonNullable<Attributes[string]>): object {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  if (typeof value === "number") return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  return { arrayValue: { values: value.map((text) => ({ stringValue: text })) } };
}

/** Exact to the microsecond, as clocks here are at best. */
function nanoseconds(ms: number): string {
  return `${BigInt(Math.round(ms * 1000))}000`;
}
