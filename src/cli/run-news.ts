import { at, numberAt, stringAt, textAt } from "./pick.ts";

/** What is heard of a run while it goes on, out of the events `agent` and `chat` (protocol.md 6.3, 6.4). */
export type RunNews = { readonly runId: string; readonly sessionKey: string } & (
  | { readonly kind: "started" }
  | { readonly kind: "model"; readonly name: string }
  /** `text` is all of this part so far. A part is one answer or thought of a run. */
  | { readonly kind: "text" | "thinking"; readonly part: string; readonly text: string }
  | { readonly kind: "tool"; readonly name: string; readonly phase: "start" | "failed" | "done" }
  | { readonly kind: "waiting"; readonly reason: string }
  | RunEnd
);

/** How a run ended; `text` is all of the answer, as far as the gateway says it here. */
export interface RunEnd {
  readonly kind: "ended";
  readonly how: "final" | "aborted" | "error";
  readonly text: string;
  readonly reason: string | undefined;
  readonly errorKind: string | undefined;
}

/** An event as news of a run; undefined for what is none or tells nothing. */
export function newsOf(event: string, payload: unknown): RunNews | undefined {
  const runId = stringAt(payload, "runId");
  const sessionKey = stringAt(payload, "sessionKey");
  if (runId === undefined || sessionKey === undefined) return undefined;
  const news = event === "agent" ? progressOf(payload) : event === "chat" ? endOf(payload) : undefined;
  return news && { runId, sessionKey, ...news };
}

type Told = RunNews extends infer N ? (N extends RunNews ? Omit<N, "runId" | "sessionKey"> : never) : never;

function progressOf(payload: unknown): Told | undefined {
  const data = at(payload, "data");
  const phase = stringAt(data, "phase");
  switch (stringAt(payload, "stream")) {
    case "assistant":
      return partOf("text", data);
    case "thinking":
      return partOf("thinking", data);
    case "item":
      return stringAt(data, "kind") === "tool" ? toolOf(data, phase) : undefined;
    case "lifecycle":
      if (phase === "start") return { kind: "started" };
      if (phase === "waiting") return { kind: "waiting", reason: waitOf(data) };
      return phase === "model" && textAt(data, "model") ? { kind: "model", name: modelName(data) } : undefined;
    default:
      return undefined;
  }
}

function partOf(kind: "text" | "thinking", data: unknown): Told | undefined {
  const text = at(data, "text");
  if (typeof text !== "string") return undefined;
  return { kind, part: `${kind}:${stringAt(data, "itemId") ?? ""}`, text };
}

function toolOf(data: unknown, phase: string | undefined): Told | undefined {
  const name = textAt(data, "name") ?? textAt(data, "title") ?? "a tool";
  if (phase === "start") return { kind: "tool", name, phase };
  if (phase === "end") return { kind: "tool", name, phase: textAt(data, "status") === "failed" ? "failed" : "done" };
  return undefined;
}

function waitOf(data: unknown): string {
  const ms = numberAt(data, "ms");
  const reason = textAt(data, "reason") ?? "trying again";
  return ms === undefined ? reason : `${reason}; again in ${Math.ceil(ms / 1000)}s`;
}

/** `provider/model`, as people write it. */
function modelName(data: unknown): string {
  return [textAt(data, "provider"), textAt(data, "model")].filter(Boolean).join("/");
}

function endOf(payload: unknown): Told | undefined {
  const how = stringAt(payload, "state");
  if (how !== "final" && how !== "aborted" && how !== "error") return undefined;
  const text = saidIn(at(payload, "message"));
  const [reason, errorKind] = [textAt(payload, "errorMessage"), textAt(payload, "errorKind")];
  return { kind: "ended", how, text, reason, errorKind };
}

/** The text of a message as the protocol shows messages: a string, or parts of which some are text. */
export function saidIn(message: unknown): string {
  const content = at(message, "content");
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content
    .flatMap((part) => (stringAt(part, "type") === "text" ? (stringAt(part, "text") ?? []) : []))
    .join("\n\n");
}
