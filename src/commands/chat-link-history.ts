import { at, listAt, numberAt, stringAt, textAt } from "../cli/pick.ts";
import { saidIn } from "../cli/run-news.ts";

/** A session as `chat.history` tells it. */
export interface Chat {
  /** The full key. */
  readonly key: string;
  readonly agentId: string;
  readonly model: string;
  /** Changes when the conversation begins anew. */
  readonly sessionId: string | undefined;
  /** Oldest first. */
  readonly said: readonly Said[];
  /** Runs that go on and those that wait for them. */
  readonly runIds: readonly string[];
}

export interface Said {
  readonly role: "user" | "assistant";
  readonly text: string;
  /** Place in the conversation. */
  readonly seq: number;
  /** The run that it belongs to. */
  readonly runId: string | undefined;
}

export function readHistory(history: unknown): Chat {
  const info = at(history, "sessionInfo");
  return {
    key: stringAt(info, "key") ?? stringAt(history, "sessionKey") ?? "",
    agentId: textAt(info, "agentId") ?? "main",
    model: [textAt(info, "modelProvider"), textAt(info, "model")].filter(Boolean).join("/") || "no model",
    sessionId: stringAt(history, "sessionId"),
    said: listAt(history, "messages").flatMap((message) => readSaid(message) ?? []),
    runIds: listAt(info, "activeRunIds").filter((id) => typeof id === "string"),
  };
}

/** What a message says; undefined for results of tools, and for a message without words. */
export function readSaid(message: unknown): Said | undefined {
  const role = stringAt(message, "role");
  const text = saidIn(message);
  if ((role !== "user" && role !== "assistant") || text === "") return undefined;
  const marks = at(message, "__openclaw");
  // Ours writes the run beside the message; others in the key alone.
  const key = stringAt(message, "idempotencyKey") ?? stringAt(marks, "idempotencyKey");
  return {
    role,
    text,
    seq: numberAt(marks, "seq") ?? 0,
    runId: stringAt(marks, "runId") ?? key?.replace(/:user$/, ""),
  };
}
