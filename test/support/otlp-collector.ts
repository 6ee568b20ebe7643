import { createServer, type IncomingMessage } from "node:http";
import { isObject, parseJson, type JsonObject } from "../../src/kit/json.ts";

/** A span as the collector read it. */
export interface Collected {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly kind: number;
  readonly start: bigint;
  readonly end: bigint;
  readonly failed: boolean;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly resource: Readonly<Record<string, unknown>>;
}

/**
 * Reads an `ExportTraceServiceRequest` in JSON and throws at anything that the mapping of OTLP 1 does not know: a field
 * that is not in the protocol, an id that is not lower-case hex of its length, a time that is not a text of nanoseconds.
 */
export function readTraces(text: string): readonly Collected[] {
  const request = object(parseJson(text), "request", ["resourceSpans"]);
  return list(request["resourceSpans"]).flatMap((each) => {
    const { resource, scopeSpans } = object(each, "resourceSpans", ["resource", "scopeSpans"]);
    const attributes = readAttributes(object(resource, "resource", ["attributes"])["attributes"]);
    if (typeof attributes["service.name"] !== "string") throw new Error("the resource has no service.name");
    return list(scopeSpans).flatMap((one) => {
      const { scope, spans } = object(one, "scopeSpans", ["scope", "spans"]);
      const { name } = object(scope, "scope", ["name", "version"]);
      if (typeof name !== "string" || name === "") throw new Error("the scope has no name");
      return list(spans).map((span) => readSpan(span, attributes));
    });
  });
}

const fields = "traceId spanId parentSpanId name kind startTimeUnixNano endTimeUnixNano attributes status".split(" ");

function readSpan(value: unknown, resource: Collected["resource"]): Collected {
  const span = object(value, "span", fields);
  const { name, kind, parentSpanId } = span;
  if (typeof name !== "string" || name === "") throw new Error("a span has no name");
  if (typeof kind !== "number" || ![1, 2, 3, 4, 5].includes(kind)) throw new Error(`${name}: kind ${String(kind)}`);
  const { code, ...more } = object(span["status"], "status", ["code", "message"]);
  if (code !== undefined && code !== 1 && code !== 2) throw new Error(`${name}: status ${JSON.stringify(code)}`);
  if (Object.keys(more).length > 0 && code !== 2) throw new Error(`${name}: only an error has a message`);
  const [start, end] = [nanoseconds(span["startTimeUnixNano"]), nanoseconds(span["endTimeUnixNano"])];
  if (end < start) throw new Error(`${name} ends before it begins`);
  return {
    traceId: hex(span["traceId"], 32),
    spanId: hex(span["spanId"], 16),
    parentSpanId: parentSpanId === undefined ? undefined : hex(parentSpanId, 16),
    name,
    kind,
    start,
    end,
    failed: code === 2,
    attributes: readAttributes(span["attributes"]),
    resource,
  };
}

function readAttributes(value: unknown): Record<string, unknown> {
  const pairs = list(value).map((each) => {
    const { key, value } = object(each, "attribute", ["key", "value"]);
    if (typeof key !== "string" || !/^[a-z][a-z0-9_.]*$/.test(key)) throw new Error(`attribute ${String(key)}`);
    return [key, readValue(value)] as const;
  });
  if (new Set(pairs.map(([key]) => key)).size !== pairs.length) throw new Error("an attribute comes twice");
  return Object.fromEntries(pairs);
}

function readValue(value: unknown): unknown {
  const [[kind, inner] = [], ...more] = Object.entries(object(value, "value"));
  if (more.length > 0) throw new Error(`a value of two kinds: ${JSON.stringify(value)}`);
  if (kind === "stringValue" && typeof inner === "string") return inner;
  if (kind === "boolValue" && typeof inner === "boolean") return inner;
  if (kind === "doubleValue" && typeof inner === "number") return inner;
  if (kind === "intValue" && typeof inner === "string" && /^-?\d+$/.test(inner)) return Number(inner);
  if (kind === "arrayValue") return list(object(inner, "arrayValue", ["values"])["values"]).map(readValue);
  throw new Error(`no value of OTLP: ${JSON.stringify(value)}`);
}

function object(value: unknown, what: string, known?: readonly string[]): JsonObject {
  if (!isObject(value)) throw new Error(`${what} is no object: ${JSON.stringify(value)}`);
  const unknown = known ? Object.keys(value).filter((key) => !known.includes(key)) : [];
  if (unknown.length > 0) throw new Error(`${what}: unknown field ${unknown.join(", ")}`);
  return value;
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error(`no list: ${JSON.stringify(value)}`);
  return value;
}

function hex(value: unknown, digits: number): string {
  if (typeof value !== "string" || value.length !== digits || !/^[0-9a-f]+$/.test(value) || /^0+$/.test(value))
    throw new Error(`no id of ${digits} hex digits: ${JSON.stringify(value)}`);
  return value;
}

function nanoseconds(value: unknown): bigint {
  if (typeof value !== "string" || !/^\d{19}$/.test(value))
    throw new Error(`no nanoseconds since 1970: ${JSON.stringify(value)}`);
  return BigInt(value);
}

export interface Collector {
  /** Such as `http://127.0.0.1:41234`. */
  readonly url: string;
  readonly spans: readonly Collected[];
  /** What was wrong with requests that it refused. */
  readonly problems: readonly string[];
  readonly requests: readonly IncomingMessage[];
  close(): Promise<void>;
}

/** A collector over real HTTP, as strict as `readTraces`; it answers 503 so often before it takes anything. */
export async function serveCollector({ busy = 0 } = {}): Promise<Collector> {
  const spans: Collected[] = [];
  const problems: string[] = [];
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    const body: Buffer[] = [];
    request.on("data", (piece: Buffer) => body.push(piece));
    request.on("end", () => {
      requests.push(request);
      if (requests.length <= busy) {
        response.writeHead(503, { "retry-after": "0" }).end();
        return;
      }
      try {
        if (request.method !== "POST" || request.url !== "/v1/traces")
          throw new Error(`${request.method} ${request.url}`);
        if (request.headers["content-type"] !== "application/json") throw new Error("not application/json");
        spans.push(...readTraces(Buffer.concat(body).toString()));
        response.writeHead(200, { "content-type": "application/json" }).end('{"partialSuccess":{}}');
      } catch (error) {
        problems.push(String(error));
        response.writeHead(400).end();
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address !== "object" || !address) throw new Error("the collector has no address");
  return {
    url: `http://127.0.0.1:${address.port}`,
    spans,
    problems,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
