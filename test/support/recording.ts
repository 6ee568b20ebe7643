import { merge, shapeOf, type Shape } from "./shape.ts";

/** A conversation of a client with a gateway: what it sent, word by word, and the shape of what it got. */
export interface Recording {
  readonly steps: readonly Step[];
  /** By `kindOf`: everything that events of one kind had. */
  readonly events: Readonly<Record<string, Shape>>;
  /** What was said to a model, and how that run ended. */
  readonly runs: readonly { readonly runId: string; readonly message: string; readonly end: End }[];
  /** For each run in which a person's message was answered: the kinds of its events in the order of their first ones. */
  readonly orders: readonly (readonly string[])[];
}

export type End = "final" | "error" | "aborted";

export interface Step {
  /** Its connection, counted from 0. */
  readonly connection: number;
  readonly method: string;
  readonly params: unknown;
  /** What the client had seen by then, and not before its last request: `answer <step>` and `<chat state> <run id>`. */
  readonly after: readonly string[];
  /** More than one where an acceptance comes first. */
  readonly answers: readonly Answered[];
}

export type Answered = { readonly ok: true; readonly shape: Shape } | { readonly ok: false; readonly code: string };

export interface Frame {
  readonly type: "req" | "res" | "event";
  readonly id: string;
  readonly method: string;
  readonly event: string;
  // eslint-disable-next-line typescript/no-explicit-any -- frames are read by path
  readonly payload?: any;
  readonly ok: boolean;
  readonly params: unknown;
  readonly error: { readonly code: string; readonly message: string };
}

/** What one event says in which state, such as `chat delta` or `agent lifecycle start`. */
export function kindOf({ event, payload }: Pick<Frame, "event" | "payload">): string {
  const { stream, data, state, message, reason, phase } = payload ?? {};
  const parts: Readonly<Record<string, unknown[]>> = {
    agent: [stream, ...(stream === "item" ? [data?.kind] : []), data?.phase],
    chat: [state],
    "session.message": [message?.role],
    "sessions.changed": [reason ?? phase],
  };
  return [event, ...(parts[event] ?? [])].filter((part) => typeof part === "string").join(" ");
}

/** The run that an event is of. */
export function runOf({ payload }: Pick<Frame, "payload">): string | undefined {
  const { runId, message } = payload ?? {};
  return runId ?? message?.idempotencyKey?.replace(/:user$/, "");
}

/** A recording made from captured frames: lines of JSON with `conn`, `k` (`c>s` or `s>c`) and `frame`. */
export function record(lines: readonly string[]): Recording {
  const frames = lines.map((line) => JSON.parse(line, uncut)).filter(({ frame }) => typeof frame === "object");
  const connections = [...new Set(frames.map(({ conn }) => conn))];
  const steps: (Omit<Step, "answers" | "after"> & { after: string[]; answers: Answered[] })[] = [];
  const open = new Map<string, number>();
  const events = new Map<string, Shape>();
  const runs = new Map<string, { runId: string; message: string; end: End }>();
  const orders = new Map<string, string[]>();
  let seen: string[] = [];
  for (const { conn, frame } of frames) {
    const connection = connections.indexOf(conn);
    if (frame.type === "req") {
      open.set(`${conn} ${frame.id}`, steps.length);
      steps.push({ connection, method: frame.method, params: published(frame), after: seen, answers: [] });
      seen = [];
      const { message, idempotencyKey: runId } = frame.params ?? {};
      if (message && runId && !runs.has(runId)) runs.set(runId, { runId, message, end: "final" });
    } else if (frame.type === "res") {
      const step = open.get(`${conn} ${frame.id}`) ?? -1;
      steps[step]?.answers.push(
        frame.ok ? { ok: true, shape: shapeOf(frame.payload) } : { ok: false, code: frame.error.code },
      );
      seen.push(`answer ${step}`);
    } else {
      const kind = kindOf(frame);
      const shape = shapeOf(frame.payload);
      const known = events.get(kind);
      events.set(kind, known === undefined ? shape : merge(known, shape));
      const runId = runOf(frame);
      const run = runs.get(runId ?? "");
      if (!runId || !run) continue;
      const order = orders.get(runId) ?? [];
      orders.set(runId, order.includes(kind) ? order : [...order, kind]);
      if (!["delta", "final", "error", "aborted"].includes(frame.payload.state)) continue;
      if (frame.payload.state !== "delta") run.end = frame.payload.state;
      if (frame.event === "chat") seen.push(`${frame.payload.state} ${runId}`);
    }
  }
  return {
    steps: steps.map((step) => ({ ...step, after: [...new Set(step.after)] })),
    events: Object.fromEntries([...events].toSorted(([a], [b]) => (a < b ? -1 : 1))),
    runs: [...runs.values()],
    orders: [...orders.values()].filter((order) => order.includes("session.message user")),
  };
}

/** A place where the capture was cut short says nothing of what was there. */
function uncut(_name: string, value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((each) => !isCut(each));
  return isCut(value) ? null : value;
}

function isCut(value: unknown): boolean {
  return typeof value === "string" && value.startsWith("…");
}

/** A recording as lines of text, one for each thing in it, and back. */
export function written(recording: Recording): string {
  const lines = Object.entries(recording).flatMap(([part, things]) =>
    Array.isArray(things)
      ? things.map((thing: unknown) => ({ [part]: thing }))
      : Object.entries(things).map(([kind, shape]) => ({ [part]: { [kind]: shape } })),
  );
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}

export function read(text: string): Recording {
  const lines = text
    .trim()
    .split("\n")
    .map((line): Partial<Record<keyof Recording, never>> => JSON.parse(line));
  const all = (part: keyof Recording) => lines.flatMap((line) => line[part] ?? []);
  return {
    steps: all("steps"),
    events: Object.assign({}, ...all("events")),
    runs: all("runs"),
    orders: lines.flatMap(({ orders }) => (orders ? [orders] : [])),
  };
}

/** Parameters without what belongs to the machine that they were captured on. */
// eslint-disable-next-line typescript/no-explicit-any -- frames are read by path
function published({ method, params }: { method: string; params: any }): unknown {
  if (method !== "connect") return params;
  const { auth: _auth, device, ...rest } = params;
  return { ...rest, ...(device ? { device: true } : {}) };
}
