import type { JsonObject } from "../../../src/kit/json.ts";
import type { Failure } from "../../../src/kit/error.ts";
import type {
  Endpoint,
  ModelEvent,
  ModelRequest,
  ModelSpec,
  Provider,
  ProviderCall,
} from "../../../src/providers/provider.ts";
import { providerFailureOf } from "../../../src/providers/provider-failure.ts";
import type {
  AssistantMessage,
  ImagePart,
  Message,
  TextPart,
  ToolResultMessage,
} from "../../../src/session/message.ts";

/** What a vendor answers to one request, byte for byte. */
export interface Script {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
  /** The connection breaks after the body. */
  readonly cut?: boolean;
}

/** How the bytes of an answer are cut into pieces. */
export type Chunking = (bytes: Uint8Array<ArrayBuffer>) => ReadonlyArray<Uint8Array<ArrayBuffer>>;

export const whole: Chunking = (bytes) => [bytes];
export const everyByte: Chunking = (bytes) => Array.from(bytes, (_, index) => bytes.slice(index, index + 1));
export function splitAt(position: number): Chunking {
  return (bytes) => [bytes.slice(0, position), bytes.slice(position)];
}

/** The answer that a script describes. */
export function play(script: Script, { type, chunking = whole }: { type: string; chunking?: Chunking }): Response {
  const pieces = chunking(new TextEncoder().encode(script.body));
  const ok = (script.status ?? 200) < 300;
  let next = 0;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      const piece = pieces[next++];
      if (piece) controller.enqueue(piece);
      else if (script.cut === true) controller.error(new TypeError("terminated"));
      else controller.close();
    },
  });
  const headers = { "content-type": ok ? type : "application/json", ...script.headers };
  return new Response(body, { status: script.status ?? 200, headers });
}

/** Events of a `text/event-stream` with their names, as most vendors send them. */
export function eventStream(events: readonly JsonObject[], { named = true } = {}): string {
  return events
    .map((event) => `${named ? `event: ${String(event["type"])}\n` : ""}data: ${JSON.stringify(event)}\n\n`)
    .join("");
}

/** A vendor's server: what it answers to a request, and the bodies that it was sent. */
export interface Double {
  answer(request: Request): Promise<Response>;
  readonly bodies: readonly JsonObject[];
}

/** `fetch` that reaches a double and nothing else. */
export function fetchOf(double: Pick<Double, "answer">): typeof fetch {
  const reach = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    if (init?.redirect !== "manual") throw new Error("a request that carries a credential must not follow redirects");
    return await double.answer(new Request(input, init));
  };
  return Object.assign(reach, { preconnect: () => undefined });
}

export const now = Date.UTC(2026, 10, 21);

export function callOf(double: Pick<Double, "answer">, endpoint: Partial<Endpoint> = {}): ProviderCall {
  return {
    endpoint: {
      provider: "vendor",
      baseUrl: "https://vendor.test",
      credential: { kind: "api-key", secret: "key-of-the-test" },
      ...endpoint,
    },
    signal: new AbortController().signal,
    fetch: fetchOf(double),
    now: () => now,
  };
}

export function requestOf(model: ModelSpec, more: Partial<ModelRequest> = {}): ModelRequest {
  return { model, system: "Be brief.", messages: [user("hello")], tools: [], thinking: "off", ...more };
}

/** Everything that a provider gives before it ends. */
export async function collect(events: AsyncIterable<ModelEvent>): Promise<readonly ModelEvent[]> {
  const all: ModelEvent[] = [];
  try {
    for await (const event of events) all.push(event);
  } catch (error) {
    // uvu cannot print an error whose details are an object.
    throw new Error(`${all.length} events, then: ${(error as Error).message}`, { cause: error });
  }
  return all;
}

/** The message of a request that is answered. */
export async function ask(provider: Provider, request: ModelRequest, call: ProviderCall): Promise<AssistantMessage> {
  const last = (await collect(provider.stream(request, call))).at(-1);
  if (last?.type !== "done") throw new Error(`the last event is ${last?.type}, not done`);
  return last.message;
}

/** What a request that is not answered fails with: the kind first. */
export async function failureOf(
  provider: Provider,
  request: ModelRequest,
  call: ProviderCall,
): Promise<{ kind: string; failure: Failure }> {
  try {
    await collect(provider.stream(request, call));
  } catch (error) {
    const failure = (error as Error).cause as Failure;
    return { kind: providerFailureOf(failure)?.kind ?? failure.code, failure };
  }
  throw new Error("the request was answered");
}

export function user(...parts: ReadonlyArray<string | ImagePart>): Message {
  const content = parts.map((part): TextPart | ImagePart =>
    typeof part === "string" ? { type: "text", text: part } : part,
  );
  return { role: "user", content, timestamp: now };
}

export function toolResult(id: string, name: string, ...parts: ReadonlyArray<string | ImagePart>): ToolResultMessage {
  const content = parts.map((part): TextPart | ImagePart =>
    typeof part === "string" ? { type: "text", text: part } : part,
  );
  return { role: "toolResult", toolCallId: id, toolName: name, content, isError: false, timestamp: now };
}

export function answer(
  model: Pick<ModelSpec, "api" | "provider" | "id">,
  content: AssistantMessage["content"],
): AssistantMessage {
  const { api, provider, id } = model;
  const cost = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, total: 0 };
  const usage = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, totalTokens: 0, cost };
  return { role: "assistant", content, api, provider, model: id, usage, stopReason: "stop", timestamp: now };
}

/** One red pixel. */
export const picture: ImagePart = {
  type: "image",
  mimeType: "image/png",
  data: "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJRU5ErkJggg==",
};

export const weatherTool = {
  name: "get_weather",
  description: "Tells the weather of a place.",
  parameters: {
    $schema: "http://json-schema.org/draft-07/schema#",
    type: "object",
    properties: { location: { type: "string", description: "City.", minLength: 1 }, unit: { const: "celsius" } },
    required: ["location"],
    additionalProperties: false,
  },
} as const;

/**
 * Asserts that the script means the same however its bytes arrive: in two pieces cut anywhere, and one by one. Ids that
 * are made up here are told apart by their order alone.
 */
export async function sameHoweverSplit(
  body: string,
  eventsOf: (chunking: Chunking) => Promise<readonly ModelEvent[]>,
): Promise<string | undefined> {
  const plain = (events: readonly ModelEvent[]): string => {
    const ids: string[] = [];
    const merged: Array<{ type: string; delta?: string }> = [];
    for (const event of events) {
      const last = merged.at(-1);
      if ("delta" in event && last?.type === event.type && last.delta !== undefined) last.delta += event.delta;
      else merged.push({ ...event });
    }
    return JSON.stringify(merged).replace(/call_[0-9a-f]{24}/g, (id) => {
      if (!ids.includes(id)) ids.push(id);
      return `call#${ids.indexOf(id)}`;
    });
  };
  const expected = plain(await eventsOf(whole));
  const length = new TextEncoder().encode(body).length;
  for (let position = 1; position < length; position++)
    if (plain(await eventsOf(splitAt(position))) !== expected) return `cut after byte ${position} of ${length}`;
  return plain(await eventsOf(everyByte)) === expected ? undefined : "byte by byte";
}
