import { isObject, type JsonObject } from "../kit/json.ts";
import { idOf, textIn, type Said } from "./conversation.ts";

/** A part of what the assistant did, in the order of its doing. */
export type Part =
  | { readonly kind: "text" | "thinking"; readonly text: string }
  | {
      readonly kind: "tool";
      readonly id: string;
      readonly name: string;
      readonly args: JsonObject;
      /** Undefined while it runs. */
      readonly result: { readonly text: string; readonly isError: boolean } | undefined;
    };

/** What the page shows in one piece: something said by one side, or a line between. */
export type Turn =
  | {
      readonly kind: "user";
      readonly id: string;
      readonly at: number;
      readonly text: string;
      readonly pictures: readonly Picture[];
      readonly sources: readonly Said[];
    }
  | {
      readonly kind: "assistant";
      readonly id: string;
      readonly at: number;
      readonly parts: readonly Part[];
      readonly model: string;
      readonly error: string | undefined;
      readonly sources: readonly Said[];
    }
  | { readonly kind: "note"; readonly id: string; readonly text: string; readonly sources: readonly Said[] };

/** A picture of a transcript: its bytes stay with the gateway. `run` is the message that brought it. */
export interface Picture {
  readonly name: string;
  readonly run: string;
  readonly index: number;
}

/**
 * Puts the messages of a transcript together as people see a conversation: everything the assistant did between two
 * messages of the user is one turn, with each tool's result at its call. `sources` are the messages a turn is made of:
 * while these are the same, so is the turn.
 */
export function turnsOf(messages: readonly Said[]): readonly Turn[] {
  const turns: Turn[] = [];
  let doing: Said[] = [];
  const finish = (): void => {
    if (doing.length > 0) turns.push(assistantTurn(doing));
    doing = [];
  };
  for (const message of messages) {
    if (message.role === "assistant" || message.role === "toolResult") {
      doing.push(message);
      continue;
    }
    finish();
    turns.push(message.role === "user" ? userTurn(message) : noteOf(message));
  }
  finish();
  return turns;
}

/** One line that says what a tool was asked: its first telling argument. */
export function gistOf(args: JsonObject): string {
  const said = [...telling.map((name) => args[name]), ...Object.values(args)];
  return said.find((value): value is string => typeof value === "string" && value !== "") ?? "";
}

const telling = ["command", "path", "url", "query", "pattern", "message"];

function partsIn({ content }: Said): readonly JsonObject[] {
  if (typeof content === "string") return [{ type: "text", text: content }];
  return Array.isArray(content) ? content.filter(isObject) : [];
}

function textOf(message: Said): string {
  return partsIn(message)
    .flatMap((part) => (part["type"] === "text" ? [textIn(part, "text")] : []))
    .join("\n\n");
}

function timeOf({ timestamp }: Said): number {
  return typeof timestamp === "number" ? timestamp : 0;
}

function userTurn(message: Said): Turn {
  const place = message["__openclaw"];
  const run = isObject(place) ? textIn(place, "idempotencyKey").replace(/:user$/, "") : "";
  const pictures = partsIn(message)
    .filter((part) => part["type"] === "image")
    .map((part, index) => ({ name: textIn(part, "fileName") || "picture", run, index }));
  const sources = [message];
  return { kind: "user", id: idOf(message), at: timeOf(message), text: textOf(message), pictures, sources };
}

function noteOf(message: Said): Turn {
  const place = message["__openclaw"];
  const isCompaction = isObject(place) && place["kind"] === "compaction";
  const text = isCompaction ? "Earlier messages were summarised for the model" : textOf(message);
  return { kind: "note", id: idOf(message), text, sources: [message] };
}

function assistantTurn(messages: readonly Said[]): Turn {
  const results = new Map(
    messages.flatMap((each) => (each.role === "toolResult" ? [[textIn(each, "toolCallId"), each] as const] : [])),
  );
  const parts: Part[] = [];
  let error: string | undefined;
  for (const message of messages) {
    if (message.role === "toolResult") {
      // Its call may be on a page that is not loaded.
      const id = textIn(message, "toolCallId");
      if (results.delete(id)) parts.push(toolPart({ id, name: textIn(message, "toolName") }, message));
      continue;
    }
    // The words of a failed answer are said where nothing else was: they stand below it once.
    error = textIn(message, "errorMessage") || undefined;
    for (const part of partsIn(message)) {
      const shown = partOf(part, results);
      if (shown && !(shown.kind === "text" && shown.text === error)) parts.push(shown);
    }
  }
  const [first, last] = [messages[0], messages.findLast(({ role }) => role === "assistant")];
  return {
    kind: "assistant",
    id: first ? idOf(first) : "",
    at: first ? timeOf(first) : 0,
    parts,
    model: last ? [textIn(last, "provider"), textIn(last, "model")].filter(Boolean).join("/") : "",
    error,
    sources: messages,
  };
}

function partOf(part: JsonObject, results: Map<string, Said>): Part | undefined {
  switch (part["type"]) {
    case "text":
      return textIn(part, "text").trim() === "" ? undefined : { kind: "text", text: textIn(part, "text") };
    case "thinking":
      return textIn(part, "thinking").trim() === "" ? undefined : { kind: "thinking", text: textIn(part, "thinking") };
    case "toolCall": {
      const id = textIn(part, "id");
      const result = results.get(id);
      results.delete(id);
      return toolPart({ id, name: textIn(part, "name"), args: part["arguments"] }, result);
    }
    default:
      return undefined;
  }
}

function toolPart({ id, name, args }: { id: string; name: string; args?: unknown }, result: Said | undefined): Part {
  const shown = result && { text: textOf(result), isError: result["isError"] === true };
  return { kind: "tool", id, name: name || "tool", args: isObject(args) ? args : {}, result: shown };
}
